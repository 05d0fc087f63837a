"""While a remote job is not seen, nothing is decided until a later pass shows it or confirms that it is gone."""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.decision import Decision, Timer
from batchctl.model.observed import Missing, Unknown
from batchctl.model.reasons import Reason
from batchctl.model.states import Phase
from batchctl.reconcile.decide.decision import wait_until_seen
from batchctl.reconcile.view.attempt_view import AttemptView


def find_unseen(view: AttemptView) -> Unknown | None:
    """Why nothing can be decided about an attempt before another pass; None when something can.

    A missing job that had ended, with nothing left to collect, neither works nor holds results: no decision depends on
    whether it is gone.
    """
    presence = view.presence
    is_over = view.attempt.has_ended and not view.is_uncollected
    return presence if isinstance(presence, Unknown) and not (view.is_missing and is_over) else None


def wait_to_see(phase: Phase, presence: Unknown, words: str = "") -> Decision:
    """The wait for a job that is not seen: for another pass or, where it is missing, for the one that confirms it."""
    lead = f"{words}, but " if words else ""
    if isinstance(presence, Missing):
        reason = f"{lead}missing, not confirmed yet: {presence.reason}"
        waiting = wait_until_seen(phase, Reason.NOT_CONFIRMED, reason)
        return replace(waiting, next_time=presence.due, timer=Timer.MISSING)
    return wait_until_seen(phase, Reason.UNSEEN, f"{lead}not known in this pass: {presence.reason}")
