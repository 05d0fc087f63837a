"""The error of a command whose libraries are an extra that is not installed."""

from __future__ import annotations

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError


def missing_server(what: str, error: ImportError) -> BatchctlError:
    """The error of a server. Raises the import error itself if it is about another library."""
    library = (error.name or "").partition(".")[0]
    if library not in {"anyio", "h11", "prometheus_client", "starlette", "uvicorn"}:
        raise error
    return BatchctlError(
        f"{what} needs {library}, which is not installed",
        code=ErrorCode.MISSING_LIBRARY,
        hint="`pip install 'batchctl[server]'`, or `pip install '.[server]'` in the clone of batchctl",
    )
