"""Prints the result of a command: one document on standard output, in the requested format."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from batchctl.cli.aimed_hints import aim, aimed_stream
from batchctl.cli.common import Common
from batchctl.cli.notes import json_log
from batchctl.model.errors import BatchctlError
from batchctl.model.json_value import Json
from batchctl.model.locations import Diagnostic
from batchctl.report.console import Console, make_console
from batchctl.report.error_text import write_error, write_warnings


def stdout_console(common: Common) -> Console:
    """The console for results."""
    return make_console(aimed_stream(sys.stdout, common), common.color, os.environ)


def stderr_console(common: Common) -> Console:
    """The console for everything else."""
    return make_console(aimed_stream(sys.stderr, common), common.color, os.environ)


def is_one_terminal() -> bool:
    """Whether a person sees the result and the errors beneath each other."""
    return json_log() is None and sys.stdout.isatty() and sys.stderr.isatty()


def show_error(error: BatchctlError, common: Common) -> None:
    """Write an error to standard error; commands in its hint get the target of this run."""
    aim(error, common)
    log = json_log()
    if log is not None:
        log.error(error)
    else:
        write_error(error, stderr_console(common), verbose=common.verbose)


def show_warnings(warnings: Sequence[Diagnostic], common: Common) -> None:
    """Write warnings about manifests and rows to standard error."""
    log = json_log()
    if log is not None:
        log.diagnostics(warnings)
    else:
        write_warnings(warnings, stderr_console(common))


def write_document(output: str, document: Mapping[str, Json]) -> None:
    """Print a document as JSON or YAML."""
    from batchctl.report.documents import to_json, to_yaml  # for an error loaded before, see `batchctl.cli.common`

    write = to_json if output == "json" else to_yaml
    sys.stdout.write(write(document))


def emit(
    common: Common,
    output: str,
    *,
    text: Callable[[Console], None],
    document: Callable[[], Mapping[str, Json]],
    markdown: Callable[[], str] | None = None,
    names: Sequence[str] = (),
) -> None:
    """Print a result in the requested format."""
    match output:
        case "json" | "yaml":
            write_document(output, document())
        case "name":
            from batchctl.report.documents import to_names

            sys.stdout.write(to_names(names))
        case "markdown":
            assert markdown is not None, "the command does not offer Markdown"
            sys.stdout.write(markdown())
        case _:
            text(stdout_console(common))


class Shown(Struct, frozen=True):
    """One job of a command that shows jobs one by one."""

    text: Callable[[Console], None]
    document: Callable[[], Mapping[str, Json]]


def emit_each(common: Common, output: str, jobs: Sequence[Shown], *, alone: bool) -> None:
    """Print one job after the other. `alone`: the document of the only one; else a list, even of one."""

    def text(console: Console) -> None:
        for number, job in enumerate(jobs):
            if number:
                console.print()
            job.text(console)

    def document() -> Mapping[str, Json]:
        from batchctl.report.documents import job_list

        return jobs[0].document() if alone else job_list(job.document() for job in jobs)

    emit(common, output, text=text, document=document)
