"""`describe` as text: everything about one job, in the layout of `kubectl describe`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.text import Text

from batchctl.model.desired import Json
from batchctl.model.events import Event
from batchctl.model.recorded import RecordedAttempt, RecordedJob
from batchctl.model.times import rfc3339
from batchctl.report.describe_document import describe_document, recorded_fields
from batchctl.report.forecast import forecast_words, stuck_way_out
from batchctl.report.layout import Row, outside, write_heading, write_table
from batchctl.report.plan_text import change_line, terminal_value
from batchctl.report.reports import JobDescription
from batchctl.report.words import rows_text, state_text

FIELDS = ("job", "stack", "phase", "action", "reason", "guard", "remote", "nextTime", "results")


def write_description(description: JobDescription, console: Console) -> None:
    """All sections; empty ones are omitted."""
    document = describe_document(description)
    fields = {name: document[name] for name in FIELDS}
    forecast = description.plan.forecast
    if forecast is not None:
        fields["ends"] = forecast_words(forecast, None)
        stuck = forecast.stuck
        fields["stuck"] = None if stuck is None else f"{stuck.words}; {stuck_way_out(description.plan)}"
    write_table(console, _field_rows(fields))
    _write_section(console, "Changes", [Row((change_line(change),)) for change in description.plan.changes])
    drift = [Row((Text(item.kind.value, "yellow"), outside(item.detail))) for item in description.drift]
    _write_section(console, "Drift", drift)
    _write_section(console, "Desired", _field_rows(document["desired"] or {}))
    _write_section(console, "Recorded", _field_rows(document["recorded"] or {}))
    if description.recorded is not None:
        write_attempts(console, description.recorded)
    write_events(console, description.events)


def write_recorded(console: Console, recorded: RecordedJob) -> None:
    """The section of a job's own record."""
    _write_section(console, "Recorded", _field_rows(recorded_fields(recorded)))


def write_events(console: Console, events: Sequence[Event]) -> None:
    """The section of a job's history."""
    header = ("TIME", "ATTEMPT", "WHO", "WHAT", "WHY")
    _write_section(console, "Events", [_event_row(event) for event in events], header)


def _write_section(console: Console, title: str, rows: list[Row], header: tuple[str, ...] = ()) -> None:
    if rows:
        write_heading(console, title)
        write_table(console, rows, header=header, indent=2)


def _field_rows(values: Mapping[str, Json]) -> list[Row]:
    shown = ((name, _value(value)) for name, value in values.items() if value not in (None, {}, []))
    # A mapping whose members are all null has no text.
    return [Row((Text(f"{_title(name)}:"), text)) for name, text in shown if text.plain]


def _title(name: str) -> str:
    """A key as a title: `displayName` becomes `Display name`."""
    return re.sub(r"[A-Z]", lambda match: f" {match[0].lower()}", name).capitalize()


def _value(value: Json) -> Text:
    if isinstance(value, dict):
        members = (f"{name}={_scalar(member)}" for name, member in value.items() if member is not None)
        return outside(", ".join(members))
    return outside(_scalar(value))


def _scalar(value: Json) -> str:
    return value if isinstance(value, str) else terminal_value(value)


def write_attempts(console: Console, recorded: RecordedJob) -> None:
    """The section of a job's attempts."""
    header = ("ATTEMPT", "STATE", "ROWS", "CREATED", "ENDED", "REMOTE", "REMARKS")
    split = {one.key.attempt for one in recorded.attempts if one.key.shard}
    rows = [
        _attempt_row(one, current=one.key.attempt == recorded.row.current, is_shard=one.key.attempt in split)
        for one in recorded.attempts
    ]
    _write_section(console, "Attempts", rows, header)


def _attempt_row(attempt: RecordedAttempt, *, current: bool, is_shard: bool) -> Row:
    key = attempt.key
    number = f"{key.attempt}.{key.shard}" if is_shard else str(key.attempt)
    return Row(
        (
            Text(f"{number} *" if current else number),
            outside(state_text(attempt.state)),
            Text(rows_text(attempt.rows)),
            Text(rfc3339(attempt.create_time) or "-"),
            Text(rfc3339(attempt.end_time) or "-"),
            outside(attempt.remote or "-"),
            outside("; ".join(_remarks(attempt))),
        )
    )


def _remarks(attempt: RecordedAttempt) -> list[str]:
    remarks = {
        "create call not answered yet": attempt.intent is not None,
        "create call refused": attempt.rejected,
        "adopted": attempt.adopted,
        f"cancelled ({attempt.cancel_cause})": attempt.cancel_time is not None,
        "deleted": attempt.delete_time is not None,
        "gone": attempt.gone_time is not None,
        "canary": attempt.is_canary,
        f"results: {attempt.results}": attempt.results is not None,
    }
    trouble = attempt.trouble
    error = [] if attempt.error is None else [f"error: {attempt.error.message}"]
    if trouble is not None:
        error = [f"{trouble.operation}: {trouble.words}"]
    by = attempt.collect_by
    error += [] if by is None else [f"collect by {rfc3339(by)}"]
    return [remark for remark, holds in remarks.items() if holds] + error


def _event_row(event: Event) -> Row:
    return Row(
        (
            Text(rfc3339(event.time) or ""),
            Text("-" if event.attempt is None else str(event.attempt)),
            outside(event.who or "-"),
            outside(event.what),
            outside(event.why if event.error_code is None else f"{event.error_code}: {event.why}"),
        )
    )
