"""No attempt gets a number that a mark cannot carry."""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.codes import ErrorCode
from batchctl.model.decision import Decision, Guard
from batchctl.model.keys import MOST_ATTEMPTS
from batchctl.model.steps import Create
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.view.subject import Subject


def limit_attempt_numbers(subject: Subject, decision: Decision, _context: Context) -> Decision:
    """Refuse an attempt whose number no mark can carry: its remote job would not be known again.

    A replacement is refused as a whole, before it cancels what cannot be followed by another.
    """
    creates = any(isinstance(step, Create) and step.key.attempt > MOST_ATTEMPTS for step in decision.steps)
    makes_room = decision.action is Action.REPLACE and subject.next_key.attempt > MOST_ATTEMPTS
    if decision.refusal is not None or not (creates or makes_room):
        return decision
    message = f"{subject.name} has an attempt {MOST_ATTEMPTS}, and a mark can carry no higher number"
    return replace(decision, refusal=Guard(ErrorCode.NO_NUMBER_LEFT, message, "give the job another name"))
