"""Decisions that are made in many places."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.decision import Counted, Decision, Timer
from batchctl.model.keys import AttemptKey
from batchctl.model.reasons import Reason
from batchctl.model.states import Phase
from batchctl.model.steps import Create

BY_ORDER = "cancelled by `batchctl cancel`"


def create(key: AttemptKey, code: Reason, reason: str, token: str | None = None, *, is_suspended: bool) -> Decision:
    """An attempt to be made, unless it is suspended. A token is given when it was given to the attempt before."""
    if is_suspended:
        return wait(Phase.WAITING, Reason.SUSPENDED, f"suspended; {reason}")
    return Decision(
        Action.CREATE,
        Phase.WAITING,
        code,
        reason,
        (Create(key, token),),
        counted=Counted.CREATE,
        needs_consent=True,
        current=key.attempt,
    )


def create_agreed(
    key: AttemptKey, code: Reason, reason: str, token: str | None = None, *, is_suspended: bool
) -> Decision:
    """The same for work that a person has agreed to already: it needs no consent, and no limit counts it."""
    made = create(key, code, reason, token, is_suspended=is_suspended)
    return replace(made, counted=None, needs_consent=False)


def wait(
    phase: Phase, code: Reason, reason: str, next_time: datetime | None = None, timer: Timer | None = None
) -> Decision:
    """Nothing can or need be done before something else happens, or a time has come."""
    if next_time is None:
        return _quiet(Action.WAIT, phase, code, reason)
    return Decision(Action.WAIT, phase, code, reason, next_time=next_time, timer=timer)


def rest(phase: Phase, code: Reason, reason: str) -> Decision:
    """Nothing is left to do."""
    return _quiet(Action.NONE, phase, code, reason)


@lru_cache
def _quiet(action: Action, phase: Phase, code: Reason, reason: str) -> Decision:
    """A decision that many jobs of a large stack have in common."""
    return Decision(action, phase, code, reason)


def wait_until_seen(phase: Phase, code: Reason, reason: str) -> Decision:
    """Nothing can be done before a pass sees the job, or all of its account."""
    return Decision(Action.WAIT, phase, code, reason, unseen=True)
