"""Vertex AI: batch prediction jobs. Source: reference 3, 5, 8.2, 9, 10."""
