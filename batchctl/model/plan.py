"""What shall be done: the plan, its actions for people and its steps for the engine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from batchctl.model.actions import Action
from batchctl.model.admission import QueuePlace, QuotaKey
from batchctl.model.desired import Json
from batchctl.model.keys import Account
from batchctl.model.reasons import Reason
from batchctl.model.recorded import RecordedAttempt
from batchctl.model.row_hashes import RowChanges
from batchctl.model.sizes import WorkSize
from batchctl.model.states import Phase
from batchctl.model.steps import Cancel, Collect, Create, Delete, Forget, Note, RecordAttempt, RecordJob, Reuse, Step

__all__ = [
    "Action",
    "Cancel",
    "Change",
    "Collect",
    "Create",
    "Delete",
    "Drift",
    "DriftKind",
    "Forget",
    "Guard",
    "JobPlan",
    "Note",
    "Plan",
    "RecordAttempt",
    "RecordJob",
    "Rename",
    "Reuse",
    "Step",
    "Timer",
]


class Timer(StrEnum):
    """What is due at a plan's `next_time`."""

    BACKOFF = "backoff"
    """The next attempt."""
    DEADLINE = "deadline"
    """The cancel at `pendingDeadline` or `activeDeadline`."""
    SETTLING = "settling"
    """The end of the grace of a create call that got no answer."""
    MISSING = "missing"
    """The look that confirms that a remote job is gone."""
    TTL = "ttl"
    """The delete at `ttlAfterFinished`."""
    CANCEL = "cancel"
    """The cancel, sent once more."""
    ADMISSION = "admission"
    """The next check of whether there is capacity on the account."""

    @property
    def is_local(self) -> bool:
        """Whether it runs on the local clock, and not on the provider's."""
        return self in {Timer.SETTLING, Timer.MISSING}


@dataclass(frozen=True)
class Change:
    """One difference between record and manifest. Prompt-bearing values stand by their hash."""

    path: str
    before: Json
    after: Json
    rows: RowChanges | None = None
    """Of a change of the rows: which ones."""
    detail: str = ""
    """The difference in words, where the two values do not tell it."""


@dataclass(frozen=True)
class Guard:
    """Why an action is refused, and how to allow it. Exit code 6."""

    code: str
    message: str
    flag: str
    """The flag that lifts it, or the words that say what to change."""


@dataclass(frozen=True)
class RuleApplied:
    """A rule that made a decision what it is."""

    id: str
    does: str
    """In words."""


@dataclass(frozen=True)
class JobPlan:
    """The decision about one job, with the reason for it; the reason never drives behaviour."""

    job: str
    action: Action
    phase: Phase
    code: Reason
    """The reason for programs."""
    reason: str
    """The same for people."""
    steps: tuple[Step, ...] = ()
    changes: tuple[Change, ...] = ()
    unfinished: bool = False
    """The action goes on in a later pass, for example a replace whose old job is still cancelling. Where the action is
    refused: what is done about the job as it is goes on."""
    guard: Guard | None = None
    """Set when the action, or what follows from an adoption, is refused; its steps are then what needs no leave."""
    needs_consent: bool = False
    """Whether a person, `--yes` or a reviewed plan has to agree: it buys, stops or lets go of something."""
    attempt: RecordedAttempt | None = None
    """The attempt that counts, as this look leaves it; None when there is none yet."""
    next_time: datetime | None = None
    """When a decision is due that needs no event: a back-off, a deadline, the end of a grace."""
    timer: Timer | None = None
    """What is due then; set when `next_time` is."""
    waits_for: tuple[str, ...] = ()
    """Other jobs whose end it waits for: what it depends on, or when it is removed, what depends on it."""
    blocked: bool = False
    """Whether those will not come to the end that it waits for, unless a person does something."""
    queue: QueuePlace | None = None
    """Where it stands among the jobs that wait for room on its account."""
    size: WorkSize = field(default_factory=WorkSize)
    """How large its work is: what is to be bought, else what was."""
    buys: bool = False
    """Whether an attempt is bought, now or when it is its turn; a guard may still refuse it."""
    unseen: bool = False
    """Whether it waits for a look that shows the job, or all of its account."""
    trail: tuple[RuleApplied, ...] = ()
    """The rules that made the decision what it is, in their order."""

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
    """What looks like renames that `spec.moved` does not know."""
    clocks: Mapping[Account, datetime] = field(default_factory=dict)
    """What each account's own clock showed when it was looked at: ages are reckoned by it."""

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
