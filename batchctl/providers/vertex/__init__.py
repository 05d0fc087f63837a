"""Vertex AI (reference chapters 3, 4, 5, 8.2). Open it with `provider.open_vertex`."""
