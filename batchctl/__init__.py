"""batchctl: a declarative reconciler for Gemini batch jobs."""

__version__ = "0.1.0"
