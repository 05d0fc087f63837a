"""GitHub workflow commands: annotations, which a runner shows beside the line of a manifest, and groups.

cli decides whether they are printed. `place` gives the path of a file inside the repository.
"""

from __future__ import annotations

from collections.abc import Callable

from batchctl.model.errors import BatchctlError, ManifestError
from batchctl.model.locations import Diagnostic
from batchctl.report.escape import workflow_data, workflow_property

Place = Callable[[str], str]


def error_annotations(error: BatchctlError, place: Place = str) -> tuple[str, ...]:
    """One `::error …::` line for each error in a manifest, or one for any other error."""
    if isinstance(error, ManifestError):
        return tuple(annotation(item, "error", place) for item in error.diagnostics)
    return (plain_annotation("error", error.code, _with_hint(error.message, error.hint)),)


def annotation(item: Diagnostic, level: str, place: Place = str) -> str:
    """The annotation of one error or warning in a manifest."""
    found, title = item.location, f"title={workflow_property(item.code)}"
    message = workflow_data(_with_hint(item.message, item.hint))
    if not found.has_position:
        return f"::{level} {title}::{workflow_data(found.file)}: {message}"
    file = workflow_property(place(found.file))
    return f"::{level} file={file},line={found.line},col={found.column},{title}::{message}"


def plain_annotation(level: str, title: str, message: str) -> str:
    """An annotation without a place."""
    return f"::{level} title={workflow_property(title)}::{workflow_data(message)}"


def group_start(title: str) -> str:
    """Begin a group of lines that the runner folds."""
    return f"::group::{workflow_data(title)}"


GROUP_END = "::endgroup::"


def _with_hint(message: str, hint: str) -> str:
    return f"{message} ({hint})" if hint else message
