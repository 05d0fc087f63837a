"""The HTTP of the providers: connections, calls, time and size limits, errors. Only this package uses httpx."""
