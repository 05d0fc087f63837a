"""Progress of commands that have no plan to show."""

from __future__ import annotations

import sys

from batchctl.cli.common import Common
from batchctl.model.ports import Clock
from batchctl.report.activity import Board
from batchctl.report.live import Lines, make_lines


def watch_calls(common: Common, clock: Clock, board: Board) -> Lines:
    """Report slow calls and repeated calls on standard error."""
    return make_lines(sys.stderr, clock, log_format=common.log_format, quiet=common.quiet).follow(board)
