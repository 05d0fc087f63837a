"""The decision about one job: the action, its reason, and its steps."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, StrEnum

from msgspec import Struct
from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.admission import QueuePlace
from batchctl.model.json_value import Json
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
    """The end of the grace of an unanswered create call."""
    MISSING = "missing"
    """The pass that confirms that a remote job is gone."""
    TTL = "ttl"
    """The delete at `ttlAfterFinished`."""
    CANCEL = "cancel"
    """The repeated cancel."""
    ADMISSION = "admission"
    """The next check of whether there is capacity on the account."""

    @property
    def is_local(self) -> bool:
        """Whether it runs on the local clock, and not on the provider's."""
        return self in {Timer.SETTLING, Timer.MISSING}


class Change(Struct, frozen=True):
    """One difference between record and manifest. Values with prompts are shown as hashes."""

    path: str
    before: Json
    after: Json
    rows: RowChanges | None = None
    """Of a change of the rows: which ones."""
    detail: str = ""
    """The difference as text, if the two values do not show it."""


class Guard(Struct, frozen=True):
    """Why an action is refused, and how to allow it. Exit code 6."""

    code: str
    message: str
    way_out: str
    """The flag that lifts it, or a hint what to change."""


class RuleApplied(Struct, frozen=True):
    """A rule that made or changed a decision."""

    id: str
    does: str
    """In words."""


class Counted(Enum):
    """The limit of the stack that an action counts against."""

    CREATE = "create"
    REPLACE = "replace"
    DELETE = "delete"


class Decision(Struct, frozen=True):
    """One job's decision. Each rule returns the next version of it. No code depends on the text of a reason."""

    action: Action
    phase: Phase
    """The job's phase before the steps are executed."""
    code: Reason
    """The reason for programs."""
    reason: str
    """The same for people."""
    steps: tuple[Step, ...] = ()
    base: tuple[Step, ...] = ()
    """Steps that come first, even if a guard refuses the action: they update the record, or end a second job."""
    changes: tuple[Change, ...] = ()
    """Of the work."""
    updates: tuple[Change, ...] = ()
    """Of settings that are not part of the work; `base` records them."""
    unfinished: bool = False
    """The action continues in a later pass, for example a replace whose old job is still being cancelled. For a refused
    action: the steps for the present job continue."""
    counted: Counted | None = None
    needs_consent: bool = False
    """Whether it needs consent (a person, `--yes` or a reviewed plan): it buys, stops or releases something."""
    ends_protected: bool = False
    """Whether its steps would end a job with `protect`."""
    refusal: Guard | None = None
    """A guard that refuses only this job."""
    if_refused: Decision | None = None
    """The decision for the present job if a guard refuses this one; None: the harmless steps of this one."""
    next_time: datetime | None = None
    """The time of the next timer: a back-off, a deadline, the end of a grace."""
    timer: Timer | None = None
    """The event at that time; set when `next_time` is."""
    current: int | None = None
    """The current attempt after the steps, if they change it."""
    rows_since: int | None = None
    """The first attempt whose answers count after the steps, if they change it."""
    waits_for: tuple[str, ...] = ()
    """Jobs that it waits for: its dependencies, or for a removal the jobs that depend on it."""
    blocked: bool = False
    """Whether the wait cannot end unless a person acts."""
    queue: QueuePlace | None = None
    """Its place among the jobs that wait for capacity on its account."""
    unseen: bool = False
    """Whether it waits for a pass that observes the job, or its complete account."""
    trail: tuple[RuleApplied, ...] = ()
    """The rules that made or changed the decision, in their order."""

    @property
    def creates(self) -> bool:
        """Whether its steps make a create call."""
        return any(step.buys for step in self.steps)

    def before(self, *steps: Step) -> Decision:
        """The decision with further steps in front."""
        return replace(self, steps=(*steps, *self.steps))
