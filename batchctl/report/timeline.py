"""The attempts of a job on one axis of time, as `describe` draws them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.durations import in_units
from batchctl.model.states import BAD_STATES, GOOD_STATES, JobState
from batchctl.model.times import rfc3339_seconds
from batchctl.report.console import Console
from batchctl.report.layout import Row, write_heading, write_table
from batchctl.report.text import Text

_WIDTH = 40
"""Cells of the axis; on a narrow terminal half as many."""
_NARROW = 90
_HEADER = ("ATTEMPT", "QUEUED", "RAN")


def write_timeline(console: Console, attempts: Sequence[RecordedAttempt], names: Sequence[str], now: datetime) -> None:
    """The section: for each attempt and shard the time in the queue and at work. `now` is the account's."""
    found = [
        (name, one, one.create_time) for name, one in zip(names, attempts, strict=True) if one.create_time is not None
    ]
    if not found:
        return
    first = min(created for _, _, created in found)
    last = max(one.end_time or now for _, one, _ in found)
    width = _WIDTH if not console.is_terminal or console.width >= _NARROW else _WIDTH // 2
    axis = _Axis(first, last, width, SIGNS if console.encoding.startswith("utf") else ASCII_SIGNS)
    write_heading(console, f"Timeline, {rfc3339_seconds(first)} to {rfc3339_seconds(last)}")
    rows = [
        Row((Text(name), *(Text(words) for words in _lengths(one, created, now)), axis.bar(one, created, now)))
        for name, one, created in found
    ]
    hidden = any(_is_split_unknown(one) for _, one, _ in found)
    signs = axis.signs
    legend = f"{signs.queued} QUEUED  {signs.works} AT WORK{f'  {signs.either} EITHER OF THEM' if hidden else ''}"
    write_table(console, rows, header=(*_HEADER, legend), indent=2)


class Signs(Struct, frozen=True, gc=False):
    """The cells of the parts of an attempt."""

    queued: str
    works: str
    either: str
    """The API did not say when its work began."""


SIGNS = Signs("░", "█", "▒")
ASCII_SIGNS = Signs("-", "#", "=")


class _Axis:
    """Places moments on a line of cells."""

    def __init__(self, first: datetime, last: datetime, width: int, signs: Signs) -> None:
        self._first = first
        self._length = max(last - first, timedelta(seconds=1))
        self._width = width
        self.signs = signs

    def bar(self, attempt: RecordedAttempt, created: datetime, now: datetime) -> Text:
        """The attempt on the line; a part that took time has at least one cell."""
        begin = min(self._place(created), self._width - 1)
        end = max(self._place(attempt.end_time or now), begin + 1)
        if _is_split_unknown(attempt):
            return Text.assemble(" " * begin, (self.signs.either * (end - begin), _style(attempt)))
        started = attempt.start_time
        if started is None:
            return Text.assemble(" " * begin, (self.signs.queued * (end - begin), "dim"))
        queue = max(self._place(started) - begin, 1 if started > created else 0)
        work = max(end - begin - queue, 1)
        return Text.assemble(
            " " * begin, (self.signs.queued * queue, "dim"), (self.signs.works * work, _style(attempt))
        )

    def _place(self, moment: datetime) -> int:
        return round(self._width * ((moment - self._first) / self._length))


def _style(attempt: RecordedAttempt) -> str:
    if attempt.state in BAD_STATES:
        return "red"
    return "green" if attempt.state in GOOD_STATES else "cyan"


def _is_split_unknown(attempt: RecordedAttempt) -> bool:
    """Whether it has worked, and the API did not say since when (reference 1.2: Gemini reports no such time)."""
    return attempt.start_time is None and (attempt.end_time is not None or attempt.state == JobState.RUNNING)


def _lengths(attempt: RecordedAttempt, created: datetime, now: datetime) -> tuple[str, str]:
    """The time in the queue and the time at work, so far."""
    started, end = attempt.start_time, attempt.end_time or now
    if started is not None:
        return _length(created, started), _length(started, end)
    return ("?", "?") if _is_split_unknown(attempt) else (_length(created, end), "-")


def _length(begin: datetime, end: datetime) -> str:
    return in_units(max(0, int((end - begin).total_seconds())), 2)
