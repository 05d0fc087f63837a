"""What shall be done: the plan, its actions for people and its steps for the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from batchctl.model.admission import QueuePlace, QuotaKey
from batchctl.model.desired import Json
from batchctl.model.keys import Account, AttemptKey
from batchctl.model.observed import RemoteJob
from batchctl.model.reasons import Reason
from batchctl.model.recorded import CancelCause, RecordedAttempt, RecordedJob
from batchctl.model.row_hashes import RowChanges
from batchctl.model.sizes import WorkSize
from batchctl.model.states import Phase


class Action(StrEnum):
    """What a plan says of one job. Every job has exactly one."""

    CREATE = "create"
    ADOPT = "adopt"
    REUSE = "reuse"
    RETRY = "retry"
    REPLACE = "replace"
    UPDATE = "update"
    """Only settings that leave the work as it is: free, and nobody has to agree."""
    CANCEL = "cancel"
    DELETE = "delete"
    FORGET = "forget"
    COLLECT = "collect"
    WAIT = "wait"
    NONE = "none"


CHANGES: frozenset[Action] = frozenset(Action) - {Action.WAIT, Action.NONE}
"""Actions that make `plan --detailed-exitcode` end with 2."""


class Timer(StrEnum):
    """What is due at a plan's `next_time`."""

    BACKOFF = "backoff"
    """The next attempt."""
    DEADLINE = "deadline"
    """The cancel at `pendingDeadline` or `activeDeadline`."""
    SETTLING = "settling"
    """The end of the grace of a create call that got no answer. Runs on the local clock, like the next one."""
    MISSING = "missing"
    """The look that confirms that a remote job is gone."""
    TTL = "ttl"
    """The delete at `ttlAfterFinished`."""
    CANCEL = "cancel"
    """The cancel, sent once more."""
    ADMISSION = "admission"
    """Another look at whether there is room on the account."""


LOCAL_TIMERS: frozenset[Timer] = frozenset({Timer.SETTLING, Timer.MISSING})
"""Timers that run on the local clock; all others run on the provider's."""


class Note(StrEnum):
    """What a record step means in the job's history; a plain refresh leaves no event."""

    ADOPTED = "adopted"
    REFRESHED = "refreshed"
    LOOKED = "looked for in vain"
    GONE = "gone"
    ABANDONED = "abandoned"
    REUSED = "reused"
    """Collected for this job before; its results folder alone knew of it."""
    FOUND = "results found"
    """Collected before, without the record's knowing."""


@dataclass(frozen=True)
class RecordAttempt:
    """Write an attempt down as it now is: adopted by its mark, refreshed from the API, looked for, or gone."""

    attempt: RecordedAttempt
    note: Note = Note.REFRESHED


@dataclass(frozen=True)
class RecordJob:
    """Write the job's own row: what the manifest now says, which attempt counts, whether it is being removed."""

    job: RecordedJob


@dataclass(frozen=True)
class Create:
    """Write the intent, then make the create call once. `token` is given when an open intent is sent again."""

    key: AttemptKey
    token: str | None = None


@dataclass(frozen=True)
class Reuse:
    """Take results of the same work for an attempt that is not sent: a copy of them, under the job's own name."""

    attempt: RecordedAttempt
    """As it is written down, but for where its results lie then."""
    source: str
    """Where those lie that are used, relative to the results folder."""

    @property
    def key(self) -> AttemptKey:
        return self.attempt.key


@dataclass(frozen=True)
class Cancel:
    """Send a cancel; best effort, the end shows in a later pass."""

    key: AttemptKey
    account: Account
    remote: str
    cause: CancelCause


@dataclass(frozen=True)
class Collect:
    """Bring the results into the results folder, durably."""

    key: AttemptKey
    remote: RemoteJob


@dataclass(frozen=True)
class Delete:
    """Delete the remote job."""

    key: AttemptKey
    account: Account
    remote: str
    results: str | None = None
    """The collected results that stand for it from then on, see `RecordedAttempt.results`."""


@dataclass(frozen=True)
class Forget:
    """Drop the job from the record. Its results stay."""

    job: str


Step: TypeAlias = RecordAttempt | RecordJob | Create | Reuse | Cancel | Collect | Delete | Forget
"""One thing to do. A job's steps run in order; the first that fails ends them."""


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

    def summary(self) -> dict[str, int]:
        """How many jobs have each action, in the order of `Action`."""
        counts = {action.value: 0 for action in Action}
        for job in self.jobs:
            counts[job.action.value] += 1
        return counts

    @property
    def has_changes(self) -> bool:
        """Whether any job has an action but `wait` and `none`."""
        return any(job.action in CHANGES for job in self.jobs)
