"""Which create calls an account has capacity for now."""
