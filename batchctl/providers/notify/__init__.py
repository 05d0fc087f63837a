"""Delivers notifications to hooks: signed webhooks and commands. Knows nothing about jobs; others decide when."""
