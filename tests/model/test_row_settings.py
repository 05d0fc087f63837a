"""How counts of rows are judged: what is accepted, and how many may fail."""

from __future__ import annotations

import pytest

from batchctl.model.observed import RowCounts
from batchctl.model.row_settings import MaxFailedRows, RowSettings, judge_rows
from tests.support.values import replace

VERDICTS = {"OK": 6, "MAX_TOKENS": 2, "SAFETY": 1, "NO_RESULT": 1}
ROWS = RowCounts(10, 6, 3, VERDICTS)


@pytest.mark.parametrize(
    ("value", "plain", "allowed"),
    [(0, 0, 0), (3, 3, 3), ("3", 3, 3), ("5%", "5%", 10), ("0%", "0%", 0), ("100%", "100%", 200), ("2.5%", "2.5%", 5)],
)
def test_a_limit_is_a_count_or_a_share(value: int | str, plain: int | str, allowed: int) -> None:
    limit = MaxFailedRows.parse(value)
    assert limit.plain == plain
    assert [limit.allows(allowed, 200), limit.allows(allowed + 1, 200)] == [True, False]


@pytest.mark.parametrize("value", ["", "five", "-1", -1, "101%", "100.5%", "5 %", "1.5", True, "٣", "9" * 13])
def test_what_is_no_limit(value: int | str) -> None:
    with pytest.raises(ValueError, match="must be a count, or a share such as 5%"):
        MaxFailedRows.parse(value)


@pytest.mark.parametrize(
    ("accept", "ok", "failed", "bad"),
    [
        ((), 6, 3, ("2 MAX_TOKENS", "1 NO_RESULT", "1 SAFETY")),
        (("MAX_TOKENS",), 8, 1, ("1 NO_RESULT", "1 SAFETY")),
        (("MAX_TOKENS", "SAFETY", "RECITATION"), 9, 0, ("1 NO_RESULT",)),
        (("NO_RESULT",), 7, 3, ("2 MAX_TOKENS", "1 SAFETY")),
    ],
)
def test_accepted_verdicts_count_as_good(accept: tuple[str, ...], ok: int, failed: int, bad: tuple[str, ...]) -> None:
    found = judge_rows(ROWS, RowSettings(frozenset(accept)), None)
    assert (found.total, found.ok, found.failed, found.bad_codes) == (10, ok, failed, bad)
    assert found.too_many_failed is None
    assert judge_rows(found, RowSettings(), None) == ROWS, "the counts by code are facts: another setting judges anew"


@pytest.mark.parametrize(
    ("limit", "accept", "beyond"),
    [(4, (), False), (3, (), True), ("40%", (), False), ("39%", (), True), (2, ("MAX_TOKENS",), False)],
)
def test_rows_without_a_result_count_as_bad(limit: int | str, accept: tuple[str, ...], beyond: bool) -> None:
    found = judge_rows(ROWS, RowSettings(frozenset(accept)), MaxFailedRows.parse(limit))
    assert found.too_many_failed is beyond


def test_rows_that_were_not_judged_keep_their_counts() -> None:
    old, unknown = RowCounts(10, 7, 2), RowCounts(10)
    assert judge_rows(old, RowSettings(frozenset({"SAFETY"})), None) == old
    assert judge_rows(old, RowSettings(), MaxFailedRows("2")).too_many_failed is True
    assert judge_rows(unknown, RowSettings(), MaxFailedRows("0")).too_many_failed is None


def test_rows_with_an_answer_are_those_that_took_tokens() -> None:
    assert (ROWS.answered, ROWS.bad, RowCounts(10, 7, 3).answered) == (9, 4, 7)
    assert RowCounts(3, 1, 2, {"OK": 1, "INTERNAL": 2}).answered == 1


def test_judged_counts_can_be_compared_and_hashed() -> None:
    rows = judge_rows(RowCounts(verdicts={"OK": 1, "SAFETY": 1}), RowSettings(frozenset({"SAFETY", "OTHER"})), None)
    assert rows.accepted == {"SAFETY"}
    assert hash(rows) == hash(replace(rows))
