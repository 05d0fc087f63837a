"""The terms of a decision, which a review agrees to: see `model.plan_terms`."""

from __future__ import annotations

from batchctl.model.actions import Action
from batchctl.model.codes import ErrorCode
from batchctl.model.decision import Decision, Guard
from batchctl.model.observed import Gone, Missing, Present
from batchctl.model.plan_terms import PhaseClass, Presence, Terms
from batchctl.model.states import BAD_STATES, GOOD_STATES
from batchctl.reconcile.options import Options
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.subject import Subject

_FREE = frozenset({Action.UPDATE, Action.REUSE})
"""Changes without consent that follow from the manifest. All others continue what was agreed to, or follow a policy."""


def find_terms(subject: Subject, decision: Decision, guard: Guard | None, options: Options) -> Terms | None:
    """The terms of a decision; None if it changes nothing that a review covers."""
    if not decision.needs_consent and decision.action not in _FREE:
        return None
    view = subject.current
    return Terms(
        _change(subject, decision, options),
        decision.needs_consent,
        # Consent is what the review gives.
        None if guard is None or guard.code == ErrorCode.CONSENT_NEEDED else str(guard.code),
        None if view is None else view.key.attempt,
        None if view is None else view.attempt.digest,
        _phase(view),
        _presence(view),
        subject.desired,
    )


def _change(subject: Subject, decision: Decision, options: Options) -> str:
    """The change, whether it can begin now or waits in the queue or for another job."""
    change = decision.action.value if decision.counted is None else decision.counted.value
    if subject.desired is None:
        change = f"{change} (onRemove: {subject.lifecycle.on_remove})"
    return f"{change}, discarding results" if options.discard_results else change


def _phase(view: AttemptView | None) -> PhaseClass:
    if view is None:
        return PhaseClass.NEW
    attempt = view.attempt
    if attempt.is_unsent:
        return PhaseClass.UNSENT
    if attempt.is_active:
        return PhaseClass.ACTIVE
    if attempt.state in GOOD_STATES or attempt.is_reused:
        return PhaseClass.SUCCEEDED
    return PhaseClass.FAILED if attempt.state in BAD_STATES else PhaseClass.OTHER


def _presence(view: AttemptView | None) -> Presence:
    if view is None or view.attempt.remote is None:
        return Presence.NONE
    match view.presence:
        case Present():
            return Presence.PRESENT
        case Missing():
            return Presence.MISSING
        case Gone():
            return Presence.GONE
        case _:
            return Presence.UNKNOWN
