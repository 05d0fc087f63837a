"""A small model checker for the decisions: every interleaving of a small world, driven through the real `plan`."""
