"""`--events FILE`: the events of a run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import click

from batchctl import __version__
from batchctl.cli import complete, notes
from batchctl.cli.common import F
from batchctl.cli.new_files import cannot_write, real_name, refuse_stream
from batchctl.disk.safe_open import open_file
from batchctl.engine.clock import SystemClock
from batchctl.model.errors import BatchctlError
from batchctl.report.run_events import RunEvents


def events_option(name: str) -> Callable[[F], Callable[..., Any]]:
    """`--events`. The command gets the events as `events`, and its exit code is the last one."""

    def decorate(command: F) -> Callable[..., Any]:
        @wraps(command)
        def recorded(*, events: str | None, **given: Any) -> int:  # noqa: ANN401 - whatever the command takes
            with _recording(events) as run_events:
                run_events.started(name, __version__)
                try:
                    code: int = command(events=run_events, **given)
                except BatchctlError as error:
                    run_events.ended(error.exit_code, error)
                    raise
                run_events.ended(code)
                return code

        return click.option(
            "--events",
            metavar="FILE",
            shell_complete=complete.files,
            help="Also write each event of the run as a line of JSON.",
        )(recorded)

    return decorate


@contextmanager
def _recording(name: str | None) -> Iterator[RunEvents]:
    def warn(error: OSError) -> None:
        notes.warn(f"cannot write {name} any more: {error.strerror}")

    now = SystemClock().now
    if name is None:
        yield RunEvents(None, now, warn)
        return
    refuse_stream(name)
    path = Path(name)
    try:
        handle = open_file(real_name(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    except OSError as error:
        raise cannot_write(path, error, "give the path of a file in a folder that exists") from error
    stream = os.fdopen(handle, "w", encoding="ascii")
    try:
        yield RunEvents(stream, now, warn)
    finally:
        try:
            stream.close()
        except OSError as error:
            warn(error)
