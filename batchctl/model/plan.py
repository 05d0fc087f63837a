"""The plan: its actions for people, and its steps for the engine."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import ClassVar

import msgspec
from msgspec import Struct

from batchctl.model.actions import Action
from batchctl.model.admission import QueuePlace, QuotaKey
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.cost.job_cost import JobCost, Pricing
from batchctl.model.cost.retirement import Retirement
from batchctl.model.cost.spending import BudgetUse
from batchctl.model.decision import Change, Decision, Guard, RuleApplied, Timer
from batchctl.model.desired import Expansion
from batchctl.model.forecast import JobForecast, StackForecast
from batchctl.model.keys import Account
from batchctl.model.partly_equal import PartlyEqual
from batchctl.model.plan_terms import Terms
from batchctl.model.reasons import Reason
from batchctl.model.row_work import RowWork
from batchctl.model.sources import ChainRows
from batchctl.model.states import Phase
from batchctl.model.steps import Step
from batchctl.model.work_size import WorkSize


class JobPlan(Struct, frozen=True, gc=False):
    """The decision about one job, and the facts of the job that reports show beside it."""

    WRITTEN_AS: ClassVar = {"pricing": "cost"}
    """Fields in place of which a bundle has what they compute."""

    job: str
    decision: Decision
    guard: Guard | None = None
    """The guard that refuses the action or the change after an adoption. The remaining steps need no consent."""
    attempt: RecordedAttempt | None = None
    """The current attempt as this pass observed it; None if there is none yet."""
    size: WorkSize = msgspec.field(default_factory=WorkSize)
    """The size of the work to buy, else of the work that was bought."""
    buys: bool = False
    """Whether an attempt is bought, now or later from the queue; a guard may still refuse it."""
    chain: ChainRows | None = None
    """The rows that are made from the answers of another job; None for any other input."""
    work: RowWork | None = None
    """Its rows compared with the answers of earlier attempts; None where that does not matter."""
    terms: Terms | None = None
    """The terms of a change that a review covers; None if there is none."""
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Of the manifest; of a job without one, as recorded."""
    path: str = ""
    """Of its manifest, relative to the stack's folder."""
    expansion: Expansion | None = None
    """The matrix that its manifest has; None if it has none."""
    pricing: JobCost | Pricing = msgspec.field(default_factory=JobCost)
    """Its cost, or what computes that."""
    forecast: JobForecast | None = None
    """When it ends; None for a job that has ended, or whose remote job is stopped."""

    @property
    def cost(self) -> JobCost:
        """Its cost, at the prices of the day on which it is expected to end."""
        if isinstance(self.pricing, JobCost):
            return self.pricing
        return self.pricing.cost_of(self.size, None if self.forecast is None else self.forecast.median_end)

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps in order. The first failure ends them."""
        decision = self.decision
        return (*decision.base, *decision.steps) if decision.base else decision.steps

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes of the work, then those of settings."""
        return (*self.decision.changes, *self.decision.updates)

    @property
    def action(self) -> Action:
        """The one action of the job."""
        return self.decision.action

    @property
    def phase(self) -> Phase:
        """The job's phase before the action."""
        return self.decision.phase

    @property
    def code(self) -> Reason:
        """The reason for programs."""
        return self.decision.code

    @property
    def reason(self) -> str:
        """The reason for people."""
        return self.decision.reason

    @property
    def unfinished(self) -> bool:
        """Whether the action continues in a later pass."""
        return self.decision.unfinished

    @property
    def needs_consent(self) -> bool:
        """Whether it needs the consent of a person, `--yes` or a reviewed plan."""
        return self.decision.needs_consent

    @property
    def next_time(self) -> datetime | None:
        """The time of the next timer."""
        return self.decision.next_time

    @property
    def timer(self) -> Timer | None:
        """The event at that time."""
        return self.decision.timer

    @property
    def waits_for(self) -> tuple[str, ...]:
        """Other jobs whose end it waits for."""
        return self.decision.waits_for

    @property
    def blocked(self) -> bool:
        """Whether the wait cannot end unless a person acts."""
        return self.decision.blocked

    @property
    def queue(self) -> QueuePlace | None:
        """Its place among the jobs that wait for capacity."""
        return self.decision.queue

    @property
    def unseen(self) -> bool:
        """Whether it waits for a pass that observes the job."""
        return self.decision.unseen

    @property
    def trail(self) -> tuple[RuleApplied, ...]:
        """The rules that led to the action."""
        return self.decision.trail

    def lines(self) -> tuple[str, ...]:
        """The action with its phase, each step, and the guard that refuses it."""
        flags = ["unfinished"] * self.unfinished + ["consent"] * self.needs_consent
        head = " ".join([self.action, self.phase, *flags])
        refused = () if self.guard is None else (f"! {self.guard.code}",)
        return (head, *(step.line for step in self.steps), *refused)

    @property
    def remote(self) -> str | None:
        """The resource name of the current remote job."""
        return self.attempt.remote if self.attempt else None


class DriftKind(StrEnum):
    """The kinds of differences between observed and recorded that batchctl did not cause."""

    CANCELLED = "Cancelled"
    MISSING = "Missing"
    VANISHED = "Vanished"
    DUPLICATE = "Duplicate"
    ORPHAN = "Orphan"
    CHANGED = "Changed"
    UNMANAGED = "Unmanaged"


class Drift(Struct, frozen=True, order=True):
    """One drift. For an unmanaged job, `job` is the remote resource name."""

    job: str
    kind: DriftKind
    detail: str


class Rename(PartlyEqual, frozen=True, eq=False):
    """A removed job and a new one with the same work: most likely a rename."""

    BESIDE: ClassVar = frozenset({"buys"})

    before: str
    after: str
    buys: bool = True
    """Whether the work would be bought again; else the results of the removed job are reused."""

    @property
    def entry(self) -> str:
        """The entry of `spec.moved` for the rename, as YAML."""
        return f"- {{from: {self.before}, to: {self.after}}}"


class Plan(Struct, frozen=True, dict=True):
    """All decisions of one pass, sorted by job name."""

    stack: str
    jobs: tuple[JobPlan, ...]
    drift: tuple[Drift, ...] = ()
    unmanaged: int | None = None
    guards: tuple[Guard, ...] = ()
    problems: Mapping[Account, str] = msgspec.field(default_factory=dict)
    """Accounts that could not be read completely, with the reason: this pass does not change their jobs."""
    results_problem: str | None = None
    """Why the results could not be read, if a job waits for that; else None."""
    identities: Mapping[Account, str] = msgspec.field(default_factory=dict)
    """Identities to record: of accounts that were read for the first time, or with other credentials."""
    live: Mapping[QuotaKey, int] = msgspec.field(default_factory=dict)
    """The number of our active jobs, for judging a refusal during this pass."""
    renames: tuple[Rename, ...] = ()
    """Likely renames that are not in `spec.moved`."""
    clocks: Mapping[Account, datetime] = msgspec.field(default_factory=dict)
    """The provider's time of each observation, for computing ages."""
    uid: str = ""
    lineage: str = ""
    """Of the state; empty if it has no record yet."""
    budget: BudgetUse | None = None
    """How much of the limits of money and tokens is used; None without such limits."""
    retirements: tuple[Retirement, ...] = ()
    """Of the models that manifests in scope name, the earliest first."""
    forecast: StackForecast | None = None
    """When all of its jobs have ended; None if they have."""

    @property
    def unread(self) -> tuple[tuple[str, str], ...]:
        """Accounts and `results` that could not be read in full, with the reason."""
        accounts = [(str(account), self.problems[account]) for account in sorted(self.problems)]
        return (*accounts, *([("results", self.results_problem)] if self.results_problem is not None else []))

    def lines(self) -> tuple[str, ...]:
        """The plan as text: for each job its action, its steps and its drift."""
        drift: dict[str, list[str]] = defaultdict(list)
        for found in self.drift:
            drift[found.job].append(f"~ {found.kind}")
        lines = {job.job: [*job.lines(), *drift.pop(job.job, ())] for job in self.jobs} | drift
        return tuple(f"{name}: {' | '.join(lines[name])}" for name in sorted(lines))

    def summary(self) -> dict[str, int]:
        """The number of jobs with each action, in the order of `Action`."""
        counts = {action.value: 0 for action in Action}
        for decision, number in self.alike:
            counts[decision.action.value] += number
        return counts

    @cached_property
    def alike(self) -> Sequence[tuple[Decision, int]]:
        """Each value of a decision with the number of jobs that have it: thousands of jobs have the same one."""
        decisions = {id(job.decision): job.decision for job in self.jobs}
        counts = Counter([id(job.decision) for job in self.jobs])
        return [(decision, counts[place]) for place, decision in decisions.items()]

    @property
    def has_more_than_results(self) -> bool:
        """Whether any job has an action besides waiting and the collection of results."""
        return not all(decision.action.is_harmless for decision, _ in self.alike)

    @property
    def has_changes(self) -> bool:
        """Whether any job has an action other than `wait` and `none`."""
        return not all(decision.action.is_quiet for decision, _ in self.alike)
