"""`plan` and `drift` as text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache

from batchctl.model.actions import Action
from batchctl.model.decision import Change
from batchctl.model.json_value import Json
from batchctl.model.plan import Drift, DriftKind, JobPlan, Plan, Rename
from batchctl.model.plan_digest import PlanDigest, reviewed_terms
from batchctl.report.chains import left_out_words
from batchctl.report.console import Console
from batchctl.report.layout import Row, count, outside, write_heading, write_line, write_table
from batchctl.report.matrix import matrix_words
from batchctl.report.plan_document import all_guards
from batchctl.report.purchase import bought_by_model, purchase_words, size_words
from batchctl.report.text import Text
from batchctl.report.words import (
    RENAMES,
    SYMBOL_WIDTH,
    SYMBOLS,
    drift_summary,
    is_quiet,
    plan_sentences,
    reason_text,
)

_NESTED = "   "
"""Before each line below an action, so that it begins inside of it."""
_PROBLEMS = "Could not be read in full; jobs there are not touched"


def write_plan(plan: Plan, console: Console, *, verbose: bool = False) -> None:
    """The plan and its summary. Unchanged jobs are only counted.

    When `verbose`, all jobs are listed, each with its steps and the rules that led to them.
    """
    write_line(console, "Stack ", (plan.stack, "bold"))
    shown = [job for job in plan.jobs if verbose or not is_quiet(job)]
    if shown:
        write_line(console)
        write_table(console, (job_row(job, verbose=verbose) for job in shown))
    write_unchanged(console, len(plan.jobs) - len(shown))
    _write_purchase(plan, console)
    write_findings(plan, console)
    write_line(console)
    for sentence in plan_sentences(plan):
        write_line(console, (sentence, "bold"))
    if reviewed_terms(plan):
        write_line(console, (f"Digest {PlanDigest.of(plan)}", "dim"))


def write_drift(plan: Plan, console: Console) -> None:
    """Only drift: differences that batchctl did not cause."""
    if plan.drift:
        _write_drift_rows(plan.drift, console, indent=0)
        _write_problems(plan, console)
    elif plan.unread:
        write_line(console, (_PROBLEMS, "bold"))
        _write_problem_rows(plan, console)
    if plan.drift or plan.unread:
        write_line(console)
    unmanaged = "" if plan.unmanaged is None else f" {count(plan.unmanaged, 'unmanaged remote job')}."
    write_line(console, (f"{drift_summary(plan)}{unmanaged}", "bold"))
    if plan.unmanaged and not any(item.kind is DriftKind.UNMANAGED for item in plan.drift):
        write_line(console, "`batchctl drift --unmanaged` lists them, and counts them as drift.")


def write_unchanged(console: Console, number: int) -> None:
    """The number of jobs that are not listed; no line for none."""
    if number:
        write_line(console)
        write_line(console, (f"  {count(number, 'job')} unchanged", "dim"))


def write_findings(plan: Plan, console: Console, renames: tuple[Rename, ...] | None = None) -> None:
    """The findings of a plan: drift, guards, likely renames, accounts that could not be read.

    `renames`: those that are still open; None: all of the plan.
    """
    if plan.drift:
        write_heading(console, "Drift")
        _write_drift_rows(plan.drift, console, indent=2)
    guards = all_guards(plan)
    if guards:
        write_heading(console, "Refused by a guard")
        rows = [
            Row((outside(guard.code, "magenta"), outside(guard.message)), (outside(f"way out: {guard.way_out}"),))
            for guard in guards
        ]
        write_table(console, rows, indent=2)
    open_renames = plan.renames if renames is None else renames
    if open_renames:
        write_heading(console, RENAMES)
        for rename in open_renames:
            write_line(console, f"  {rename.entry}")
    _write_problems(plan, console)
    if plan.unmanaged:
        write_line(console)
        write_line(console, f"  {count(plan.unmanaged, 'unmanaged remote job')} not touched")


def change_line(change: Change, *, forces: bool = False) -> Text:
    """`~ path: from -> to`, values as JSON; of rows, which ones changed. `forces`: the change has the work replaced."""
    sign, style = ("+", "green") if change.before is None else ("-", "red") if change.after is None else ("~", "yellow")
    if change.rows is not None:
        parts: tuple[tuple[str, str] | str | Text, ...] = (outside(change.detail, "yellow"),)
    else:
        more = (" (", outside(change.detail), ")") if change.detail else ()
        parts = ((terminal_value(change.before), "red"), " -> ", (terminal_value(change.after), "green"), *more)
    why = (("  # forces replacement", "dim"),) if forces else ()
    return Text.assemble((sign, style), " ", outside(change.path), ": ", *parts, *why)


def terminal_value(value: Json) -> str:
    """A value for people: JSON on one line, and `(none)` for null."""
    return "(none)" if value is None else outside(json.dumps(value, ensure_ascii=False)).plain


def job_row(job: JobPlan, *, verbose: bool = False) -> Row:
    """The action of one job with its reason and, below, its size and changes; `verbose` adds steps and rules."""
    decision = job.decision
    symbol, action, reason = _cells(decision.action, reason_text(job))
    cells = symbol, action, outside(job.job, "" if decision.action.is_quiet else "bold"), reason
    if not (verbose or job.buys or job.chain or decision.changes or decision.updates):
        return Row(cells)  # nearly all jobs
    return Row(
        cells, tuple(Text.assemble(_NESTED, note) for note in (*_notes(job), *(_course(job) if verbose else ())))
    )


@lru_cache
def _cells(action: Action, reason: str) -> tuple[Text, Text, Text]:
    """Many jobs have the same ones."""
    symbol, style = SYMBOLS[action]
    return Text(symbol.rjust(SYMBOL_WIDTH), style), Text(action.value, style), outside(reason)


def _notes(job: JobPlan) -> Iterator[Text]:
    words = size_words(job)
    if words:
        yield outside(words, "dim")
    left_out = left_out_words(job)
    # The reason of a blocked job has the same words.
    if left_out and not job.blocked:
        yield outside(left_out, "yellow")
    for change in job.decision.changes:
        yield change_line(change, forces=job.action is Action.REPLACE)
    for change in job.decision.updates:
        yield change_line(change)


def _course(job: JobPlan) -> Iterator[Text]:
    """The matrix, the steps of the action, and the rules that led to it, in order."""
    if job.expansion is not None:
        yield Text.assemble("from  ", outside(matrix_words(job.path, job.expansion)))
    for step in job.steps:
        yield Text.assemble("step  ", outside(step.line))
    for rule in job.trail:
        yield Text(f"rule  {rule.id}: {rule.does}", "dim")


def _write_purchase(plan: Plan, console: Console) -> None:
    """The purchase per model, if there are several."""
    by_model = bought_by_model(plan)
    if len(by_model) > 1:
        write_heading(console, "Buys")
        rows = [
            Row((outside(model), outside(provider), Text(purchase_words(purchase))))
            for (provider, model), purchase in by_model.items()
        ]
        write_table(console, rows, indent=2)


def _write_drift_rows(drift: tuple[Drift, ...], console: Console, *, indent: int) -> None:
    rows = [Row((Text(item.kind.value, "yellow"), outside(item.job), outside(item.detail))) for item in drift]
    write_table(console, rows, indent=indent)


def _write_problems(plan: Plan, console: Console) -> None:
    if plan.unread:
        write_heading(console, _PROBLEMS)
        _write_problem_rows(plan, console)


def _write_problem_rows(plan: Plan, console: Console) -> None:
    rows = [Row((outside(name), outside(problem))) for name, problem in plan.unread]
    write_table(console, rows, indent=2)
