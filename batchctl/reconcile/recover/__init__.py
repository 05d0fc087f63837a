"""A lost state file: how its record is rebuilt from the API and from collected results."""
