"""`explain` for people."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from batchctl.model.durations import duration_text
from batchctl.model.recorded import Trouble
from batchctl.model.times import rfc3339
from batchctl.report.explain import JobCase, conditions, last_error, next_step
from batchctl.report.layout import Row, outside, write_heading, write_line, write_table
from batchctl.report.words import PHASE_STYLES, state_text


def write_explanation(case: JobCase, console: Console, *, verbose: bool = False) -> None:
    """Why it is where it is, what holds, what went wrong, and what happens next; when `verbose`, by which rules."""
    plan = case.plan
    rows = [
        _field("Job", outside(plan.job, "bold")),
        _field("Phase", Text(plan.phase.value, PHASE_STYLES[plan.phase])),
        _field("Why", outside(plan.reason)),
    ]
    if plan.attempt is not None:
        words = f"{plan.attempt.key.attempt}, {state_text(plan.attempt.state)}, {plan.remote or 'not created'}"
        rows.append(_field("Attempt", outside(words)))
    write_table(console, rows)
    found = conditions(case)
    if found:
        write_heading(console, "Conditions")
        cells = [(Text(one.type.value), Text(_until(rfc3339(one.until))), outside(one.message)) for one in found]
        write_table(console, [Row(row) for row in cells], indent=2)
    error = last_error(case)
    if error is not None:
        write_heading(console, "Last error")
        words = error.message if error.code is None else f"{error.code}: {error.message}"
        notes = [Text.assemble("way out: ", outside(error.way_out))] if error.way_out else []
        if error.trouble is not None:
            notes.append(Text(_course(error.trouble)))
        write_table(console, [Row((outside(words),), tuple(notes))], indent=2)
    if verbose:
        write_heading(console, "Rules")
        write_table(console, [Row((Text(rule.id), Text(rule.does))) for rule in plan.trail], indent=2)
        write_heading(console, "Steps")
        for step in plan.steps:
            write_line(console, "  ", outside(step.line))
    write_heading(console, "Next")
    after = [_field("What", outside(next_step(case)))]
    if plan.next_time is not None:
        after.append(_field("When", Text(rfc3339(plan.next_time) or "")))
    after.append(_field("Looked at", Text(f"by a running `watch` within {duration_text(case.poll_within)}")))
    write_table(console, after, indent=2)


def _field(name: str, value: Text) -> Row:
    return Row((Text(f"{name}:"), value))


def _course(trouble: Trouble) -> str:
    """Since when it goes wrong, and until when it is tried again."""
    times = [f"{trouble.operation} since {rfc3339(trouble.first_time)}"]
    if trouble.tries > 1:
        times.append(f"tried {trouble.tries} times, last at {rfc3339(trouble.last_time)}")
    if trouble.next_time is not None:
        times.append(f"again at {rfc3339(trouble.next_time)}")
    if trouble.until is not None:
        times.append(f"given up after {rfc3339(trouble.until)}")
    return "; ".join(times)


def _until(time: str | None) -> str:
    return "-" if time is None else f"until {time}"
