"""Holds a create call back, and keeps the other findings of its decision."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.decision import Decision, Timer
from batchctl.model.reasons import Reason
from batchctl.model.states import Phase
from batchctl.model.steps import Collect, RecordJob, Step
from batchctl.reconcile.rules.adoption import as_adoption
from batchctl.reconcile.view.subject import Subject


def hold_create(
    subject: Subject, decision: Decision, code: Reason, reason: str, next_time: datetime | None = None
) -> Decision:
    """The same decision without its create call, and without the steps that prepare it: the job waits.

    The steps that write the record and collect results stay. That people have to agree to the create, and that it
    counts against a limit, stays too: consent to a plan covers the creates that wait in it.
    """
    steps = tuple(step for step in decision.steps if step.is_harmless or _is_order(step))
    collects = any(isinstance(step, Collect) for step in steps)
    held = replace(
        decision,
        action=Action.COLLECT if collects else Action.WAIT,
        phase=Phase.WAITING,
        code=Reason.NOT_COLLECTED if collects else code,
        reason=f"{decision.reason}; {reason}",
        steps=steps,
        next_time=next_time,
        timer=None if next_time is None else Timer.ADMISSION,
        current=None,
    )
    if decision.action is Action.ADOPT:
        return replace(held, action=Action.ADOPT, code=decision.code)
    return as_adoption(subject, held)


def _is_order(step: Step) -> bool:
    """Whether a step writes down the order for a new attempt, which outlasts the wait."""
    return isinstance(step, RecordJob) and step.job.retry_requested is not None
