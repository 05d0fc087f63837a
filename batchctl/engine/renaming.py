"""Carry out the renames of `spec.moved`, before a pass is planned: the results folder first, then the record.

After a crash in between, the next pass finds the folder moved and goes on.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from batchctl.engine.tools import Tools
from batchctl.model.desired import DesiredStack
from batchctl.model.errors import ResultsError
from batchctl.model.events import Event, EventKind
from batchctl.model.ports.state import StateSession
from batchctl.model.recorded import Recorded
from batchctl.model.writes import AddEvent
from batchctl.reconcile import find_moves


class Moved(Struct, frozen=True):
    """The record after the renames."""

    recorded: Recorded
    """Under the names of today, those that could not be written down included."""
    failed: Mapping[str, ResultsError]
    """By name of today: jobs that nothing may be done for until their folder can be moved."""


def rename_jobs(desired: DesiredStack, recorded: Recorded, session: StateSession, tools: Tools) -> Moved:
    """Give recorded jobs the names that the manifests have for them. Raises StateError."""
    moves = find_moves(desired.stack.moved, recorded)
    failed: dict[str, ResultsError] = {}
    for move in moves.due:
        if move.after in failed:
            continue
        if move.is_new:
            try:
                tools.results.rename_job(move.before, move.after)
            except ResultsError as error:
                failed[move.after] = error
                continue
        why = f"from {move.before}, by spec.moved"
        event = Event(tools.clock.now(), move.after, None, EventKind.RENAMED.words, why)
        session.commit([*move.writes, AddEvent(event)])
        if move.is_new:
            tools.progress.step(move.after, f"renamed, {why}")
    return Moved(moves.recorded, failed)
