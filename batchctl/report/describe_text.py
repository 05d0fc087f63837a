"""`describe` as text: first what to act on, then everything about the job, in the layout of `kubectl describe`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.events import Event
from batchctl.model.json_value import Json
from batchctl.model.recorded import RecordedJob
from batchctl.model.states import Phase
from batchctl.model.times import rfc3339
from batchctl.report.console import Console
from batchctl.report.cost_text import describe_cost
from batchctl.report.describe_document import describe_document, recorded_fields
from batchctl.report.description import JobDescription
from batchctl.report.explain import next_step
from batchctl.report.explain_text import moment_words, write_last_error, write_ways_on
from batchctl.report.forecast import forecast_words, stuck_way_out
from batchctl.report.layout import Row, named, outside, write_heading, write_table
from batchctl.report.plan_text import change_line, terminal_value
from batchctl.report.text import Text
from batchctl.report.timeline import write_timeline
from batchctl.report.verdict_rows import write_verdicts
from batchctl.report.words import PHASE_STYLES, rows_text, state_text

FIELDS = (
    *("job", "stack", "phase", "action", "reason", "guard"),
    *("next", "ends", "stuck", "results", "collect", "remote", "apiUrl", "consoleUrl"),
)
_TITLES = {"apiUrl": "API", "consoleUrl": "Console"}


def write_description(description: JobDescription, console: Console) -> None:
    """All sections; empty ones are omitted."""
    document, case, attempt = describe_document(description), description.facts, description.plan.attempt
    facts = {**document, **_words(description)}
    rows = _field_rows({name: facts[name] for name in FIELDS})
    write_table(console, [_styled(row, description.plan.phase) for row in rows])
    cost = [named(title, outside(words)) for title, words in describe_cost(description.plan.cost)]
    _write_section(console, "Cost", cost)
    write_last_error(case, console)
    if description.recorded is not None:
        attempts = description.recorded.attempts
        write_timeline(console, attempts, _attempt_names(description.recorded), _now(description))
    if attempt is not None:
        write_verdicts(console, attempt.rows, description.examples)
    write_ways_on(case, console)
    _write_section(console, "Changes", [Row((change_line(change),)) for change in description.plan.changes])
    drift = [Row((Text(item.kind.value, "yellow"), outside(item.detail))) for item in description.drift]
    _write_section(console, "Drift", drift)
    _write_section(console, "Desired", _field_rows(document["desired"] or {}))
    _write_section(console, "Recorded", _field_rows(document["recorded"] or {}))
    if description.recorded is not None:
        write_attempts(console, description.recorded)
    write_events(console, description.events)


def _styled(row: Row, phase: Phase) -> Row:
    """The row with the colour of the phase, where it shows that."""
    title, value = row.cells
    return Row((title, Text(value.plain, PHASE_STYLES[phase]))) if title.plain == "Phase:" else row


def _words(description: JobDescription) -> dict[str, Json]:
    """The fields that are sentences for people."""
    plan, case = description.plan, description.facts
    forecast, by = plan.forecast, None if plan.attempt is None else plan.attempt.collect_by
    stuck = None if forecast is None else forecast.stuck
    when = "" if plan.next_time is None else f" ({moment_words(case, plan.next_time)})"
    return {
        "next": f"{next_step(case)}{when}",
        "ends": None if forecast is None else forecast_words(forecast, case.now),
        "stuck": None if stuck is None else f"{stuck.words}; {stuck_way_out(plan)}",
        "collect": None if by is None else f"by {moment_words(case, by)}: later, the API may have deleted the results",
    }


def _now(description: JobDescription) -> datetime:
    """The time at the account; without it, the last time that is recorded."""
    if description.facts.now is not None:
        return description.facts.now
    attempts = () if description.recorded is None else description.recorded.attempts
    times = [time for one in attempts for time in (one.create_time, one.start_time, one.end_time) if time is not None]
    return max(times, default=datetime.min.replace(tzinfo=UTC))


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
    return _TITLES.get(name) or re.sub(r"[A-Z]", lambda match: f" {match[0].lower()}", name).capitalize()


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
    names = _attempt_names(recorded)
    rows = [_attempt_row(one, name) for one, name in zip(recorded.attempts, names, strict=True)]
    _write_section(console, "Attempts", rows, header)


def _attempt_names(recorded: RecordedJob) -> list[str]:
    """The number of each attempt, with its shard if there are several; the current one has a star."""
    split = {one.key.attempt for one in recorded.attempts if one.key.shard}
    keys = [one.key for one in recorded.attempts]
    names = [f"{key.attempt}.{key.shard}" if key.attempt in split else str(key.attempt) for key in keys]
    return [f"{name} *" if key.attempt == recorded.row.current else name for name, key in zip(names, keys, strict=True)]


def _attempt_row(attempt: RecordedAttempt, name: str) -> Row:
    return Row(
        (
            Text(name),
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
        "outcome of the create call not known": attempt.intent is not None,
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
