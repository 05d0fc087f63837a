"""The Gemini Developer API (reference chapters 1, 2, 5, 8.1). Open it with `provider.open_gemini`."""
