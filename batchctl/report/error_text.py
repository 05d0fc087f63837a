"""Errors as text: the problem, then the way out."""

from __future__ import annotations

from collections.abc import Sequence

from batchctl.model.errors import BatchctlError, ManifestError, RowsError, StoppedError
from batchctl.model.locations import Diagnostic
from batchctl.report.console import Console
from batchctl.report.layout import count, outside, write_line

MANY = frozenset({"diagnostics", "problems", "warnings"})
"""Details that are written as lines of their own."""


def write_error(error: BatchctlError, console: Console, *, verbose: bool = False) -> None:
    """The error, its hint, and its details when `verbose`. Errors in files have one line each, then a count."""
    if isinstance(error, StoppedError):
        # A person asked for it: it is no error to look up.
        write_line(console, outside(f"{error.message}; {error.hint}"))
        return
    if isinstance(error, ManifestError):
        write_warnings(error.warnings, console)
        _write_diagnostics(error, console)
    elif isinstance(error, RowsError):
        for problem in error.problems:
            write_line(console, f"line {problem.line}: ", outside(problem.message))
        _write_head(console, error.code, f"{count(len(error.problems), 'error')} in the rows")
    else:
        _write_head(console, error.code, error.message)
    if error.hint:
        write_line(console, "  ", ("hint", "cyan"), ": ", outside(error.hint))
    if verbose:
        import json  # both are loaded before, see `batchctl.cli.common`

        from batchctl.report.error_document import error_fields

        for name, value in error_fields(error)["details"].items():
            if name not in MANY:
                write_line(console, "  ", outside(f"{name}: {json.dumps(value, ensure_ascii=False)}", "dim"))


MOST_WARNINGS = 100
"""The number of warnings that are shown, because a million rows can have the same problem."""


def write_warnings(warnings: Sequence[Diagnostic], console: Console) -> None:
    """Warnings about manifests and rows, one per line, and the number of those left out."""
    for item in warnings[:MOST_WARNINGS]:
        hint = f" ({item.hint})" if item.hint else ""
        message = outside(f" {item.message}{hint}")
        write_line(console, ("warning", "yellow"), ": ", outside(str(item.location), "bold"), ": ", item.code, message)
    if len(warnings) > MOST_WARNINGS:
        write_line(console, ("warning", "yellow"), f": {count(len(warnings) - MOST_WARNINGS, 'more warning')}")


def outside_words(errors: int) -> str:
    """The number of errors in manifests outside `-f`, and what they prevent."""
    return (
        f"{count(errors, 'error')} in manifests outside -f: plan and apply need all manifests to be valid,"
        " because one that cannot be read would look like a removed job. `batchctl validate` shows all errors."
    )


def _write_head(console: Console, code: str, message: str) -> None:
    write_line(console, ("error", "bold red"), ": ", outside(code, "bold"), " ", outside(message))


def _write_diagnostics(error: ManifestError, console: Console) -> None:
    for item in error.diagnostics:
        hint = f" ({item.hint})" if item.hint else ""
        write_line(
            console,
            outside(_place(item), "bold"),
            ": ",
            outside(item.code, "red"),
            outside(f" {item.message}{hint}"),
        )
    files = len({item.location.file for item in error.diagnostics})
    _write_head(console, error.code, f"{count(len(error.diagnostics), 'error')} in {count(files, 'file')}")


def _place(item: Diagnostic) -> str:
    """The place, which begins a line: a file named like a runner's command must not become one."""
    place = str(item.location)
    return f"./{place}" if place.lstrip().startswith("::") else place
