"""Which events the hooks of a stack hear of, and when a delivery is tried again."""
