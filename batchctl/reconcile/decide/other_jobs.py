"""The jobs that a job depends on: whether they have succeeded, and whether they still can."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from batchctl.model.actions import Action
from batchctl.model.chain import Obstacle
from batchctl.model.desired import DesiredJob
from batchctl.model.keys import same_digest
from batchctl.model.lifecycle import OnChange
from batchctl.model.sources import AwaitedRows
from batchctl.model.states import ENDED_PHASES, Phase
from batchctl.reconcile.decide.context import Decided

_NOT_HERE = Obstacle("its answers are not in the results folder yet", is_lasting=False)


def blocks(name: str, decided: Decided) -> Iterator[str]:
    """Why a dependency will not succeed unless a person does something; nothing if it may."""
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


def has_succeeded(name: str, decided: Decided) -> bool:
    """Whether the desired work is done and its results are here: only those show whether any row succeeded."""
    subject, decision = decided[name]
    desired, view = subject.desired, subject.current
    if desired is None or view is None or decision.phase is not Phase.SUCCEEDED or view.attempt.results is None:
        return False
    return _is_work_of(desired, view.attempt.digest)


def _is_work_of(desired: DesiredJob, digest: str) -> bool:
    return same_digest(desired.digest, digest) or desired.lifecycle.on_change is OnChange.KEEP


def phase_words(name: str, decided: Decided) -> str:
    """The phase of a job that others wait for."""
    decision = decided[name][1]
    return "its results are not here yet" if decision.phase is Phase.SUCCEEDED else str(decision.phase)


def rows_obstacle(desired: DesiredJob, decided: Decided) -> Obstacle | None:
    """Why a chain has no rows, although the job whose answers it needs has succeeded; None if it has them."""
    if not isinstance(desired.source, AwaitedRows):
        return None
    name = desired.source.chain.job
    view = decided[name][0].counting
    if view.missing is not None and view.is_gone:
        words = f"its answers are not in the results folder any more ({view.missing}), and its remote job is gone"
        return Obstacle(f"{words}; `batchctl apply --rerun {name}` buys them again")
    return desired.source.obstacle or _NOT_HERE


class RowsWait(Struct, frozen=True):
    """Why the present rows of a chain are not known."""

    words: str
    is_blocked: bool
    """Whether it stays so unless a person does something."""


def wait_for_rows(desired: DesiredJob, decided: Decided) -> RowsWait | None:
    """The wait for the rows of a chain; None for other jobs, and for a chain that has its rows."""
    if desired.chain is None:
        return None
    name = desired.chain.job
    words = f"its rows are made from the answers of {name}"
    for why in blocks(name, decided):
        return RowsWait(f"{words}, which {why}", is_blocked=True)
    if not has_succeeded(name, decided):
        return RowsWait(f"{words} ({phase_words(name, decided)})", is_blocked=False)
    obstacle = rows_obstacle(desired, decided)
    if obstacle is None:
        return None
    return RowsWait(f"{words}: {obstacle.sentence}", is_blocked=obstacle.is_lasting)
