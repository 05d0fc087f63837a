"""`plan`, `apply`, `drift` and `status` as Markdown, made for comments on pull requests.

Owns the layout: a heading, a sentence that sums up, tables, and folded details. Every cell passes
`escape.markdown`; no text from outside begins a line.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from batchctl.model.desired import Json
from batchctl.model.outcome import Outcome
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.plan_digest import PlanDigest, reviewed_terms
from batchctl.model.times import rfc3339
from batchctl.report.escape import markdown
from batchctl.report.layout import count
from batchctl.report.plan_document import all_guards
from batchctl.report.purchase import bought_by_model, purchase_words
from batchctl.report.reports import ApplyReport, StatusReport
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

COMMENT_LIMIT = 60_000
"""GitHub allows 65,536 characters in a comment; the folded details are omitted first."""


def plan_markdown(plan: Plan) -> str:
    """A plan; unchanged jobs are only counted."""
    shown = [job for job in plan.jobs if not is_quiet(job)]
    blocks = [
        _heading("plan", plan.stack, plan_summary(plan)),
        _table(PLAN_HEADER, [(job.action.value, job.job, *_size(job), reason_text(job)) for job in shown]),
        _unchanged(len(plan.jobs) - len(shown)),
        _purchase(plan),
        *_findings(plan),
        _digest(plan),
    ]
    return _within_limit(blocks, _changes(shown))


PLAN_HEADER = ("Action", "Job", "Model", "Rows", "Bytes", "Tokens", "Reason")


def apply_markdown(report: ApplyReport) -> str:
    """The results of a plan; unchanged jobs are only counted."""
    pairs = [(job, report.outcome(job.job)) for job in report.plan.jobs]
    shown = [(job, outcome) for job, outcome in pairs if outcome.error is not None or not is_quiet(job)]
    rows = [
        (result_text(job, outcome), job.action.value, job.job, _detail(job, outcome), outcome.remote or "")
        for job, outcome in shown
    ]
    blocks = [
        _heading("apply", report.plan.stack, apply_summary(report)),
        _table(("Result", "Action", "Job", "Reason", "Remote"), rows),
        _unchanged(len(pairs) - len(shown)),
        *_findings(report.plan),
    ]
    return _within_limit(blocks, _changes([job for job, _ in shown]))


def drift_markdown(plan: Plan) -> str:
    """Only drift: differences that batchctl did not cause."""
    rows = [(item.kind.value, item.job, item.detail) for item in plan.drift]
    blocks = [
        _heading("drift", plan.stack, drift_summary(plan)),
        _table(("Kind", "Job", "Detail"), rows),
        _problems(plan),
        _unmanaged(plan),
    ]
    return _within_limit(blocks, "")


def status_markdown(report: StatusReport) -> str:
    """The table of all jobs."""
    phases = phase_summary(row.phase for row in report.jobs)
    summary = f"{count(len(report.jobs), 'job')}: {phases}." if phases else "There are no jobs."
    rows = [
        (
            row.job,
            row.phase.value,
            state_text(row.state),
            "-" if row.attempt is None else str(row.attempt),
            rows_text(row.rows),
            row.model or "-",
            rfc3339(row.create_time) or "-",
            row.reason,
        )
        for row in report.jobs
    ]
    header = ("Job", "Phase", "State", "Attempt", "Rows", "Model", "Created", "Reason")
    problems = [(str(account), report.problems[account]) for account in sorted(report.problems)]
    blocks = [
        _heading("status", report.stack, summary),
        _table(header, rows),
        _titled("Could not be read in full; shown as last recorded", _table(("Account", "Problem"), problems)),
    ]
    return _within_limit(blocks, "")


def _size(job: JobPlan) -> tuple[str, str, str, str]:
    """The size of what a job buys; empty cells if it buys nothing."""
    size = job.size
    if not job.buys:
        return "", "", "", ""
    rows, sent, tokens = ("?" if number is None else f"{number:,}" for number in (size.rows, size.bytes, size.tokens))
    return f"{size.model} on {size.provider}", rows, sent, tokens if size.tokens is None else f"about {tokens}"


def _purchase(plan: Plan) -> str:
    by_model = bought_by_model(plan)
    rows = [(model, provider, purchase_words(one)) for (provider, model), one in by_model.items()]
    return _titled("What it buys", _table(("Model", "Provider", "Size"), rows)) if len(rows) > 1 else ""


def _digest(plan: Plan) -> str:
    return f"Digest: `{PlanDigest.of(plan)}`\n" if reviewed_terms(plan) else ""


def _heading(command: str, stack: str, summary: str) -> str:
    return f"### batchctl {command}: {markdown(stack)}\n\n**{summary}**\n"


def _detail(job: JobPlan, outcome: Outcome) -> str:
    if outcome.error is None:
        return reason_text(job)
    hint = f" ({outcome.error.hint})" if outcome.error.hint else ""
    return f"{outcome.error.code}: {outcome.error.message}{hint}"


def _unchanged(number: int) -> str:
    return f"{count(number, 'job')} unchanged.\n" if number else ""


def _findings(plan: Plan) -> list[str]:
    drift = [(item.kind.value, item.job, item.detail) for item in plan.drift]
    guards = [(guard.code, guard.message, guard.way_out) for guard in all_guards(plan)]
    return [
        _titled("Drift", _table(("Kind", "Job", "Detail"), drift)),
        _titled("Refused by a guard", _table(("Guard", "Why", "Way out"), guards)),
        _titled(RENAMES, _renames(plan)),
        _problems(plan),
        _unmanaged(plan),
    ]


def _renames(plan: Plan) -> str:
    """The entries to paste. Job names contain no Markdown syntax."""
    lines = "".join(f"{rename.entry}\n" for rename in plan.renames)
    return f"```yaml\n{lines}```\n" if lines else ""


def _problems(plan: Plan) -> str:
    rows = [(str(account), plan.problems[account]) for account in sorted(plan.problems)]
    return _titled("Could not be read in full; jobs there are not touched", _table(("Account", "Problem"), rows))


def _unmanaged(plan: Plan) -> str:
    return f"{count(plan.unmanaged, 'unmanaged remote job')} not touched.\n" if plan.unmanaged else ""


def _changes(jobs: Sequence[JobPlan]) -> str:
    rows = [
        (job.job, change.path, _value(change.before), _value(change.after), change.detail)
        for job in jobs
        for change in job.changes
    ]
    if not rows:
        return ""
    table = _table(("Job", "Path", "From", "To", "Detail"), rows)
    return f"<details><summary>What changed</summary>\n\n{table}\n</details>\n"


def _value(value: Json) -> str:
    return "(none)" if value is None else json.dumps(value, ensure_ascii=False)


def _titled(title: str, table: str) -> str:
    return f"#### {title}\n\n{table}" if table else ""


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    body = [_row(markdown(cell) for cell in row) for row in rows]
    return "".join([_row(header), _row("---" for _ in header), *body]) if body else ""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _within_limit(blocks: Sequence[str], details: str) -> str:
    """As many blocks as fit into a comment; a table is cut between rows only."""
    text = "\n".join(block for block in [*blocks, details] if block)
    if len(text) <= COMMENT_LIMIT:
        return text
    text = "\n".join(block for block in blocks if block)
    if len(text) > COMMENT_LIMIT:
        text = text[: text.rindex("\n", 0, COMMENT_LIMIT) + 1]
    return f"{text}\nToo long for a comment; the rest is in the JSON output.\n"
