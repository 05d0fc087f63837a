"""`dependsOn` and `fromJob`: a job is created only after all it names have succeeded, see `removal_order` for its end.

What already runs is never stopped for the sake of a dependency, and a dependency that is replaced does not make its
dependants run again: their own work has not changed, unless their rows are made from its answers.
"""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.decision import Decision
from batchctl.model.desired import DesiredJob
from batchctl.model.reasons import Reason
from batchctl.model.sources import AwaitedRows
from batchctl.model.states import Phase
from batchctl.reconcile.decide.context import Context, Decided
from batchctl.reconcile.decide.other_jobs import blocks, has_succeeded, phase_words, rows_obstacle
from batchctl.reconcile.rules.held_create import hold_create
from batchctl.reconcile.view.subject import Subject


def wait_for_dependencies(subject: Subject, decision: Decision, context: Context) -> Decision:
    """Hold the create back until every job it depends on has succeeded. Those are decided already."""
    desired = subject.desired
    if desired is None or not desired.depends_on or not decision.creates:
        return decision
    held = _held(subject, desired, decision, context.decided)
    # The work of a chain is not known before its rows are.
    return replace(held, changes=()) if isinstance(desired.source, AwaitedRows) else held


def _held(subject: Subject, desired: DesiredJob, decision: Decision, decided: Decided) -> Decision:
    names = sorted(set(desired.depends_on))
    found = [(name, why) for name in names for why in blocks(name, decided)]
    if found:
        words = "; ".join(f"blocked by {name}, which {why}" for name, why in found)
        return _block(subject, decision, Reason.DEPENDENCY_FAILED, words, tuple(name for name, _ in found))
    waits = {name: phase_words(name, decided) for name in names if not has_succeeded(name, decided)}
    name = None if desired.chain is None else desired.chain.job
    obstacle = None if name is None or name in waits else rows_obstacle(desired, decided)
    if name is not None and obstacle is not None:
        if obstacle.is_lasting:
            words = f"its rows cannot be made from the answers of {name}: {obstacle.sentence}"
            return _block(subject, decision, Reason.ROWS_NOT_MADE, words, (name,))
        waits[name] = obstacle.sentence
    if not waits:
        return decision
    shown = ", ".join(f"{name} ({words})" for name, words in sorted(waits.items()))
    held = hold_create(subject, decision, Reason.DEPENDENCY_PENDING, f"waits for {shown}")
    return replace(held, waits_for=tuple(sorted(waits)))


def _block(subject: Subject, decision: Decision, code: Reason, words: str, names: tuple[str, ...]) -> Decision:
    held = hold_create(subject, decision, code, words)
    # Nothing is about to be bought, so no consent is needed.
    return replace(held, phase=Phase.BLOCKED, waits_for=names, blocked=True, needs_consent=False, counted=None)
