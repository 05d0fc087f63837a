"""The steps that remain of a decision that a guard refuses."""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.decision import Decision
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decisions import Decisions
from batchctl.reconcile.view.subject import JobKind, Subject


def keep_what_is_allowed(decisions: Decisions, _context: Context) -> Decisions:
    """Keep only the harmless steps of a refused decision, or those for the job as it is."""
    refused = {name: decisions.jobs[name] for name in decisions.guards}
    return decisions.with_jobs({name: (subject, _refused(subject, one)) for name, (subject, one) in refused.items()})


def _refused(subject: Subject, decision: Decision) -> Decision:
    base, old = decision.base, decision.if_refused
    steps = tuple(step for step in decision.steps if step.is_harmless)
    if subject.kind is JobKind.ORPHAN:
        # A refused orphan stays out of the record: what is recorded and not desired needs no flag to be removed.
        base, steps = (), ()
    if old is None:
        return replace(decision, base=base, steps=steps, unfinished=False)
    return replace(
        decision,
        phase=old.phase,
        reason=f"{old.reason}; {decision.reason}",
        steps=old.steps,
        unfinished=old.action is not Action.NONE,
        next_time=old.next_time,
        timer=old.timer,
        unseen=old.unseen,
    )
