"""`dependsOn`: a job is created only after all it names have succeeded, see `removal_order` for its end.

What already runs is never stopped for the sake of a dependency, and a dependency that is replaced does not make its
dependants run again: their own work has not changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from batchctl.model.actions import Action
from batchctl.model.decision import Decision
from batchctl.model.desired import DesiredJob, OnChange
from batchctl.model.keys import same_digest
from batchctl.model.reasons import Reason
from batchctl.model.states import ENDED_PHASES, Phase
from batchctl.reconcile.decide.context import Context, Decided
from batchctl.reconcile.rules.held_create import hold_create
from batchctl.reconcile.view.subject import Subject


def wait_for_dependencies(subject: Subject, decision: Decision, context: Context) -> Decision:
    """Hold the create back until every job it depends on has succeeded. Those are decided already."""
    desired, decided = subject.desired, context.decided
    if desired is None or not desired.depends_on or not decision.creates:
        return decision
    blocks = [(name, why) for name in sorted(set(desired.depends_on)) for why in _blocks(name, decided)]
    if blocks:
        names = tuple(name for name, _ in blocks)
        words = "; ".join(f"blocked by {name}, which {why}" for name, why in blocks)
        held = hold_create(subject, decision, Reason.DEPENDENCY_FAILED, words)
        # Nothing is about to be bought, so no consent is needed.
        return replace(held, phase=Phase.BLOCKED, waits_for=names, blocked=True, needs_consent=False, counted=None)
    waits = tuple(name for name in sorted(set(desired.depends_on)) if not _has_succeeded(name, decided))
    if not waits:
        return decision
    shown = ", ".join(f"{name} ({_phase_words(name, decided)})" for name in waits)
    return replace(hold_create(subject, decision, Reason.DEPENDENCY_PENDING, f"waits for {shown}"), waits_for=waits)


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


def _phase_words(name: str, decided: Decided) -> str:
    decision = decided[name][1]
    return "its results are not here yet" if decision.phase is Phase.SUCCEEDED else str(decision.phase)
