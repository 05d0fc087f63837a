"""The values of reports. cli builds them from the values of the other packages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.attempts import RecordedAttempt, Trouble
from batchctl.model.cost.job_cost import JobCost
from batchctl.model.cost.retirement import Retirement
from batchctl.model.cost.spending import BudgetUse
from batchctl.model.decision import Timer
from batchctl.model.forecast import JobForecast, StackForecast
from batchctl.model.keys import Account
from batchctl.model.observed import RowCounts
from batchctl.model.outcome import Outcome, Result
from batchctl.model.plan import JobPlan, Plan, Rename
from batchctl.model.reasons import Reason
from batchctl.model.states import Phase
from batchctl.model.work_size import WorkSize


class ApplyReport(Struct, frozen=True):
    """A plan and its results."""

    plan: Plan
    outcomes: Mapping[str, Outcome]
    """By job name. A job of the plan that is not in it was not started."""
    next_plan: Plan | None = None
    """The plan after the last pass; None if none was made."""
    command: str = "apply"
    """The command that carried the plan out."""

    def outcome(self, job: str) -> Outcome:
        """The outcome of a job; skipped if the pass ended before it."""
        return self.outcomes.get(job) or Outcome(job, Result.SKIPPED)

    @property
    def renames(self) -> tuple[Rename, ...]:
        """The likely renames that are still open after the run."""
        return (self.next_plan or self.plan).renames

    def counts(self) -> dict[str, int]:
        """The number of actions with each result, without jobs that nothing was to be done for."""
        acted = [job.job for job in self.plan.jobs if job.action is not Action.NONE]
        counts = Counter(self.outcome(name).result for name in acted)
        return {result.value: counts[result] for result in Result}

    def sizes(self) -> dict[str, WorkSize]:
        """The sizes of the jobs' work, with the tokens that were counted since."""
        sizes = {job.job: job.size for job in self.plan.jobs}
        after = () if self.next_plan is None else self.next_plan.jobs
        return sizes | {job.job: job.size for job in after if job.job in sizes and job.size.is_counted}

    def counted_tokens(self) -> int | None:
        """The tokens that the API counted in what was bought; None as long as it has counted none."""
        sizes = self.sizes()
        found = [sizes[job.job].tokens or 0 for job in self.plan.jobs if job.buys and sizes[job.job].is_counted]
        return sum(found) if found else None


class StatusRow(Struct, frozen=True):
    """One job as `status` shows it."""

    job: str
    phase: Phase
    state: str | None = None
    """The API's state, normalised to `JOB_STATE_*`."""
    attempt: int | None = None
    remote: str | None = None
    model: str | None = None
    provider: str | None = None
    rows: RowCounts = field(default_factory=RowCounts)
    create_time: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    reason: str = ""
    now: datetime | None = None
    """The time for its age: by its account's clock if the account was read."""
    code: Reason | None = None
    """The reason for programs."""
    tokens: int | None = None
    """Tokens of its input, as the API counted them."""
    trouble: Trouble | None = None
    """Its current problem."""
    collect_by: datetime | None = None
    """The time until which the API keeps results that are not collected yet."""
    part_of: int | None = None
    """The rows of the whole input, while the attempt is at work on a part of them."""
    cost: JobCost = field(default_factory=JobCost)
    forecast: JobForecast | None = None
    """When it ends; None if it has ended."""
    deadline: datetime | None = None
    """The time at which batchctl cancels the attempt, by its account's clock."""
    refused: bool = False
    """Whether a guard refuses its action."""

    @classmethod
    def of(
        cls, plan: JobPlan, *, model: str | None, provider: str | None, clocks: Mapping[Account, datetime]
    ) -> StatusRow:
        """The row of a job, from its plan and its manifest or record."""
        row = cls(
            plan.job,
            plan.phase,
            model=model,
            provider=provider,
            reason=_reason_without_action(plan),
            code=plan.code,
            cost=plan.cost,
            forecast=plan.forecast,
            deadline=plan.next_time if plan.timer is Timer.DEADLINE else None,
            refused=plan.guard is not None,
        )
        if plan.attempt is None:
            return row
        return replace(
            row,
            state=plan.attempt.state,
            attempt=plan.attempt.key.attempt,
            remote=plan.attempt.remote,
            rows=_rows(plan.attempt),
            tokens=plan.attempt.tokens,
            now=clocks.get(plan.attempt.account),
            create_time=plan.attempt.create_time,
            start_time=plan.attempt.start_time,
            end_time=plan.attempt.end_time,
            trouble=plan.attempt.trouble,
            collect_by=plan.attempt.collect_by,
            part_of=part_of(plan.attempt),
        )


def plan_rows(plan: Plan) -> tuple[StatusRow, ...]:
    """The rows of all jobs, from a plan alone: the model of a job without an attempt is that of its manifest."""
    return tuple(
        StatusRow.of(
            job,
            model=(job.attempt.tree.get("model") if job.attempt is not None else None) or job.size.model,
            provider=job.size.provider,
            clocks=plan.clocks,
        )
        for job in plan.jobs
    )


def _rows(attempt: RecordedAttempt) -> RowCounts:
    """The rows of an attempt. While the API does not report their number, it is that of the rows that were sent."""
    sent, rows = attempt.sent, attempt.rows
    if sent is None or rows.total is not None or attempt.remote is None:
        return rows
    return replace(rows, total=sent.rows)


def part_of(attempt: RecordedAttempt) -> int | None:
    """The rows of the whole input, if the attempt has no results yet and was given a part of them."""
    sent = attempt.sent
    return sent.total if sent is not None and attempt.results is None and sent.rows < sent.total else None


def _reason_without_action(plan: JobPlan) -> str:
    """A job's reason with its problem, and with what it waits for, because the table has no action."""
    reason, trouble = plan.reason, plan.attempt.trouble if plan.attempt is not None else None
    if trouble is not None and trouble.message not in reason:
        reason = f"{reason}; {trouble.operation}: {trouble.words}"
    if plan.guard is not None:
        return f"{reason}; refused: {plan.guard.message} ({plan.guard.way_out})"
    return f"{reason}; waits for `batchctl apply`" if plan.needs_consent else reason


class StatusReport(Struct, frozen=True):
    """All jobs of the scope, sorted by name."""

    stack: str
    jobs: tuple[StatusRow, ...]
    unread: tuple[tuple[str, str], ...] = ()
    """Places that could not be read in full, with the reason: `Plan.unread`."""
    results: str | None = None
    """The folder or the address of all results."""
    forecast: StackForecast | None = None
    """When all jobs have ended; None if they have."""
    budget: BudgetUse | None = None
    """How much of the limits of money and tokens is used; None without such limits."""
    retirements: tuple[Retirement, ...] = ()
    """Of the models that manifests name, the earliest first."""


class VersionReport(Struct, frozen=True):
    """The versions of this installation."""

    version: str
    python: str
    platform: str
    libraries: Mapping[str, str] = field(default_factory=dict)
    """Versions of the libraries that bug reports need, by name."""
