"""What is decided while a remote job is not seen: nothing, until another look shows it or confirms that it is gone."""

from __future__ import annotations

from dataclasses import replace

from batchctl.model.decision import Decision
from batchctl.model.observed import Missing, Unknown
from batchctl.model.plan import Timer
from batchctl.model.reasons import Reason
from batchctl.model.states import Phase
from batchctl.reconcile.decide.decision import wait_until_seen
from batchctl.reconcile.view.attempt_view import AttemptView


def find_unseen(view: AttemptView) -> Unknown | None:
    """What keeps anything from being decided about an attempt before another look; None when nothing does.

    What is missing and had ended, with nothing left to collect, neither works nor holds anything: gone or not, no
    decision depends on it.
    """
    presence = view.presence
    is_over = view.attempt.has_ended and not view.is_uncollected
    return presence if isinstance(presence, Unknown) and not (view.is_missing and is_over) else None


def wait_to_see(phase: Phase, presence: Unknown, words: str = "") -> Decision:
    """The wait for a job that is not seen: for another look or, where it is missing, for the look that confirms it."""
    lead = f"{words}, but " if words else ""
    if isinstance(presence, Missing):
        reason = f"{lead}missing, not confirmed yet: {presence.reason}"
        waiting = wait_until_seen(phase, Reason.NOT_CONFIRMED, reason)
        return replace(waiting, next_time=presence.due, timer=Timer.MISSING)
    return wait_until_seen(phase, Reason.UNSEEN, f"{lead}not known in this pass: {presence.reason}")
