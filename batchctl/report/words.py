"""The words and colours for actions, results and phases, and the sentences that sum up a plan.

Shared by text, Markdown and progress.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from batchctl.model.actions import Action
from batchctl.model.observed import RowCounts
from batchctl.model.outcome import Outcome, Result
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.row_work import RowsSent
from batchctl.model.states import ENDED_PHASES, FAILED_PHASES, Phase
from batchctl.model.verdicts import RowVerdict
from batchctl.report.cost_text import plan_cost_sentences, retirement_sentences
from batchctl.report.layout import count
from batchctl.report.reports import ApplyReport

SYMBOLS: Mapping[Action, tuple[str, str]] = {
    Action.CREATE: ("+", "green"),
    Action.ADOPT: ("<=", "cyan"),
    Action.REUSE: ("<=", "green"),
    Action.RETRY: ("+", "yellow"),
    Action.REPLACE: ("-/+", "yellow"),
    Action.UPDATE: ("~", "cyan"),
    Action.CANCEL: ("-", "red"),
    Action.DELETE: ("-", "red"),
    Action.FORGET: ("-", "red"),
    Action.COLLECT: ("<=", "green"),
    Action.WAIT: (".", "dim"),
    Action.NONE: ("=", "dim"),
}
"""The sign before an action and its colour. `+` buys, `-` stops or removes, `~` changes settings, `<=` takes in."""
SYMBOL_WIDTH = 3

RENAMES = "Likely renames: paste into spec.moved of batchctl.yaml, and nothing is stopped or bought again"

RESULT_STYLES: Mapping[Result, str] = {
    Result.DONE: "green",
    Result.PENDING: "yellow",
    Result.FAILED: "bold red",
    Result.SKIPPED: "magenta",
}


PHASE_STYLES: Mapping[Phase, str] = {
    Phase.WAITING: "yellow",
    Phase.BLOCKED: "bold red",
    Phase.SETTLING: "yellow",
    Phase.ACTIVE: "cyan",
    Phase.SUCCEEDED: "green",
    Phase.PARTIALLY_SUCCEEDED: "yellow",
    Phase.FAILED: "bold red",
    Phase.REJECTED: "bold red",
    Phase.CANCELLED: "magenta",
    Phase.EXPIRED: "bold red",
    Phase.CANCELLING: "magenta",
    Phase.REMOVING: "magenta",
    Phase.RESULTS_LOST: "bold red",
    Phase.UNKNOWN: "yellow",
}


def is_quiet(job: JobPlan) -> bool:
    """Whether a plan can omit the job: it has nothing to do, waits for no other job, and nothing is wrong with it."""
    return (
        job.action is Action.NONE
        and job.guard is None
        and not job.changes
        and job.phase not in FAILED_PHASES
        and job.phase is not Phase.UNKNOWN
        and not job.waits_for
    )


def result_text(job: JobPlan, outcome: Outcome) -> str:
    """The result of a job's action; `-` if there was nothing to do and nothing went wrong."""
    is_idle = job.action is Action.NONE and outcome.result is Result.DONE
    return "-" if is_idle else outcome.result.value


def reason_text(job: JobPlan) -> str:
    """A job's reason, and whether its action continues later or is refused. Not escaped."""
    decision = job.decision
    if job.guard is not None:
        return f"{decision.reason} [refused: {job.guard.code}]"
    return f"{decision.reason} (continues in a later pass)" if decision.unfinished else decision.reason


def drift_summary(plan: Plan) -> str:
    """Drift in one line; `No drift.` only if everything could be read."""
    if plan.drift:
        return f"Drift in {count(len(plan.drift), 'place')}."
    return "No drift in what could be read." if plan.unread else "No drift."


def plan_summary(plan: Plan) -> str:
    """A plan in one line, such as `Plan: 1 to create, 2 to replace.`."""
    return " ".join(plan_sentences(plan))


def plan_sentences(plan: Plan) -> tuple[str, ...]:
    """The parts of that line: the actions, the purchase, and what else a reader has to know."""
    from batchctl.report.purchase import purchase_sentence

    purchase = (purchase_sentence(plan), *plan_cost_sentences(plan))
    remarks = (*_plan_remarks(plan), *retirement_sentences(plan.retirements))
    return tuple(filter(None, [_plan_lead(plan), *purchase, *remarks]))


def apply_summary(report: ApplyReport) -> str:
    """The results of a plan in one line."""
    parts = [f"{number} {result}" for result, number in report.counts().items() if number]
    lead = f"{report.command.capitalize()}: {', '.join(parts)}." if parts else "Nothing to do."
    tokens = report.counted_tokens()
    counted = "" if tokens is None else f"The API counted {tokens:,} tokens of input."
    return " ".join(filter(None, [lead, counted, *_remarks(report.plan)]))


def _plan_lead(plan: Plan) -> str:
    parts = [
        f"{number} {'waiting' if action == Action.WAIT else f'to {action}'}"
        for action, number in plan.summary().items()
        if number and action != Action.NONE
    ]
    if not plan.has_changes:
        return "No changes."
    return f"Plan: {', '.join(parts)}."


def _plan_remarks(plan: Plan) -> list[str]:
    remarks = _remarks(plan)
    waiting = plan.summary()[Action.WAIT]
    if not plan.has_changes and waiting:
        remarks.insert(0, f"{count(waiting, 'job')} waiting.")
    if remarks or plan.has_changes:
        return remarks
    if not plan.jobs:
        return ["There are no jobs."]
    return ["All jobs match their manifests."] if all(job.phase in ENDED_PHASES for job in plan.jobs) else []


def _remarks(plan: Plan) -> list[str]:
    """Warnings for the summary line."""
    refused = sum(job.guard is not None for job in plan.jobs)
    bad = sum(
        number
        for decision, number in plan.alike
        if decision.action in {Action.NONE, Action.UPDATE} and decision.phase in FAILED_PHASES
    )
    remarks = {
        f"{count(refused, 'job')} refused by a guard.": refused,
        f"{count(bad, 'job')} did not succeed.": bad,
        f"Drift in {count(len(plan.drift), 'place')}.": len(plan.drift),
        f"{count(len(plan.problems), 'account')} could not be read in full.": len(plan.problems),
        "The results could not be read.": int(plan.results_problem is not None),
    }
    return [remark for remark, number in remarks.items() if number]


def phase_summary(phases: Iterable[Phase]) -> str:
    """The number of jobs in each phase, in the order of `Phase`: `2 Active, 1 Failed`."""
    counts = Counter(phases)
    return ", ".join(f"{counts[phase]} {phase}" for phase in Phase if counts[phase])


def rows_text(rows: RowCounts, part_of: int | None = None) -> str:
    """The progress of the rows: `98/100, 2 failed`; `?` for an unknown number, `-` if nothing is known.

    `part_of`: the rows of the whole input, if these are a part of them: `1/2 of 100`. Collected rows that are not all
    good are counted by verdict: `2 ok, 1 MAX_TOKENS, 1 SAFETY`.
    """
    if rows == RowCounts():
        return "-"
    if rows.bad_codes:
        return ", ".join([f"{rows.ok} ok", *rows.bad_codes, *_not_sent(rows)])
    done = "?" if rows.ok is None else str(rows.ok)
    total = "?" if rows.total is None else str(rows.total)
    failed = [f"{rows.failed} failed"] if rows.failed else []
    whole = "" if part_of is None else f" of {part_of:,}"
    return ", ".join([f"{done}/{total}{whole}", *failed, *_not_sent(rows)])


def collected_words(rows: RowCounts, sent: RowsSent | None = None) -> str:
    """The rows of collected results, for one line: `2 rows ok, 1 MAX_TOKENS, 1 without a result`.

    An attempt that sent a part of the rows has its own number before those of the job.
    """
    own = (
        ""
        if sent is None or sent.rows >= sent.total
        else f"{sent.good(rows.accepted)} of {sent.rows} sent rows ok; in all "
    )
    return f"{own}{_good_words(rows)}{_bad_words(rows)}"


def shard_words(rows: RowCounts) -> str:
    """The rows of a shard's collected results: `38 of 40 rows ok, 2 INTERNAL`. They are a part of the job's."""
    return f"{rows.ok} of {rows.total} rows ok{_bad_words(rows)}"


def _good_words(rows: RowCounts) -> str:
    return f"{rows.ok} {'row' if rows.ok == 1 else 'rows'} ok"


def _bad_words(rows: RowCounts) -> str:
    none = f" {RowVerdict.NO_RESULT}"
    codes = [code for code in rows.bad_codes if not code.endswith(none)]
    missing = [f"{code.removesuffix(none)} without a result" for code in rows.bad_codes if code.endswith(none)]
    return "".join(f", {part}" for part in (*(codes or [f"{rows.failed or 0} failed"]), *missing, *_not_sent(rows)))


def _not_sent(rows: RowCounts) -> list[str]:
    """The rows that no attempt has sent, such as those after a canary: they have not failed."""
    return [f"{rows.not_sent:,} not sent yet"] if rows.not_sent else []


def state_text(state: str | None) -> str:
    """The API's state without its prefix; `-` when there is none."""
    return state.removeprefix("JOB_STATE_") if state else "-"


def anonymous_words(count: int) -> str:
    """The warning about results that cannot be matched to rows."""
    return (
        f"{count} results cannot be matched to their rows: they have no unique key or member, and the order of "
        "the input is not known; give each row a unique key, custom_id or id"
    )
