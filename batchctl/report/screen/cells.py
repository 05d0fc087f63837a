"""The cells of the live screen: bars, rows, ages."""

from __future__ import annotations

from datetime import datetime, timedelta

from rich.text import Text

from batchctl.model.durations import in_units
from batchctl.model.states import ENDED_PHASES, JobState
from batchctl.report.reports import StatusRow
from batchctl.report.screen.overview import Tally, failed_rows
from batchctl.report.words import rows_text

BAR_WIDTH = 10
_QUEUED = frozenset({JobState.QUEUED, JobState.PENDING})
_SOON, _VERY_SOON = 0.8, 0.95
"""The parts of the time until a deadline after which an age is shown in a colour."""


def bar(tally: Tally, width: int = BAR_WIDTH, *, is_unicode: bool = True) -> Text:
    """The part of the rows that has an answer, failed rows apart; blank if the total is not known.

    The three parts differ without colour, too. One failed row of many has a cell, and so has one open row.
    """
    if not tally.total:
        return Text(" " * width)
    failed = _cells(tally.failed, tally.total, width, width)
    open_rows = _cells(tally.total - tally.ok - tally.failed, tally.total, width, width - failed)
    full, bad, left = "█▒░" if is_unicode else "#x-"
    good = width - failed - open_rows
    return Text.assemble((full * good, "green"), (bad * failed, "red"), (left * open_rows, "dim"))


def _cells(part: int, whole: int, width: int, most: int) -> int:
    """The cells of a part, at least one if it is not empty."""
    return min(most, max(1, round(width * part / whole))) if part > 0 else 0


def rows_cell(row: StatusRow) -> Text:
    """`4/10, 2 failed`. Of collected rows, the codes are left to `describe`."""
    if not row.rows.bad_codes:
        return Text(rows_text(row.rows, row.part_of))
    total = "?" if row.rows.total is None else str(row.rows.total)
    return Text(f"{row.rows.ok}/{total}, {failed_rows(row.rows)} failed")


def age_cell(row: StatusRow, taken: datetime, now: datetime) -> Text:
    """`5m10s`: the age of the attempt, `5m/2h` against its deadline, and of an ended one how long it took.

    `taken`: the local time of the look at it; `now`: the local time now.
    """
    if row.create_time is None:
        return Text("-")
    if row.end_time is not None and row.phase in ENDED_PHASES:
        return Text(_age(row.end_time - row.create_time), "dim")
    # The account's clock may differ from the local one, which only says how much time has passed since the look.
    current = (row.now or taken) + (now - taken)
    if row.deadline is None:
        return Text(_age(current - row.create_time))
    # `pendingDeadline` counts from the creation, `activeDeadline` from the start.
    start = row.create_time if row.start_time is None or row.state in _QUEUED else row.start_time
    length, allowed = current - start, row.deadline - start
    part = length / allowed if allowed > timedelta() else 1.0
    style = "bold red" if part >= _VERY_SOON else "yellow" if part >= _SOON else ""
    return Text(f"{_age(length)}/{in_units(int(allowed.total_seconds()), 2)}", style)


def _age(length: timedelta) -> str:
    return in_units(max(0, int(length.total_seconds())), 2)
