"""Between two passes: how to check for news cheaply, and which uploaded files are no longer needed."""
