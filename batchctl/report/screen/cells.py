"""The cells of the live screen: bars, rows, ages."""

from __future__ import annotations

from datetime import datetime, timedelta

from batchctl.model.cost.job_cost import CostTotal
from batchctl.model.durations import in_units
from batchctl.model.forecast import ExpectedEnd
from batchctl.model.states import ENDED_PHASES, JobState
from batchctl.report.cost_text import money_text, range_text
from batchctl.report.reports import StatusRow
from batchctl.report.screen.overview import Tally, failed_rows
from batchctl.report.text import Text
from batchctl.report.words import rows_text

BAR_WIDTH = 10
_MINUTE = timedelta(minutes=1)
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
    current = _now_there(row, taken, now)
    if row.deadline is None:
        return Text(_age(current - row.create_time))
    # `pendingDeadline` counts from the creation, `activeDeadline` from the start.
    start = row.create_time if row.start_time is None or row.state in _QUEUED else row.start_time
    length, allowed = current - start, row.deadline - start
    part = length / allowed if allowed > timedelta() else 1.0
    style = "bold red" if part >= _VERY_SOON else "yellow" if part >= _SOON else ""
    return Text(f"{_age(length)}/{in_units(int(allowed.total_seconds()), 2)}", style)


def ends_in(end: ExpectedEnd, now: datetime) -> Text:
    """`2h to 3h10m`: until half of such jobs have ended, and until nine of ten; `late` after both."""
    soon, latest = end.p50 - now, end.p90 - now if end.p90 is not None else None
    if latest is not None and latest > timedelta():
        if soon <= timedelta():
            return Text(f"up to {_rough(latest)}")
        return Text(" to ".join(dict.fromkeys((_rough(soon), _rough(latest)))))
    return Text(_rough(soon)) if soon > timedelta() else Text("late", "yellow")


def _rough(length: timedelta) -> str:
    """A forecast is no better than to the minute."""
    minutes = round(length / _MINUTE)
    return in_units(60 * minutes, 2) if minutes else "<1m"


def end_cell(row: StatusRow, taken: datetime, now: datetime) -> Text:
    """When the job ends, by the history; empty if that is not known."""
    found = row.forecast
    if found is not None and found.stuck is not None:
        return Text("stuck", "bold red")
    return Text() if found is None or found.end is None else ends_in(found.end, _now_there(row, taken, now))


def cost_cell(row: StatusRow) -> Text:
    """The cost so far, as the API counted it, else the expected one; empty without a price."""
    actual, estimate = row.cost.actual, row.cost.estimate
    if actual is not None and actual.money is not None:
        return Text(money_text(actual.money))
    if estimate is None or estimate.money is None:
        return Text()
    return Text(range_text(estimate.money.low, estimate.money.high), "dim")


def cost_words(cost: CostTotal) -> str:
    """`cost 1.20 USD so far`, `cost ~3.10 to 4.10 USD`; empty if nothing is known.

    With jobs of unknown cost it is `at least 1.20 USD`.

    The two are not compared: the cost so far is that of all attempts, and an estimate is for the present one.
    """
    spent = cost.actual.money if cost.actual is not None else None
    if spent is not None:
        least = "at least " if cost.unknown_actual else ""
        return f"cost {least}{money_text(spent)} {cost.currency} so far"
    expected = range_text(cost.low, cost.high)
    return f"cost {expected} {cost.currency}" if expected else ""


def _now_there(row: StatusRow, taken: datetime, now: datetime) -> datetime:
    """The time on the account's clock: it may differ from the local one, which says how long ago the look was."""
    return (row.now or taken) + (now - taken)


def _age(length: timedelta) -> str:
    return in_units(max(0, int(length.total_seconds())), 2)
