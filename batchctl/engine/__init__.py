"""Observes the accounts, executes the steps of a plan, and records the results. Decides nothing."""
