"""Bundles: the input and the plan of one decision in a file, without secrets, to decide again elsewhere."""
