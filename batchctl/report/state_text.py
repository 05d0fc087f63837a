"""The `state` commands as text."""

from __future__ import annotations

from collections.abc import Iterator

from batchctl.model.recorded import RecordedJob
from batchctl.model.states import Phase
from batchctl.report.console import Console
from batchctl.report.describe_text import write_attempts, write_events, write_recorded
from batchctl.report.layout import Row, count, outside, write_heading, write_line, write_table
from batchctl.report.state_document import JobRecord, RebuildReport, StateReport
from batchctl.report.text import Text
from batchctl.report.words import PHASE_STYLES, rows_text, state_text

_HEADER = ("JOB", "PHASE", "ATTEMPT", "STATE", "ROWS", "RESULTS", "REMOTE")


def write_state_list(report: StateReport, console: Console) -> None:
    """A line for each attempt, the newest of a job first; a star marks the current attempt."""
    jobs = report.recorded.jobs
    rows = [row for name in sorted(jobs) for row in _attempt_rows(jobs[name], report.phases[name])]
    if rows:
        write_table(console, rows, header=_HEADER)
        write_line(console)
    words = f"{count(len(jobs), 'job')} recorded for stack {report.stack}, serial {report.recorded.serial}."
    write_line(console, (words, "bold"))


def write_state_show(record: JobRecord, console: Console) -> None:
    """The job's own record, its attempts, its history."""
    write_line(console, outside(record.job.name, "bold"), "  ", (record.phase.value, PHASE_STYLES[record.phase]))
    if record.job.row.former_names:
        write_line(console, outside(f"formerly {', '.join(record.job.row.former_names)}"))
    write_recorded(console, record.job)
    write_attempts(console, record.job)
    write_events(console, record.events)


def write_rebuild(report: RebuildReport, console: Console) -> None:
    """The restored records, those that were not restored, and those that cannot be."""
    for job in report.jobs:
        kept = sum(attempt.results is not None for attempt in job.attempts)
        words = f"{count(len(job.attempts), 'attempt')}, {kept} collected"
        write_line(console, "  ", outside(job.name, "bold"), "  ", words)
    write_line(console, (f"{count(len(report.jobs), 'job')} recorded.", "bold"))
    left_out = [f"{one.name} ({one.state}), {one.mark or one.display_name}" for one in report.left_out]
    _write_points(console, "Left out, because no manifest asks for them", left_out)
    _write_points(console, "Results that cannot be used", report.faults)
    _write_points(console, "Create calls without a reply, kept", [str(key) for key in report.unsettled])
    _write_points(console, "What cannot be restored", report.not_rebuilt)
    if report.aside is not None:
        write_line(console)
        write_line(console, outside(f"The old file is {report.aside}"))


def _write_points(console: Console, title: str, points: list[str] | tuple[str, ...]) -> None:
    if points:
        write_heading(console, title)
        for point in points:
            write_line(console, "  - ", outside(point))


def _attempt_rows(job: RecordedJob, phase: Phase) -> Iterator[Row]:
    shown = Text(phase.value, PHASE_STYLES[phase])
    if not job.attempts:
        yield Row((outside(job.name, "bold"), shown, Text("-"), Text("-"), Text("-"), Text("-"), Text("-")))
    for attempt in reversed(job.attempts):
        key = attempt.key
        number = f"{key.attempt}.{key.shard}" if key.shard else str(key.attempt)
        is_current = key.attempt == job.row.current
        yield Row(
            (
                outside(job.name, "bold"),
                shown if is_current else Text("-"),
                Text(f"{number} *" if is_current else number),
                outside(state_text(attempt.state)),
                Text(rows_text(attempt.rows)),
                outside(attempt.results or "-"),
                outside(attempt.remote or "-"),
            )
        )
