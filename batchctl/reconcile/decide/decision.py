"""The decision about one job, while the rules work on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from batchctl.model.admission import QueuePlace
from batchctl.model.keys import AttemptKey
from batchctl.model.plan import Action, Change, Create, Guard, RuleApplied, Step, Timer
from batchctl.model.reasons import Reason
from batchctl.model.states import Phase
from batchctl.reconcile.view.phases import ATTEMPT_DUE, PhaseFacts, phase_of

BY_ORDER = "cancelled by `batchctl cancel`"


class Counted(Enum):
    """Which of the stack's limits an action counts against."""

    CREATE = "create"
    REPLACE = "replace"
    DELETE = "delete"


@dataclass(frozen=True)
class Decision:
    """One job's decision. Each rule gives the next version of it."""

    action: Action
    facts: PhaseFacts
    """What its phase follows from."""
    code: Reason
    """The reason for programs."""
    reason: str
    """The same in words, with all that belongs to it."""
    steps: tuple[Step, ...] = ()
    base: tuple[Step, ...] = ()
    """Steps that come first, even if a guard refuses the action: they keep the record true, or end a second job."""
    changes: tuple[Change, ...] = ()
    """Of the work."""
    updates: tuple[Change, ...] = ()
    """Of settings that leave the work as it is; `base` writes them down."""
    unfinished: bool = False
    counted: Counted | None = None
    needs_consent: bool = False
    ends_protected: bool = False
    """Whether carrying it out would end a job that a `protect` should keep."""
    refusal: Guard | None = None
    """A guard that this job alone runs into."""
    if_refused: Decision | None = None
    """What is done about the job as it is, where a guard refuses the decision; None: what is harmless in it."""
    next_time: datetime | None = None
    timer: Timer | None = None
    """What is due then."""
    current: int | None = None
    """The attempt that counts from then on, where carrying it out changes that."""
    waits_for: tuple[str, ...] = ()
    """See `JobPlan`; the same for the next three."""
    blocked: bool = False
    queue: QueuePlace | None = None
    unseen: bool = False
    trail: tuple[RuleApplied, ...] = ()
    """The rules that made the decision what it is, in their order."""

    @property
    def phase(self) -> Phase:
        """The job's phase before anything of this is carried out."""
        return phase_of(self.facts)

    @property
    def creates(self) -> bool:
        """Whether carrying it out makes a create call."""
        return any(step.buys for step in self.steps)

    def before(self, *steps: Step) -> Decision:
        """The same with further steps in front."""
        return replace(self, steps=(*steps, *self.steps))


def create(key: AttemptKey, code: Reason, reason: str, token: str | None = None, *, is_suspended: bool) -> Decision:
    """An attempt to be made, unless it is suspended. A token is given when it was given to the attempt before."""
    if is_suspended:
        return wait(ATTEMPT_DUE, Reason.SUSPENDED, f"suspended; {reason}")
    return Decision(
        Action.CREATE,
        ATTEMPT_DUE,
        code,
        reason,
        (Create(key, token),),
        counted=Counted.CREATE,
        needs_consent=True,
        current=key.attempt,
    )


def wait(
    facts: PhaseFacts, code: Reason, reason: str, next_time: datetime | None = None, timer: Timer | None = None
) -> Decision:
    """Nothing can or need be done before something else happens, or a time has come."""
    timer = None if next_time is None else timer
    return Decision(Action.WAIT, facts, code, reason, next_time=next_time, timer=timer)


def rest(facts: PhaseFacts, code: Reason, reason: str) -> Decision:
    """Nothing is left to do."""
    return Decision(Action.NONE, facts, code, reason)


def wait_until_seen(facts: PhaseFacts, code: Reason, reason: str) -> Decision:
    """Nothing can be done before a pass sees the job, or all of its account."""
    return Decision(Action.WAIT, facts, code, reason, unseen=True)
