"""Errors as documents: `{"error": {"code", "message", "hint", "details"}}`."""

from __future__ import annotations

from batchctl.model.errors import ApiStatus, BatchctlError, ManifestError, RowsError
from batchctl.model.json_value import Json
from batchctl.model.locations import Diagnostic


def error_document(error: BatchctlError) -> dict[str, Json]:
    """The whole output of a command that failed."""
    return {"error": error_fields(error)}


def error_fields(error: BatchctlError) -> dict[str, Json]:
    """One error; `details` also has the faults of manifests and rows and the status of an HTTP answer."""
    return {"code": error.code, "message": error.message, "hint": error.hint, "details": _details(error)}


def diagnostic_fields(item: Diagnostic) -> dict[str, Json]:
    """One fault of a manifest."""
    return {
        "file": item.location.file,
        "line": item.location.line,
        "column": item.location.column,
        "code": item.code,
        "message": item.message,
        "hint": item.hint,
    }


def _details(error: BatchctlError) -> dict[str, Json]:
    details: dict[str, Json] = dict(error.details)
    if isinstance(error, ManifestError):
        details["diagnostics"] = [diagnostic_fields(item) for item in error.diagnostics]
        if error.warnings:
            details["warnings"] = [diagnostic_fields(item) for item in error.warnings]
    elif isinstance(error, RowsError):
        details["problems"] = [{"line": item.line, "message": item.message} for item in error.problems]
    elif isinstance(error, ApiStatus):
        details |= {"http": error.http, "status": error.status}
    return details
