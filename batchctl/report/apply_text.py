"""`apply` as text: the result of each action."""

from __future__ import annotations

from batchctl.model.actions import Action
from batchctl.model.outcome import Outcome, Result
from batchctl.model.plan import JobPlan
from batchctl.report.console import Console
from batchctl.report.layout import Row, outside, write_line, write_table
from batchctl.report.plan_text import change_line, write_findings, write_unchanged
from batchctl.report.reports import ApplyReport
from batchctl.report.text import Text
from batchctl.report.words import RESULT_STYLES, SYMBOLS, apply_summary, is_quiet, reason_text, result_text


def write_apply(report: ApplyReport, console: Console, *, verbose: bool = False) -> None:
    """All results and a summary. Unchanged jobs are only counted, unless `verbose`."""
    pairs = [(job, report.outcome(job.job)) for job in report.plan.jobs]
    shown = [(job, outcome) for job, outcome in pairs if verbose or outcome.error is not None or not is_quiet(job)]
    write_line(console, "Stack ", (report.plan.stack, "bold"))
    if shown:
        write_line(console)
        write_table(console, [_row(job, outcome) for job, outcome in shown], indent=2)
    write_unchanged(console, len(pairs) - len(shown))
    write_findings(report.plan, console, report.renames)
    write_line(console)
    write_line(console, (apply_summary(report), "bold"))


def _row(job: JobPlan, outcome: Outcome) -> Row:
    return Row(
        (
            Text(result_text(job, outcome), RESULT_STYLES[outcome.result]),
            Text(job.action.value, SYMBOLS[job.action][1]),
            outside(job.job, "bold"),
            _detail(job, outcome),
        ),
        tuple(_notes(job, outcome)),
    )


def _detail(job: JobPlan, outcome: Outcome) -> Text:
    if outcome.error is not None and _is_of_guard(job, outcome):
        # The guard's words follow below.
        return outside(f"refused by a guard: {outcome.error.code}", RESULT_STYLES[outcome.result])
    if outcome.error is not None:
        return outside(f"{outcome.error.code}: {outcome.error.message}", RESULT_STYLES[outcome.result])
    return outside(reason_text(job))


def _is_of_guard(job: JobPlan, outcome: Outcome) -> bool:
    """Whether the error of an outcome is the guard that refused its action."""
    error = outcome.error
    return (
        error is not None
        and job.guard is not None
        and (error.code, error.message) == (job.guard.code, job.guard.message)
    )


def _notes(job: JobPlan, outcome: Outcome) -> list[Text]:
    notes = [change_line(change) for change in job.changes] if job.action is Action.UPDATE else []
    if outcome.error is not None and outcome.error.hint and not _is_of_guard(job, outcome):
        notes.append(outside(f"hint: {outcome.error.hint}"))
    if outcome.result in {Result.DONE, Result.PENDING} and outcome.remote and job.action.gains_remote:
        notes.append(outside(f"remote: {outcome.remote}", "dim"))
    return notes
