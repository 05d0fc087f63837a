"""The Gemini Developer API: batches and files. Source: reference 1, 2, 7, 8.1."""
