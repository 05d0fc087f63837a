"""The hands: observe, execute what the plan says, write down what happened, look again. Decides nothing."""
