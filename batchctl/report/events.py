"""`events`: the history of a stack, as text, as `batchctl/events/v1`, and as one `batchctl/events-row/v1` a line."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from batchctl.model.events import Event
from batchctl.model.json_value import Json
from batchctl.model.times import rfc3339_seconds
from batchctl.report.console import Console
from batchctl.report.describe_document import event_fields
from batchctl.report.layout import Row, outside, write_line, write_table
from batchctl.report.text import Text

_HEADER = ("TIME", "JOB", "ATTEMPT", "WHO", "WHAT", "WHY")


class EventsReport(Struct, frozen=True):
    """Events of a stack."""

    stack: str
    events: Sequence[Event]
    """Oldest first."""


def events_document(report: EventsReport) -> dict[str, Json]:
    """`batchctl/events/v1`."""
    events: list[Json] = [{"job": event.job, **event_fields(event)} for event in report.events]
    return {"format": "batchctl/events/v1", "stack": report.stack, "events": events}


def event_row(stack: str, event: Event) -> dict[str, Json]:
    """`batchctl/events-row/v1`."""
    return {"format": "batchctl/events-row/v1", "stack": stack, "job": event.job, **event_fields(event)}


def write_history(report: EventsReport, console: Console, *, header: bool = True) -> None:
    """A line for each event. Without `header` as the continuation of such a table."""
    if report.events:
        write_table(console, [_row(event) for event in report.events], header=_HEADER if header else ())
    elif header:
        write_line(console, "No events.")


def _row(event: Event) -> Row:
    return Row(
        (
            Text(rfc3339_seconds(event.time)),
            outside(event.job, "bold"),
            Text("-" if event.attempt is None else str(event.attempt)),
            outside(event.who or "-"),
            outside(event.what),
            outside(event.why if event.error_code is None else f"{event.error_code}: {event.why}"),
        )
    )
