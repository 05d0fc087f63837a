"""API calls that went wrong: what a failure means for the record, and the pause before the next try."""
