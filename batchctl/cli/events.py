"""`batchctl events`: the history that the state keeps."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import NoReturn

import click

from batchctl.cli.common import Common, common_options, output_option
from batchctl.cli.event_feed import EventFeed
from batchctl.cli.job_selection import JobSelection, select_jobs
from batchctl.cli.output import emit, stdout_console
from batchctl.cli.start_signals import INTERRUPTED
from batchctl.cli.state.opening import open_stack_state
from batchctl.engine.clock import SystemClock
from batchctl.manifests.duration_reader import parse_duration
from batchctl.model.errors import UsageError
from batchctl.model.events import Event
from batchctl.model.times import read_rfc3339
from batchctl.report.documents import to_json_line
from batchctl.report.events import EventsReport, event_row, events_document, write_history


@click.command()
@select_jobs()
@click.option("--since", metavar="TIME", help="Only events since this time: 2h, or 2026-11-22T08:00:00Z.")
@click.option("-w", "--watch", is_flag=True, help="Print new events, too, until Ctrl-C.")
@output_option("json", "yaml", "ndjson")
@common_options
def events(*, common: Common, selection: JobSelection, since: str | None, watch: bool, output: str) -> int:
    """List what was done and seen, oldest first: when, by whom, why.

    The state keeps the last 10,000 events of the stack. Makes no call to an API, and needs no valid manifest.
    """
    if watch and output not in {"text", "ndjson"}:
        raise UsageError(f"--watch has no end, and {output} is one document", hint="use -o ndjson")
    opened = open_stack_state(common)
    start = None if since is None else _start(since, opened.clock)
    feed = EventFeed(opened, selection, start)
    found = feed.new()
    if not watch:
        report = EventsReport(opened.stack.name, found)
        if output == "ndjson":
            _write_lines(opened.stack.name, found)
        else:
            emit(common, output, text=partial(write_history, report), document=lambda: events_document(report))
        return 0
    try:
        _follow(feed, found, common, output)
    except KeyboardInterrupt:
        # The ordinary end: nothing is left to say.
        return INTERRUPTED


def _follow(feed: EventFeed, found: Sequence[Event], common: Common, output: str) -> NoReturn:
    stack, console, is_first = feed.stack, stdout_console(common), True
    while True:
        if output == "ndjson":
            _write_lines(stack, found)
        elif found:
            write_history(EventsReport(stack, found), console, header=is_first)
            is_first = False
        feed.pause()
        found = feed.new()


def _write_lines(stack: str, found: Sequence[Event]) -> None:
    for event in found:
        sys.stdout.write(to_json_line(event_row(stack, event)))
    sys.stdout.flush()


def _start(text: str, clock: SystemClock) -> datetime:
    """The moment that `--since` names. Raises UsageError."""
    try:
        return clock.now() - parse_duration(text)
    except ValueError:
        pass
    try:
        return read_rfc3339(text)
    except ValueError as error:
        hint = "write a duration as 90s, 2h or 1d12h, or a time as 2026-11-22T08:00:00Z"
        raise UsageError(f"--since: {text!r} is neither a duration nor a time with its zone", hint=hint) from error
