"""The decision about one job: the action, its reason, and the steps that carry it out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, StrEnum

from batchctl.model.actions import Action
from batchctl.model.admission import QueuePlace
from batchctl.model.desired import Json
from batchctl.model.reasons import Reason
from batchctl.model.row_hashes import RowChanges
from batchctl.model.states import Phase
from batchctl.model.steps import Step


class Timer(StrEnum):
    """The event at a plan's `next_time`."""

    BACKOFF = "backoff"
    """The next attempt."""
    DEADLINE = "deadline"
    """The cancel at `pendingDeadline` or `activeDeadline`."""
    SETTLING = "settling"
    """The end of the grace of a create call that got no answer."""
    MISSING = "missing"
    """The pass that confirms that a remote job is gone."""
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
    """One difference between record and manifest. Values with prompts are shown as hashes."""

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
    way_out: str
    """The flag that lifts it, or the words that say what to change."""


@dataclass(frozen=True)
class RuleApplied:
    """A rule that made a decision what it is."""

    id: str
    does: str
    """In words."""


class Counted(Enum):
    """The limit of the stack that an action counts against."""

    CREATE = "create"
    REPLACE = "replace"
    DELETE = "delete"


@dataclass(frozen=True)
class Decision:
    """One job's decision. Each rule gives the next version of it. No code depends on the words of a reason."""

    action: Action
    phase: Phase
    """The job's phase before anything of this is carried out."""
    code: Reason
    """The reason for programs."""
    reason: str
    """The same for people."""
    steps: tuple[Step, ...] = ()
    base: tuple[Step, ...] = ()
    """Steps that come first, even if a guard refuses the action: they keep the record true, or end a second job."""
    changes: tuple[Change, ...] = ()
    """Of the work."""
    updates: tuple[Change, ...] = ()
    """Of settings that leave the work as it is; `base` writes them down."""
    unfinished: bool = False
    """The action goes on in a later pass, for example a replace whose old job is still cancelling. Of a refused action:
    what is done about the job as it is goes on."""
    counted: Counted | None = None
    needs_consent: bool = False
    """Whether a person, `--yes` or a reviewed plan has to agree: it buys, stops or releases something."""
    ends_protected: bool = False
    """Whether carrying it out would end a job that a `protect` should keep."""
    refusal: Guard | None = None
    """A guard that this job alone runs into."""
    if_refused: Decision | None = None
    """The decision for the job as it is, where a guard refuses this one; None: the harmless steps of this one."""
    next_time: datetime | None = None
    """When something is due that needs no event: a back-off, a deadline, the end of a grace."""
    timer: Timer | None = None
    """The event at that time; set when `next_time` is."""
    current: int | None = None
    """The attempt that counts from then on, where carrying it out changes that."""
    waits_for: tuple[str, ...] = ()
    """Other jobs whose end it waits for: those that it depends on, or for a removal those that depend on it."""
    blocked: bool = False
    """Whether those will not come to the end that it waits for, unless a person does something."""
    queue: QueuePlace | None = None
    """Its place among the jobs that wait for capacity on its account."""
    unseen: bool = False
    """Whether it waits for a pass that sees the job, or all of its account."""
    trail: tuple[RuleApplied, ...] = ()
    """The rules that made the decision what it is, in their order."""

    @property
    def creates(self) -> bool:
        """Whether carrying it out makes a create call."""
        return any(step.buys for step in self.steps)

    def before(self, *steps: Step) -> Decision:
        """The same with further steps in front."""
        return replace(self, steps=(*steps, *self.steps))
