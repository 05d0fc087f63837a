"""Progress of commands that have no plan to show."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from batchctl.cli.common import Common
from batchctl.cli.notes import json_log
from batchctl.report.activity import Board
from batchctl.report.progress_kinds import make_lines

if TYPE_CHECKING:
    from batchctl.model.ports.surroundings import Clock
    from batchctl.report.progress_kinds import Lines


def watch_calls(common: Common, clock: Clock, board: Board) -> Lines:
    """Report slow calls and repeated calls on standard error."""
    return make_lines(sys.stderr, clock, log=json_log(), quiet=common.quiet).follow(board)
