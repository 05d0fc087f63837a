"""The progress that fits the terminal and the options of a command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

from batchctl.report.console import Console, is_terminal
from batchctl.report.progress import PlainProgress, QuietProgress

if TYPE_CHECKING:
    from batchctl.model.ports.surroundings import Clock
    from batchctl.report.log import JsonLog
    from batchctl.report.progress_log import JsonLinesProgress
    from batchctl.report.screen.live import Screen

    Lines = PlainProgress | JsonLinesProgress | QuietProgress
    AnyProgress = Screen | Lines
    """Every kind implements `Progress` and is a context manager."""


def make_progress(
    console: Console,
    stream: TextIO,
    clock: Clock,
    env: Mapping[str, str],
    *,
    log: JsonLog | None,
    quiet: bool,
    verbose: bool = False,
) -> AnyProgress:
    """The progress for these options: JSON if there is a log, quiet, the screen on a terminal, or plain lines.

    `console` writes to `stream`, which is standard error. `verbose` adds columns to the screen.
    """
    if log is not None or quiet or not is_terminal(stream, env):
        return make_lines(stream, clock, log=log, quiet=quiet)
    from batchctl.report.screen.live import Screen

    return Screen(console, clock, verbose=verbose)


def make_lines(stream: TextIO, clock: Clock, *, log: JsonLog | None, quiet: bool) -> Lines:
    """The progress without a screen."""
    if log is not None:
        from batchctl.report.progress_log import JsonLinesProgress

        return JsonLinesProgress(log, clock)
    return QuietProgress(stream) if quiet else PlainProgress(stream, clock)
