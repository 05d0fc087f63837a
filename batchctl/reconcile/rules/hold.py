"""How a decision to create is held back without losing what it found out on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from batchctl.model.codes import ErrorCode
from batchctl.model.plan import Action, Collect, Guard, RecordJob, Step, Timer
from batchctl.model.reasons import Reason
from batchctl.reconcile.decide.decision import Decision, Subject
from batchctl.reconcile.decide.desired import label_adoption
from batchctl.reconcile.view.phases import Outlook


def creates(decision: Decision) -> bool:
    """Whether carrying the decision out would make a create call."""
    return any(step.buys for step in decision.steps)


def hold(
    subject: Subject, decision: Decision, code: Reason, reason: str, next_time: datetime | None = None
) -> Decision:
    """The same decision without its create call, nor what makes room for it: the job waits, and says for what.

    What was seen is still written down, and what has ended is still collected. That people have to agree to the create,
    and that it counts, stays: who agrees to a plan agrees to what waits in it.
    """
    steps = tuple(step for step in decision.steps if step.is_harmless or _is_order(step))
    collects = any(isinstance(step, Collect) for step in steps)
    held = replace(
        decision,
        action=Action.COLLECT if collects else Action.WAIT,
        standing=replace(decision.standing, outlook=Outlook.ATTEMPT),
        code=Reason.NOT_COLLECTED if collects else code,
        reason=f"{decision.reason}; {reason}",
        steps=steps,
        next_time=next_time,
        timer=None if next_time is None else Timer.ADMISSION,
        current=None,
    )
    if decision.action is Action.ADOPT:
        return replace(held, action=Action.ADOPT, code=decision.code)
    return label_adoption(subject, held)


def _is_order(step: Step) -> bool:
    """Whether a step writes down the order for a new attempt, which outlasts the wait for room."""
    return isinstance(step, RecordJob) and step.job.retry_requested is not None


def hold_clashes(
    decided: Mapping[str, tuple[Subject, Decision]], clashes: Mapping[str, str]
) -> dict[str, tuple[Subject, Decision]]:
    """The decisions; where a rename clashes with another job, nothing is carried out: nobody knows what is meant."""
    held = dict(decided)
    for name in clashes.keys() & decided.keys():
        subject, decision = decided[name]
        message = f"spec.moved says that {name} is {clashes[name]} now, and the state has jobs of both names"
        guard = Guard(ErrorCode.MOVED_TWICE, message, "take the entry out of spec.moved: then the old job is removed")
        held[name] = (subject, replace(decision, refusal=guard, meanwhile=None))
    return held
