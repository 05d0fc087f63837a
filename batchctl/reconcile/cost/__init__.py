"""The costs of jobs: estimates from what is known before a run, and the counts of the API after it."""
