"""`plan`, `apply`, `drift` and `status` as Markdown, made for comments on pull requests.

A plan has what costs money first, then what stops or removes something, and the rest folded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from batchctl.model.actions import Action
from batchctl.model.json_value import Json
from batchctl.model.keys import short_uid
from batchctl.model.outcome import Outcome
from batchctl.model.plan import JobPlan, Plan, Rename
from batchctl.model.plan_digest import PlanDigest, reviewed_terms
from batchctl.model.times import rfc3339, rfc3339_seconds
from batchctl.report.cost_text import cost_text, estimate_words, has_money, spent_sentence
from batchctl.report.escape import markdown
from batchctl.report.layout import count
from batchctl.report.markdown_page import Section, make_page
from batchctl.report.plan_document import all_guards
from batchctl.report.purchase import bought_by_model, purchase_words
from batchctl.report.reports import ApplyReport, StatusReport, StatusRow
from batchctl.report.words import (
    RENAMES,
    apply_summary,
    drift_summary,
    is_quiet,
    phase_summary,
    plan_summary,
    reason_text,
    result_text,
    rows_text,
    state_text,
)

PLAN_HEADER = ("Action", "Job", "Model", "Rows", "Bytes", "Tokens", "Reason")
_PLAIN_HEADER = ("Action", "Job", "Reason")


def plan_markdown(plan: Plan) -> str:
    """A plan; unchanged jobs are only counted. Empty if there is nothing to say: then no comment is due."""
    if not has_news(plan):
        return ""
    shown = [job for job in plan.jobs if not is_quiet(job)]
    buys = [job for job in shown if job.buys]
    stops = [job for job in shown if _only_stops(job)]
    rest = [job for job in shown if not job.buys and not _only_stops(job)]
    priced = has_money(job.cost for job in buys)
    sections = [
        Section.of_rows(
            "Buys", _header(PLAN_HEADER, priced=priced), [_purchase_row(job, priced=priced) for job in buys]
        ),
        _by_model(plan),
        Section.of_rows("Stops or removes", _PLAIN_HEADER, [_plain_row(job) for job in stops]),
        *_warnings(plan),
        _drift(plan),
        _folded(f"{count(len(rest), 'other job')}", _PLAIN_HEADER, rest, lambda job: [_plain_row(job)]),
        _changes(shown),
    ]
    head = [marker("plan", plan), _heading("plan", plan.stack, plan_summary(plan))]
    return make_page(head, sections, [*_foot(plan, len(plan.jobs) - len(shown), plan.renames), _digest(plan)])


def _only_stops(job: JobPlan) -> bool:
    return not job.buys and (job.action.stops or job.action is Action.FORGET)


def has_news(plan: Plan) -> bool:
    """Whether a plan has anything that a reviewer wants to see. To collect results is no change."""
    return bool(plan.has_more_than_results or plan.drift or plan.guards or plan.unread or plan.renames)


def marker(command: str, plan: Plan) -> str:
    """A hidden line, by which a program finds its comment again: one for each command and stack."""
    return f"<!-- batchctl {command} {plan.stack} {short_uid(plan.uid)} -->\n"


def apply_markdown(report: ApplyReport) -> str:
    """The results of a plan; unchanged jobs are only counted."""
    pairs = [(job, report.outcome(job.job)) for job in report.plan.jobs]
    shown = [(job, outcome) for job, outcome in pairs if outcome.error is not None or not is_quiet(job)]
    rows = [
        (result_text(job, outcome), job.action.value, job.job, _detail(job, outcome), outcome.remote or "")
        for job, outcome in shown
    ]
    plan = report.plan
    sections = [
        Section.of_rows("Results", ("Result", "Action", "Job", "Reason", "Remote"), rows),
        *_warnings(plan),
        _drift(plan),
        _changes([job for job, _ in shown]),
    ]
    head = [marker(report.command, plan), _heading(report.command, plan.stack, apply_summary(report))]
    return make_page(head, sections, _foot(plan, len(pairs) - len(shown), report.renames))


def drift_markdown(plan: Plan) -> str:
    """Only drift: differences that batchctl did not cause."""
    head = [marker("drift", plan), _heading("drift", plan.stack, drift_summary(plan))]
    return make_page(head, [_drift(plan), _problems(plan)], [_unmanaged(plan)])


def status_markdown(report: StatusReport) -> str:
    """The table of all jobs."""
    phases = phase_summary(row.phase for row in report.jobs)
    summary = f"{count(len(report.jobs), 'job')}: {phases}." if phases else "There are no jobs."
    summary = " ".join(filter(None, (summary, spent_sentence(row.cost for row in report.jobs))))
    priced = has_money(row.cost for row in report.jobs)
    rows = [
        (
            row.job,
            row.phase.value,
            state_text(row.state),
            "-" if row.attempt is None else str(row.attempt),
            rows_text(row.rows, row.part_of),
            row.model or "-",
            rfc3339(row.create_time) or "-",
            _ends(row),
            *((cost_text(row.cost),) if priced else ()),
            row.reason,
        )
        for row in report.jobs
    ]
    header = _header(("Job", "Phase", "State", "Attempt", "Rows", "Model", "Created", "Ends", "Reason"), priced=priced)
    sections = [
        Section.of_rows("Jobs", header, rows),
        Section.of_rows("Could not be read in full; shown as last recorded", ("Account", "Problem"), report.unread),
    ]
    return make_page([_heading("status", report.stack, summary)], sections, [])


def _ends(row: StatusRow) -> str:
    """When a job ends: a time, as the page may be read much later."""
    if row.forecast is None:
        return "-"
    return "?" if row.forecast.end is None else f"about {rfc3339_seconds(row.forecast.end.p50)}"


def _header(header: tuple[str, ...], *, priced: bool) -> tuple[str, ...]:
    """The header with a column for the cost, before the last one, if there are prices."""
    return (*header[:-1], "Cost", header[-1]) if priced else header


def _purchase_row(job: JobPlan, *, priced: bool) -> tuple[str, ...]:
    size = job.size
    rows, sent, tokens = ("?" if number is None else f"{number:,}" for number in (size.rows, size.bytes, size.tokens))
    about = tokens if size.tokens is None else f"about {tokens}"
    cost = (estimate_words(job.cost),) if priced else ()
    return job.action.value, job.job, f"{size.model} on {size.provider}", rows, sent, about, *cost, reason_text(job)


def _plain_row(job: JobPlan) -> tuple[str, ...]:
    return job.action.value, job.job, reason_text(job)


def _folded(
    title: str, header: tuple[str, ...], jobs: Sequence[JobPlan], rows: Callable[[JobPlan], Sequence[tuple[str, ...]]]
) -> Section:
    return Section(title, header, tuple(tuple(found) for job in jobs if (found := rows(job))), is_folded=True)


def _by_model(plan: Plan) -> Section:
    """The purchase by model, if there are several."""
    by_model = bought_by_model(plan)
    rows = [(model, provider, purchase_words(one)) for (provider, model), one in by_model.items()]
    return Section.of_rows("What it buys, by model", ("Model", "Provider", "Size"), rows if len(rows) > 1 else [])


def _heading(command: str, stack: str, summary: str) -> str:
    return f"### batchctl {command}: {markdown(stack)}\n\n**{summary}**\n"


def _digest(plan: Plan) -> str:
    return f"Digest: `{PlanDigest.of(plan)}`\n" if reviewed_terms(plan) else ""


def _detail(job: JobPlan, outcome: Outcome) -> str:
    if outcome.error is None:
        return reason_text(job)
    hint = f" ({outcome.error.hint})" if outcome.error.hint else ""
    return f"{outcome.error.code}: {outcome.error.message}{hint}"


def _warnings(plan: Plan) -> list[Section]:
    """Refusals and accounts that could not be read: they decide how to read the rest."""
    guards = [(guard.code, guard.message, guard.way_out) for guard in all_guards(plan)]
    return [Section.of_rows("Refused by a guard", ("Guard", "Why", "Way out"), guards), _problems(plan)]


def _drift(plan: Plan) -> Section:
    rows = [(item.kind.value, item.job, item.detail) for item in plan.drift]
    return Section.of_rows("Drift", ("Kind", "Job", "Detail"), rows)


def _problems(plan: Plan) -> Section:
    return Section.of_rows("Could not be read in full; jobs there are not touched", ("Account", "Problem"), plan.unread)


def _foot(plan: Plan, unchanged: int, renames: Sequence[Rename]) -> list[str]:
    return [f"{count(unchanged, 'job')} unchanged.\n" if unchanged else "", _renames(renames), _unmanaged(plan)]


_MOST_RENAMES = 100


def _renames(renames: Sequence[Rename]) -> str:
    """The entries to paste. Job names contain no Markdown syntax."""
    lines = "".join(f"{rename.entry}\n" for rename in renames[:_MOST_RENAMES])
    return f"#### {RENAMES}\n\n```yaml\n{lines}```\n" if lines else ""


def _unmanaged(plan: Plan) -> str:
    return f"{count(plan.unmanaged, 'unmanaged remote job')} not touched.\n" if plan.unmanaged else ""


def _changes(jobs: Sequence[JobPlan]) -> Section:
    """The changes of each job. Prompts are hashes already."""
    return _folded("What changed", ("Job", "Path", "From", "To", "Detail"), jobs, _change_rows)


def _change_rows(job: JobPlan) -> list[tuple[str, ...]]:
    return [
        (job.job, change.path, _value(change.before), _value(change.after), change.detail) for change in job.changes
    ]


def _value(value: Json) -> str:
    return "(none)" if value is None else json.dumps(value, ensure_ascii=False)
