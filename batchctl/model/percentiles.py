"""Percentiles of durations, some of which were cut short. Values only: no clock, no I/O.

A span that was cut short, such as that of a job that was cancelled at its deadline, says that the real duration is
longer, and nothing about how much. Leaving it out would make a queue of long jobs look like one of short jobs. So at a
duration t those count that ended by then, and those that lasted longer; a span that was cut short before t says nothing
about t. Without such spans these are the percentiles by nearest rank.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

LEAST_FOR_P50 = 5
"""With five samples the true median lies between the shortest and the longest in 15 of 16 cases."""
LEAST_FOR_P90 = 10
"""With fewer, the 90th percentile would be the longest sample, whatever it is."""


class Span(Struct, frozen=True, order=True):
    """One duration, in seconds."""

    seconds: float
    is_cut: bool = False
    """Whether it was cut short: the real duration is longer."""


class Percentiles(Struct, frozen=True):
    """The known percentiles of durations, in seconds. None: unknown, because too few samples say something about it."""

    p50: float | None = None
    p90: float | None = None
    samples: int = 0
    """The number of spans, those that were cut short included."""
    longer_than: float | None = None
    """If `p90` is unknown because so many spans were cut short: it is at least this much."""


def percentiles_of(spans: Sequence[Span], beyond: float = 0.0) -> Percentiles:
    """The percentiles of spans; with `beyond` only of those that lasted longer than it.

    These are the expectations for something that has lasted that long already.
    """
    return Durations(spans).beyond(beyond)


class Durations:
    """Many questions about the same spans. They have few different answers, each of which is computed once."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._ended = sorted(span.seconds for span in spans if not span.is_cut)
        self._cut = sorted(span.seconds for span in spans if span.is_cut)
        self._known: dict[tuple[int, int], Percentiles] = {}

    def beyond(self, seconds: float = 0.0) -> Percentiles:
        """See `percentiles_of`."""
        place = self._place(seconds) if seconds and (self._ended or self._cut) else (0, 0)
        found = self._known.get(place)
        if found is None:
            found = self._known[place] = _percentiles(self._ended[place[0] :], self._cut[place[1] :])
        return found

    def _place(self, seconds: float) -> tuple[int, int]:
        from bisect import bisect_right  # for a stack with a history

        return bisect_right(self._ended, seconds), bisect_right(self._cut, seconds)


def _percentiles(ended: Sequence[float], cut: Sequence[float]) -> Percentiles:
    p50 = _percentile(ended, cut, 5, LEAST_FOR_P50)
    p90 = _percentile(ended, cut, 9, LEAST_FOR_P90)
    return Percentiles(p50, p90, len(ended) + len(cut), _longer_than(ended, cut) if p90 is None else None)


def _percentile(ended: Sequence[float], cut: Sequence[float], tenths: int, least: int) -> float | None:
    """The shortest duration by which so many tenths have ended; None if too few spans reach that far."""
    cut_before = 0
    for number, seconds in enumerate(ended, start=1):
        while cut_before < len(cut) and cut[cut_before] < seconds:
            cut_before += 1
        if number < len(ended) and ended[number] == seconds:
            continue  # of equal durations the last one counts
        count = len(ended) + len(cut) - cut_before
        if 10 * number >= tenths * count:
            return seconds if count >= least else None
    return None


def _longer_than(ended: Sequence[float], cut: Sequence[float]) -> float | None:
    """The longest duration that more than a tenth is known to exceed, where spans were cut short."""
    for place in range(len(cut) - 1, -1, -1):
        seconds = cut[place]
        number = sum(one <= seconds for one in ended)
        count = len(ended) + sum(one >= seconds for one in cut)
        if count >= LEAST_FOR_P90 and 10 * number < 9 * count:
            return seconds
    return None
