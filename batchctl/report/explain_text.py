"""`explain` as text."""

from __future__ import annotations

import math
from datetime import datetime

from batchctl.model.actions import Action
from batchctl.model.attempts import RecordedAttempt, Trouble
from batchctl.model.decision import Timer
from batchctl.model.durations import duration_text, in_units
from batchctl.model.keys import same_digest
from batchctl.model.plan import JobPlan
from batchctl.model.times import rfc3339_seconds
from batchctl.report.chains import left_out_words
from batchctl.report.console import Console
from batchctl.report.explain import ConditionType, JobCase, conditions, last_error, next_step
from batchctl.report.explain_rows import answers_words, write_rows_left
from batchctl.report.explain_ways import ways_on
from batchctl.report.forecast import forecast_words
from batchctl.report.layout import Row, named, outside, write_heading, write_line, write_table
from batchctl.report.matrix import matrix_words
from batchctl.report.text import Text
from batchctl.report.words import PHASE_STYLES, state_text

_NAME_START = 40
"""The column where the name of a remote job begins at the latest."""


def write_explanation(case: JobCase, console: Console, *, verbose: bool = False) -> None:
    """The job's phase, its conditions, the last error and the next step; when `verbose`, the rules and steps too."""
    plan = case.plan
    write_table(console, _facts(case, _room(console), verbose=verbose))
    write_rows_left(case, console)
    # Where nothing else comes first, the end of a back-off is below as the time of the next step.
    is_next = plan.action is Action.WAIT and plan.timer is Timer.BACKOFF
    found = [one for one in conditions(case) if not (is_next and one.type is ConditionType.BACKOFF)]
    if found:
        write_heading(console, "Conditions")
        cells = [(Text(one.type.value), Text(_until(one.until)), outside(one.message)) for one in found]
        write_table(console, [Row(row) for row in cells], indent=2)
    write_last_error(case, console)
    if verbose:
        write_heading(console, "Rules")
        write_table(console, [Row((Text(rule.id), Text(rule.does))) for rule in plan.trail], indent=2)
        _write_steps(plan, console)
    write_heading(console, "Next")
    after = [named("What", outside(next_step(case)))]
    watched = "if `batchctl watch` is running"
    if plan.next_time is not None:
        after.append(named("When", Text(f"{moment_words(case, plan.next_time)}{f', {watched}' if is_next else ''}")))
    if not is_next and plan.action is not Action.NONE and not plan.needs_consent:
        after.append(named("Next check", Text(f"within {duration_text(case.poll_within)}, {watched}")))
    write_table(console, after, indent=2)
    write_ways_on(case, console)


def write_ways_on(case: JobCase, console: Console) -> None:
    """The section of the commands that help, if there are any."""
    ways = ways_on(case)
    if ways:
        write_heading(console, "You can")
        write_table(console, [Row((outside(one.command), Text(one.effect))) for one in ways], indent=2)


def _facts(case: JobCase, room: int | None, *, verbose: bool) -> list[Row]:
    """The first lines: the job, its phase, its attempt and its rows."""
    plan = case.plan
    rows = [
        named("Job", Text.assemble(outside(plan.job, "bold"), outside(_work(case)))),
        named("Phase", Text(plan.phase.value, PHASE_STYLES[plan.phase])),
        named("Why", outside(plan.reason)),
    ]
    if plan.expansion is not None:
        rows.append(named("Manifest", outside(matrix_words(plan.path, plan.expansion))))
    if plan.attempt is not None:
        rows.append(named("Attempt", outside(_attempt(case, plan.attempt, room))))
    if plan.forecast is not None and (verbose or plan.forecast.end is not None):
        rows.append(named("Ends", outside(forecast_words(plan.forecast, case.now))))
    answers = answers_words(case)
    if answers:
        rows.append(named("Answers", Text(answers)))
    if plan.chain is not None:
        rows.append(named("Rows", outside(left_out_words(plan) or f"from {plan.chain.job}")))
    return rows


def write_last_error(case: JobCase, console: Console) -> None:
    """The section of the last error in its own words, with the way out."""
    error = last_error(case)
    if error is None:
        return
    write_heading(console, "Last error")
    words = error.message if error.code is None else f"{error.code}: {error.message}"
    notes = [Text.assemble("way out: ", outside(error.way_out))] if error.way_out else []
    if error.trouble is not None:
        notes.append(Text(_course(error.trouble)))
    write_table(console, [Row((outside(words),), tuple(notes))], indent=2)


def _work(case: JobCase) -> str:
    """The model and the provider of a job."""
    source = case.desired or (None if case.recorded is None else case.recorded.row)
    return "" if source is None else f", {source.model} on {source.provider}"


def _room(console: Console) -> int | None:
    """The columns of a terminal for a long name; None: any number."""
    return console.width - _NAME_START if console.is_terminal else None


def _attempt(case: JobCase, attempt: RecordedAttempt, room: int | None) -> str:
    """The current attempt: its number, its state, and its remote job or the number of its shards."""
    recorded = () if case.recorded is None else case.recorded.attempts
    parts = sum(one.key.attempt == attempt.key.attempt for one in recorded)
    same = [one for one in recorded if one.key.shard == 0 and same_digest(one.digest, attempt.digest)]
    again = sum(one.sent is not None and one.sent.again for one in same if one.key.attempt <= attempt.key.attempt)
    is_again = attempt.sent is not None and attempt.sent.again
    kind = f" (row retry {again})" if is_again else " (canary)" if attempt.is_canary else ""
    number = f"{attempt.key.attempt}{kind}"
    where = f"{parts} shards" if parts > 1 else attempt.remote or _without_remote(attempt)
    if room is not None and len(where) > room:
        # A resource name of Vertex AI fills a line. `describe` has the whole name.
        where = where.rpartition("/")[2]
    return f"{number}, {state_text(attempt.state)}, {where}"


def _without_remote(attempt: RecordedAttempt) -> str:
    if attempt.intent is not None:
        return "not known whether it was created"
    return "not created" if attempt.results is None else "no remote job, all answers were there"


def moment_words(case: JobCase, time: datetime) -> str:
    """A time, and how long it is until then."""
    left = 0 if case.now is None else (time - case.now).total_seconds()
    return f"{rfc3339_seconds(time)}{f', in {in_units(math.ceil(left), 2)}' if left > 0 else ''}"


def _write_steps(plan: JobPlan, console: Console) -> None:
    if plan.steps:
        write_heading(console, "Steps")
    for step in plan.steps:
        write_line(console, "  ", outside(step.line))


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
