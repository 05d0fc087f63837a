"""The steps of a plan, carried out: calls and the writes that record them."""
