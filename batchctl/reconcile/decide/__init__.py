"""The first decision about a job: what it needs, from its facts alone."""
