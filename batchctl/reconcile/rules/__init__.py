"""Rules that adjust a decision: what else a job needs, and what holds an action back."""
