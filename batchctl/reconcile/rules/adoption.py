"""Remote jobs that were found by their mark, or that a person names: they are taken into the state."""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.decision import Decision
from batchctl.model.reasons import Reason
from batchctl.model.steps import Note
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.view.marks import NO_TOKEN
from batchctl.reconcile.view.subject import Subject


def label_adoption(subject: Subject, decision: Decision, _context: Context) -> Decision:
    """The decision as an adoption, where that is the news in it."""
    return as_adoption(subject, decision)


def as_adoption(subject: Subject, decision: Decision) -> Decision:
    """The same for a decision that was changed after the rule for adoptions."""
    adopted = [view for view in subject.views if view.note is Note.ADOPTED]
    plain = decision.action.is_harmless
    if not adopted or not (plain or decision.refusal):
        return decision
    code, found = Reason.ADOPTED, "found by its mark"
    if adopted[-1].attempt.token == NO_TOKEN:
        code, found = Reason.IMPORTED, "taken in"
    reason = f"{found}: {adopted[-1].attempt.remote}; {decision.reason}"
    return replace(decision, action=Action.ADOPT, code=code, reason=reason)
