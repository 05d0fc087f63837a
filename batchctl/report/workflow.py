"""Errors as GitHub workflow commands, which a runner shows beside the line of the manifest.

cli decides whether they are printed.
"""

from __future__ import annotations

from batchctl.model.desired import Diagnostic
from batchctl.model.errors import BatchctlError, ManifestError
from batchctl.report.escape import workflow_data, workflow_property


def error_annotations(error: BatchctlError) -> tuple[str, ...]:
    """One `::error …::` line for each error in a manifest, or one for any other error."""
    if isinstance(error, ManifestError):
        return tuple(_diagnostic(item) for item in error.diagnostics)
    return (f"::error title={workflow_property(error.code)}::{workflow_data(_with_hint(error.message, error.hint))}",)


def _diagnostic(item: Diagnostic) -> str:
    place, title = item.location, f"title={workflow_property(item.code)}"
    message = workflow_data(_with_hint(item.message, item.hint))
    if not place.has_position:
        return f"::error {title}::{workflow_data(place.file)}: {message}"
    return f"::error file={workflow_property(place.file)},line={place.line},col={place.column},{title}::{message}"


def _with_hint(message: str, hint: str) -> str:
    return f"{message} ({hint})" if hint else message
