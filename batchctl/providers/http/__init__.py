"""The HTTP of the providers: connections, calls, time and size limits, errors. Only this package uses httpx."""

import sys

# httpx has a command line of its own. Its first import would load rich and pygments with it: seventy modules.
sys.modules["httpx._main"] = None  # type: ignore[assignment]
