"""Percentiles of durations, of which some were cut short: tables worked by hand, and properties."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchctl.model.percentiles import LEAST_FOR_P50, LEAST_FOR_P90, Durations, Percentiles, Span, percentiles_of

NOTHING = Percentiles()


def ended(*seconds: float) -> list[Span]:
    return [Span(one) for one in seconds]


def cut(*seconds: float) -> list[Span]:
    return [Span(one, is_cut=True) for one in seconds]


TEN = ended(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)

TABLE = {
    "nothing": ([], 0, NOTHING),
    "four say nothing": (ended(1, 2, 3, 4), 0, Percentiles(samples=4)),
    "five have a median": (ended(50, 10, 40, 20, 30), 0, Percentiles(30, None, 5)),
    "nine have no p90": (ended(*range(1, 10)), 0, Percentiles(5, None, 9)),
    "ten have both, by nearest rank": (TEN, 0, Percentiles(5, 9, 10)),
    "twenty": (ended(*range(1, 21)), 0, Percentiles(10, 18, 20)),
    "equal ones": (ended(*[7] * 10), 0, Percentiles(7, 7, 10)),
    "ties at the percentile": (ended(1, 1, 1, 1, 2, 2, 2, 9, 9, 9), 0, Percentiles(2, 9, 10)),
    "zero is a duration": (ended(*[0] * 10), 0, Percentiles(0, 0, 10)),
    # One in ten was cut at 6: it counts as longer than everything below, and not beyond.
    "a late cut": (ended(1, 2, 3, 4, 5, 6, 7, 8, 9) + cut(6), 0, Percentiles(5, None, 10, 6)),
    # What was cut at a time lasted longer than it.
    "a cut at the percentile": (ended(1, 2, 3, 4, 5, 6, 7, 8, 9) + cut(9), 0, Percentiles(5, 9, 10)),
    # By 20, nine of ten that reach that far have ended: that is no bound any more. By 2 it is.
    "a late cut that proves nothing": (ended(*[1] * 9) + cut(2, 2, 2, 20), 0, Percentiles(1, None, 13, 2)),
    # By 9, eleven spans reach that far: ten that ended, and one that was cut later. 10 of 11 are nine tenths.
    "a cut beyond the others": (TEN + cut(11), 0, Percentiles(6, 10, 11)),
    # Those that were cut at once say nothing about the others.
    "early cuts": (TEN + cut(*[0.5] * 20), 0, Percentiles(5, 9, 30)),
    "cuts and one long success": (ended(5000) + cut(*[2] * 10), 0, Percentiles(samples=11, longer_than=2)),
    # Deadline of 6 h on jobs of 8 h: 93 of 100 were cut.
    "a deadline that stops most": (
        ended(*[18000] * 7) + cut(*[21600] * 93),
        0,
        Percentiles(None, None, 100, 21600),
    ),
    "a median below the deadline": (ended(*range(1, 7)) + cut(*[8] * 4), 0, Percentiles(5, None, 10, 8)),
    "all were cut, but few": (cut(*[8] * 9), 0, Percentiles(samples=9)),
    "beyond four": (TEN, 4, Percentiles(7, None, 6)),
    "beyond a half": (ended(*range(1, 21)), 10, Percentiles(15, 19, 10)),
    "beyond is longer, not as long": (ended(*[5] * 10), 5, NOTHING),
    "beyond, with those that were cut later": (TEN + cut(3, 12, 12), 4, Percentiles(8, None, 8)),
    "beyond all": (TEN, 10, NOTHING),
}


@pytest.mark.parametrize(("spans", "beyond", "expected"), TABLE.values(), ids=TABLE)
def test_percentiles(spans: list[Span], beyond: float, expected: Percentiles) -> None:
    assert percentiles_of(spans, beyond) == expected
    assert percentiles_of(spans[::-1], beyond) == expected, "the order of the samples does not matter"


SECONDS = st.integers(0, 30).map(float)
SPANS = st.lists(st.builds(Span, SECONDS, st.booleans()), max_size=40)


@given(st.lists(SECONDS, min_size=1, max_size=60))
def test_without_cuts_they_are_the_nearest_ranks(seconds: list[float]) -> None:
    found, ranked = percentiles_of(ended(*seconds)), sorted(seconds)

    def rank(tenths: int, least: int) -> float | None:
        return ranked[math.ceil(tenths * len(ranked) / 10) - 1] if len(ranked) >= least else None

    assert (found.p50, found.p90) == (rank(5, LEAST_FOR_P50), rank(9, LEAST_FOR_P90))
    assert found.longer_than is None


@given(SPANS, SECONDS)
def test_the_ninetieth_is_never_before_the_median_and_both_are_samples(spans: list[Span], beyond: float) -> None:
    found = percentiles_of(spans, beyond)
    known = {span.seconds for span in spans if not span.is_cut and (span.seconds > beyond or not beyond)}
    for percentile in (found.p50, found.p90):
        assert percentile is None or percentile in known
    if found.p90 is not None:
        assert found.p50 is not None
        assert found.p50 <= found.p90
    assert found.samples <= len(spans)


@given(SPANS)
def test_what_was_cut_longer_never_makes_a_percentile_shorter(spans: list[Span]) -> None:
    """A deadline that stops a job later says more, and never that jobs are short."""
    before = percentiles_of(spans)
    after = percentiles_of([Span(span.seconds + 5, is_cut=True) if span.is_cut else span for span in spans])
    for early, late in ((before.p50, after.p50), (before.p90, after.p90)):
        assert early is None or late is None or late >= early


@given(st.lists(SECONDS, max_size=40), SECONDS, SECONDS)
def test_who_has_waited_longer_waits_until_later(seconds: list[float], one: float, other: float) -> None:
    early, late = sorted((one, other))
    first, second = percentiles_of(ended(*seconds), early), percentiles_of(ended(*seconds), late)
    for before, after in ((first.p50, second.p50), (first.p90, second.p90)):
        assert before is None or after is None or before <= after


@given(SPANS, st.lists(SECONDS, max_size=8))
def test_each_question_about_the_same_spans_is_answered_by_those_that_lasted_longer(
    spans: list[Span], questions: list[float]
) -> None:
    durations = Durations(spans)
    for beyond in [*questions, *(span.seconds for span in spans)]:
        left = [span for span in spans if span.seconds > beyond or not beyond]
        assert durations.beyond(beyond) == percentiles_of(left)
