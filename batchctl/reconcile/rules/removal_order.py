"""A job is removed only after every job that depends on it, where both are removed."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.decision import Decision
from batchctl.model.reasons import Reason
from batchctl.model.steps import RecordJob
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decisions import Decisions
from batchctl.reconcile.view.order import sort_by_needs
from batchctl.reconcile.view.subject import Subject


def remove_dependants_first(decisions: Decisions, context: Context) -> Decisions:
    """Hold each removal back while a dependant that is removed too still has remote jobs."""
    if context.options.cancel:
        return decisions
    leaving = {
        name: subject.recorded
        for name, subject, decision in decisions.of_moving()
        if subject.desired is None and subject.recorded is not None and decision.action is not Action.FORGET
    }
    if not leaving:
        return decisions
    dependants: dict[str, list[str]] = {name: [] for name in leaving}
    circles = sort_by_needs({name: record.row.depends_on for name, record in leaving.items()}).in_circles
    for name, record in sorted(leaving.items()):
        for other in set(record.row.depends_on) & leaving.keys():
            if not {name, other} <= circles:
                dependants[other].append(name)
    return decisions.map(
        lambda subject, decision: _hold_removal(subject, decision, dependants.get(subject.name, []), context.now)
    )


def _hold_removal(subject: Subject, decision: Decision, dependants: list[str], now: datetime) -> Decision:
    recorded = subject.recorded
    if not dependants or recorded is None or not any(step.stops for step in decision.steps):
        return decision
    begin: tuple[RecordJob, ...] = ()
    if recorded.row.removing_time is None:
        # The removal begins here, and a person has agreed to it: later passes do not ask again.
        begin = (RecordJob(replace(recorded.row, removing_time=now)),)
    seen = tuple(step for step in decision.steps if step.is_harmless)
    return replace(
        decision,
        code=Reason.DEPENDANT_LEFT,
        reason=f"{decision.reason}; after {', '.join(dependants)}",
        steps=(*begin, *seen),
        waits_for=tuple(dependants),
        unfinished=True,
        next_time=None,
        timer=None,
    )
