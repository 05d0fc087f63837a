"""The HTTP of the providers: connections, single calls, time and size limits, failures. Only this room knows httpx."""
