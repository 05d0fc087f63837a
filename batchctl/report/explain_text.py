"""`explain` as text."""

from __future__ import annotations

from datetime import datetime

from rich.console import Console
from rich.text import Text

from batchctl.model.durations import duration_text
from batchctl.model.plan import JobPlan
from batchctl.model.recorded import Trouble
from batchctl.model.times import rfc3339_seconds
from batchctl.report.chains import left_out_words
from batchctl.report.explain import JobCase, conditions, last_error, next_step
from batchctl.report.layout import Row, outside, write_heading, write_line, write_table
from batchctl.report.words import PHASE_STYLES, state_text


def write_explanation(case: JobCase, console: Console, *, verbose: bool = False) -> None:
    """The job's phase, its conditions, the last error and the next step; when `verbose`, the rules and steps too."""
    plan = case.plan
    rows = [
        _field("Job", outside(plan.job, "bold")),
        _field("Phase", Text(plan.phase.value, PHASE_STYLES[plan.phase])),
        _field("Why", outside(plan.reason)),
    ]
    if plan.attempt is not None:
        words = f"{plan.attempt.key.attempt}, {state_text(plan.attempt.state)}, {plan.remote or 'not created'}"
        rows.append(_field("Attempt", outside(words)))
    if plan.chain is not None:
        rows.append(_field("Rows", outside(left_out_words(plan) or f"from {plan.chain.job}")))
    write_table(console, rows)
    found = conditions(case)
    if found:
        write_heading(console, "Conditions")
        cells = [(Text(one.type.value), Text(_until(one.until)), outside(one.message)) for one in found]
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
        _write_steps(plan, console)
    write_heading(console, "Next")
    after = [_field("What", outside(next_step(case)))]
    if plan.next_time is not None:
        after.append(_field("When", Text(rfc3339_seconds(plan.next_time))))
    after.append(
        _field("Next check", Text(f"within {duration_text(case.poll_within)}, if `batchctl watch` is running"))
    )
    write_table(console, after, indent=2)


def _write_steps(plan: JobPlan, console: Console) -> None:
    if plan.steps:
        write_heading(console, "Steps")
    for step in plan.steps:
        write_line(console, "  ", outside(step.line))


def _field(name: str, value: Text) -> Row:
    return Row((Text(f"{name}:"), value))


def _course(trouble: Trouble) -> str:
    """The time of the first failure, and until when batchctl tries again."""
    times = [f"{trouble.operation} since {rfc3339_seconds(trouble.first_time)}"]
    if trouble.tries > 1:
        times.append(f"tried {trouble.tries} times, last at {rfc3339_seconds(trouble.last_time)}")
    if trouble.next_time is not None:
        times.append(f"again at {rfc3339_seconds(trouble.next_time)}")
    if trouble.until is not None:
        times.append(f"given up after {rfc3339_seconds(trouble.until)}")
    return "; ".join(times)


def _until(time: datetime | None) -> str:
    return "-" if time is None else f"until {rfc3339_seconds(time)}"
