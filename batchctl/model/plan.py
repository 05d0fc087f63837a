"""The plan: its actions for people, and its steps for the engine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from batchctl.model.actions import Action
from batchctl.model.admission import QueuePlace, QuotaKey
from batchctl.model.decision import Change, Decision, Guard, RuleApplied, Timer
from batchctl.model.keys import Account
from batchctl.model.reasons import Reason
from batchctl.model.recorded import RecordedAttempt
from batchctl.model.states import Phase
from batchctl.model.steps import Step
from batchctl.model.work_size import WorkSize


@dataclass(frozen=True)
class JobPlan:
    """The decision about one job, and the facts of the job that reports show beside it."""

    job: str
    decision: Decision
    guard: Guard | None = None
    """Set when the action, or what follows from an adoption, is refused; its steps then need no consent."""
    attempt: RecordedAttempt | None = None
    """The attempt that counts, as this pass saw it; None when there is none yet."""
    size: WorkSize = field(default_factory=WorkSize)
    """How large its work is: what is to be bought, else what was."""
    buys: bool = False
    """Whether an attempt is bought, now or when it is its turn; a guard may still refuse it."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, in their order. The first that fails ends them."""
        return (*self.decision.base, *self.decision.steps)

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
        """Whether the action goes on in a later pass."""
        return self.decision.unfinished

    @property
    def needs_consent(self) -> bool:
        """Whether a person, `--yes` or a reviewed plan has to agree."""
        return self.decision.needs_consent

    @property
    def next_time(self) -> datetime | None:
        """When something is due that needs no event."""
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
        """Whether those will not come to that end by themselves."""
        return self.decision.blocked

    @property
    def queue(self) -> QueuePlace | None:
        """Its place among the jobs that wait for capacity."""
        return self.decision.queue

    @property
    def unseen(self) -> bool:
        """Whether it waits for a pass that sees the job."""
        return self.decision.unseen

    @property
    def trail(self) -> tuple[RuleApplied, ...]:
        """The rules that led to the action."""
        return self.decision.trail

    def lines(self) -> tuple[str, ...]:
        """The action with its phase, each step in its order, and the guard that refuses it."""
        flags = ["unfinished"] * self.unfinished + ["consent"] * self.needs_consent
        head = " ".join([self.action, self.phase, *flags])
        refused = () if self.guard is None else (f"! {self.guard.code}",)
        return (head, *(step.line for step in self.steps), *refused)

    @property
    def remote(self) -> str | None:
        """The resource name of the remote job that counts."""
        return self.attempt.remote if self.attempt else None


class DriftKind(StrEnum):
    """How observed can differ from recorded through no act of ours."""

    CANCELLED = "Cancelled"
    MISSING = "Missing"
    VANISHED = "Vanished"
    DUPLICATE = "Duplicate"
    ORPHAN = "Orphan"
    CHANGED = "Changed"
    UNMANAGED = "Unmanaged"


@dataclass(frozen=True, order=True)
class Drift:
    """One drift. For an unmanaged job, `job` is the remote resource name."""

    job: str
    kind: DriftKind
    detail: str


@dataclass(frozen=True, order=True)
class Rename:
    """A job that is removed and another that comes for the same work: most likely one under another name."""

    before: str
    after: str
    buys: bool = field(default=True, compare=False)
    """Whether the work would be bought again; else the results of the former are used."""

    @property
    def entry(self) -> str:
        """The entry of `spec.moved` that makes it one job, as YAML."""
        return f"- {{from: {self.before}, to: {self.after}}}"


@dataclass(frozen=True)
class Plan:
    """All decisions of one pass, sorted by job name."""

    stack: str
    jobs: tuple[JobPlan, ...]
    drift: tuple[Drift, ...] = ()
    unmanaged: int | None = None
    guards: tuple[Guard, ...] = ()
    problems: Mapping[Account, str] = field(default_factory=dict)
    """Accounts that could not be read in full, with the reason: their jobs are left alone in this pass."""
    identities: Mapping[Account, str] = field(default_factory=dict)
    """Identities to write down: of accounts seen for the first time, or through other credentials than before."""
    live: Mapping[QuotaKey, int] = field(default_factory=dict)
    """How many of our jobs are at work, as far as was seen: what a refusal during this pass is judged by."""
    renames: tuple[Rename, ...] = ()
    """Likely renames that are not in `spec.moved`."""
    clocks: Mapping[Account, datetime] = field(default_factory=dict)
    """The time of each account's own clock at its observation: ages are computed by it."""

    def lines(self) -> tuple[str, ...]:
        """The whole plan as text: for each job its action, its steps and its drift."""
        drift: dict[str, list[str]] = defaultdict(list)
        for found in self.drift:
            drift[found.job].append(f"~ {found.kind}")
        lines = {job.job: [*job.lines(), *drift.pop(job.job, ())] for job in self.jobs} | drift
        return tuple(f"{name}: {' | '.join(lines[name])}" for name in sorted(lines))

    def summary(self) -> dict[str, int]:
        """How many jobs have each action, in the order of `Action`."""
        counts = {action.value: 0 for action in Action}
        for job in self.jobs:
            counts[job.action.value] += 1
        return counts

    @property
    def has_changes(self) -> bool:
        """Whether any job has an action but `wait` and `none`."""
        return not all(job.action.is_quiet for job in self.jobs)
