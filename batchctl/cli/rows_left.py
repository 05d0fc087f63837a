"""Finds the rows of a job without a good answer, for commands that only read."""

from __future__ import annotations

from batchctl.cli.workspace import Workspace
from batchctl.model.desired import DesiredJob
from batchctl.model.errors import ResultsError
from batchctl.model.keys import short_uid
from batchctl.model.plan import JobPlan
from batchctl.model.recorded import RecordedJob
from batchctl.model.rows_left import RowsLeft
from batchctl.reconcile import next_choice
from batchctl.rows.encode import RowEncoder


def rows_left(
    workspace: Workspace, plan: JobPlan, desired: DesiredJob, recorded: RecordedJob | None
) -> RowsLeft | None:
    """The rows without a good answer; None if there are no results, or the rows cannot be read."""
    if recorded is None:
        return None
    stack = workspace.stack
    inputs = RowEncoder(stack.limits.line_bytes, workspace.board)
    choice, follows = next_choice(plan, desired, recorded.row)
    under_way = [one for one in recorded.attempts if one.key.attempt == recorded.row.current and one.results is None]
    try:
        ledger = workspace.results.ledger(short_uid(stack.uid), inputs)
        return ledger.left(desired, choice, under_way, follows=follows)
    except ResultsError:
        return None  # `results` says what is wrong with them
