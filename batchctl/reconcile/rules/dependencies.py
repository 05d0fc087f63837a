"""`dependsOn`: a job is created only after all it names have succeeded, and removed before them.

What already runs is never stopped for the sake of a dependency, and a dependency that is replaced does not make its
dependants run again: their own work has not changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from batchctl.model.desired import DesiredJob, OnChange
from batchctl.model.keys import same_digest
from batchctl.model.plan import Action, RecordJob
from batchctl.model.reasons import Reason
from batchctl.model.states import ENDED_PHASES, Phase
from batchctl.reconcile.decide.decision import Decision, Subject
from batchctl.reconcile.rules.hold import creates, hold
from batchctl.reconcile.view.phases import Outlook

Decided = Mapping[str, tuple[Subject, Decision]]


@dataclass(frozen=True)
class Sorted:
    """Names in an order in which each stands after all it needs."""

    names: tuple[str, ...]
    in_circles: frozenset[str]
    """Those that need each other, or need such: there is no order among them. They stand last, by name."""


def find_needed(names: Iterable[str], needs: Mapping[str, Iterable[str]]) -> set[str]:
    """What these jobs depend on, what that depends on, and so on. What is needed and is itself no key is left out."""
    needed: set[str] = set()
    left = list(names)
    while left:
        for other in needs.get(left.pop(), ()):
            if other in needs and other not in needed:
                needed.add(other)
                left.append(other)
    return needed


def sort_by_needs(needs: Mapping[str, Iterable[str]]) -> Sorted:
    """Bring names into order. What is needed and is itself no key is left out."""
    missing = {name: {other for other in needs[name] if other in needs} for name in sorted(needs)}
    wanted_by: dict[str, list[str]] = {name: [] for name in missing}
    for name, others in missing.items():
        for other in others:
            wanted_by[other].append(name)
    ready = [name for name, others in missing.items() if not others]
    # The list grows while it is walked: each name follows the last of those that it needs.
    for name in ready:
        for dependant in wanted_by[name]:
            missing[dependant].discard(name)
            if not missing[dependant]:
                ready.append(dependant)
    circles = sorted(missing.keys() - set(ready))
    return Sorted((*ready, *circles), frozenset(circles))


def hold_for_needs(subject: Subject, decision: Decision, decided: Decided) -> Decision:
    """The decision about a desired job, its create held back while not all it depends on has succeeded.

    `decided` holds the decisions about what it depends on, already held back where they have to be.
    """
    desired = subject.desired
    if desired is None or not desired.depends_on or not creates(decision):
        return decision
    blocks = [(name, why) for name in sorted(set(desired.depends_on)) for why in _blocks(name, decided)]
    if blocks:
        names = tuple(name for name, _ in blocks)
        words = "; ".join(f"blocked by {name}, which {why}" for name, why in blocks)
        held = hold(subject, decision, Reason.DEPENDENCY_FAILED, words)
        # Nothing is about to be bought, so nobody has to agree.
        standing = replace(held.standing, outlook=Outlook.BLOCKED)
        return replace(held, standing=standing, waits_for=names, blocked=True, needs_consent=False, counted=None)
    waits = tuple(name for name in sorted(set(desired.depends_on)) if not _has_succeeded(name, decided))
    if not waits:
        return decision
    told = ", ".join(f"{name} ({_standing(name, decided)})" for name in waits)
    return replace(hold(subject, decision, Reason.DEPENDENCY_PENDING, f"waits for {told}"), waits_for=waits)


def _blocks(name: str, decided: Decided) -> Iterator[str]:
    """Why a dependency will not succeed unless a person does something; nothing when it may."""
    if name not in decided or decided[name][0].desired is None:
        yield "is in no manifest, or depends on it in turn"
        return
    decision = decided[name][1]
    if decision.blocked:
        yield f"is blocked itself by {', '.join(decision.waits_for)}"
    elif decision.refusal is not None:
        yield f"is held back: {decision.refusal.message}"
    elif decision.phase in ENDED_PHASES - {Phase.SUCCEEDED} and decision.action is not Action.REPLACE:
        yield f"ended {decision.phase} ({decision.reason})"


def _has_succeeded(name: str, decided: Decided) -> bool:
    """Whether the desired work is done and its results are here: only those tell whether any row succeeded."""
    subject, decision = decided[name]
    desired, view = subject.desired, subject.current
    if desired is None or view is None or decision.phase is not Phase.SUCCEEDED or view.attempt.results is None:
        return False
    return _is_work_of(desired, view.attempt.digest)


def _is_work_of(desired: DesiredJob, digest: str) -> bool:
    return same_digest(desired.digest, digest) or desired.lifecycle.on_change is OnChange.KEEP


def _standing(name: str, decided: Decided) -> str:
    decision = decided[name][1]
    return "its results are not here yet" if decision.phase is Phase.SUCCEEDED else str(decision.phase)


def hold_removals(decided: Decided, now: datetime) -> dict[str, tuple[Subject, Decision]]:
    """The decisions, each removal held back while a dependant that is removed too still has remote jobs."""
    leaving = {
        name: subject.recorded
        for name, (subject, decision) in decided.items()
        if subject.desired is None and subject.recorded is not None and decision.action is not Action.FORGET
    }
    dependants: dict[str, list[str]] = {name: [] for name in leaving}
    circles = sort_by_needs({name: record.depends_on for name, record in leaving.items()}).in_circles
    for name, record in sorted(leaving.items()):
        for other in set(record.depends_on) & leaving.keys():
            if not {name, other} <= circles:
                dependants[other].append(name)
    return {
        name: (subject, _hold_removal(subject, decision, tuple(dependants.get(name, ())), now))
        for name, (subject, decision) in decided.items()
    }


def _hold_removal(subject: Subject, decision: Decision, dependants: tuple[str, ...], now: datetime) -> Decision:
    recorded = subject.recorded
    if not dependants or recorded is None or not any(step.stops for step in decision.steps):
        return decision
    begin: tuple[RecordJob, ...] = ()
    if recorded.removing_time is None:
        # It has begun, and was agreed to: later passes need not ask again.
        begin = (RecordJob(replace(recorded, removing_time=now, attempts=())),)
    seen = tuple(step for step in decision.steps if step.is_harmless)
    return replace(
        decision,
        code=Reason.DEPENDANT_LEFT,
        reason=f"{decision.reason}; after {', '.join(dependants)}",
        steps=(*begin, *seen),
        waits_for=dependants,
        unfinished=True,
        next_time=None,
        timer=None,
    )
