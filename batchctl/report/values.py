"""What a report is made of, where the model has no value for it. Built by cli from what the other rooms give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from batchctl.model.desired import DesiredJob
from batchctl.model.events import Event
from batchctl.model.keys import Account
from batchctl.model.observed import RowCounts
from batchctl.model.outcome import Outcome, Result
from batchctl.model.plan import Drift, JobPlan, Plan
from batchctl.model.reasons import Reason
from batchctl.model.recorded import RecordedJob, Trouble
from batchctl.model.states import Phase
from batchctl.model.work_size import WorkSize


@dataclass(frozen=True)
class ApplyReport:
    """A plan and what became of it."""

    plan: Plan
    outcomes: Mapping[str, Outcome]
    """By job name. A job of the plan that is not in it was never begun."""
    next_plan: Plan | None = None
    """How things stand after the last pass; None where nobody has looked."""

    def outcome(self, job: str) -> Outcome:
        """What became of a job of the plan: skipped when the pass ended before it."""
        return self.outcomes.get(job) or Outcome(job, Result.SKIPPED)

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


@dataclass(frozen=True)
class StatusRow:
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
    """What the clock showed by which its age is reckoned: its account's, where that was looked at."""
    code: Reason | None = None
    """The reason for programs."""
    tokens: int | None = None
    """Of its input, as the API counted them."""
    trouble: Trouble | None = None
    """What goes wrong with it now."""
    collect_by: datetime | None = None
    """When its results may be gone, where the API keeps them and they are not collected."""

    @classmethod
    def of(
        cls, plan: JobPlan, *, model: str | None, provider: str | None, clocks: Mapping[Account, datetime]
    ) -> StatusRow:
        """The row of a job, from its plan and from what its manifest or the record says of it."""
        row = cls(plan.job, plan.phase, model=model, provider=provider, reason=_standing_reason(plan), code=plan.code)
        if plan.attempt is None:
            return row
        return replace(
            row,
            state=plan.attempt.state,
            attempt=plan.attempt.key.attempt,
            remote=plan.attempt.remote,
            rows=plan.attempt.rows,
            tokens=plan.attempt.tokens,
            now=clocks.get(plan.attempt.account),
            create_time=plan.attempt.create_time,
            start_time=plan.attempt.start_time,
            end_time=plan.attempt.end_time,
            trouble=plan.attempt.trouble,
            collect_by=plan.attempt.collect_by,
        )


def _standing_reason(plan: JobPlan) -> str:
    """A job's reason, with what goes wrong, and with what it waits for where no action stands beside it to tell."""
    reason, trouble = plan.reason, plan.attempt.trouble if plan.attempt is not None else None
    if trouble is not None and trouble.message not in reason:
        reason = f"{reason}; {trouble.operation}: {trouble.words}"
    if plan.guard is not None:
        return f"{reason}; refused: {plan.guard.message} ({plan.guard.way_out})"
    return f"{reason}; waits for `batchctl apply`" if plan.needs_consent else reason


@dataclass(frozen=True)
class StatusReport:
    """All jobs of the scope, sorted by name."""

    stack: str
    jobs: tuple[StatusRow, ...]
    problems: Mapping[Account, str] = field(default_factory=dict)
    """Accounts that could not be read in full, with the reason."""


@dataclass(frozen=True)
class JobDescription:
    """All that is known of one job. One of `desired` and `recorded` at least is set."""

    stack: str
    plan: JobPlan
    desired: DesiredJob | None = None
    recorded: RecordedJob | None = None
    events: tuple[Event, ...] = ()
    """Oldest first."""
    drift: tuple[Drift, ...] = ()
    results: str | None = None
    """Where a person finds the results that count: a path to show as it is."""


@dataclass(frozen=True)
class VersionReport:
    """What runs here."""

    version: str
    python: str
    platform: str
    libraries: Mapping[str, str] = field(default_factory=dict)
    """Versions of the libraries that bug reports need, by name."""
