"""Telling hooks of jobs: signed webhooks, and commands. Knows nothing of jobs, and decides nothing about when."""
