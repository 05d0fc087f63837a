"""The rows of an input without a good answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.row_work import RowChoice, RowsToSend
from batchctl.model.rows_left import RowNext, RowsLeft
from batchctl.rows.answer import message_of
from tests.rows.test_ledger import GOOD, RETRYABLE, Shop, key, token, work


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ({"error": {"code": 13, "message": "Internal error."}}, "Internal error."),
        ({"error": {"code": 13}}, ""),
        ({"error": {"message": {"nested": 1}}}, ""),
        ({"response": {"promptFeedback": {"blockReason": "SAFETY"}}}, "SAFETY"),
        ({"response": {"prompt_feedback": {"block_reason": "SAFETY"}}}, "SAFETY"),
        ({"response": {"promptFeedback": {"blockReason": "OTHER", "blockReasonMessage": "No."}}}, "OTHER: No."),
        ({"response": {"candidates": [{"finishReason": "MAX_TOKENS"}]}}, ""),
        ({"response": {"candidates": [{"finishMessage": "Too long."}]}}, "Too long."),
        ({"response": {"candidates": ["x"]}}, ""),
        ({"response": {"candidates": []}}, ""),
        ({"response": None}, ""),
    ],
)
def test_the_words_of_the_api_are_found(outcome: dict[str, Any], words: str) -> None:
    assert message_of(outcome) == words


def left(shop: Shop, choice: RowChoice = RETRYABLE, *under_way: int, follows: bool = True) -> RowsLeft:
    wanted = work("a", "b", "c", "d")
    current = (RecordedAttempt(key(one), wanted.account, wanted.digest, token(one)) for one in under_way)
    found = shop.ledger.left(wanted, choice, current, follows=follows)
    assert found is not None
    return found


@pytest.fixture
def tried(shop: Shop) -> Shop:
    """One good row, one that may pass, one that does not, and one that was not sent."""
    shop.send(work("a", "b", "c"), 1)
    shop.collect(work("a", "b", "c"), 1, [("a", "yes"), ("b", 13), ("c", 3)])
    return shop


def test_rows_are_counted_by_what_happens_next(tried: Shop) -> None:
    found = left(tried)
    assert (found.total, found.good, found.not_sent, found.failed) == (4, 1, 1, 2)
    assert found.counts == {RowNext.AGAIN: 1, RowNext.NOTHING: 1}
    assert [(one.name, one.index, one.code, one.tries, one.message, one.next) for one in found.first] == [
        ("b", 1, "INTERNAL", 1, "no", RowNext.AGAIN),
        ("c", 2, "INVALID_ARGUMENT", 1, "no", RowNext.NOTHING),
    ]


def test_no_row_is_sent_again_where_no_attempt_follows(tried: Shop) -> None:
    assert left(tried, follows=False).counts == {RowNext.NOTHING: 2}


def test_rows_of_the_current_attempt_are_under_way(tried: Shop) -> None:
    tried.send(work("a", "b", "c", "d"), 2, RETRYABLE)
    found = left(tried, RETRYABLE, 2)
    assert found.counts == {RowNext.UNDER_WAY: 2, RowNext.NOTHING: 1}
    assert found.not_sent == 0
    assert [one.next for one in found.first] == [RowNext.UNDER_WAY, RowNext.NOTHING]
    assert left(tried, RETRYABLE, 7).counts == left(tried).counts, "an attempt without a list"


def test_a_few_rows_of_each_verdict_are_shown(shop: Shop) -> None:
    wanted = work(*"abcdefgh")
    shop.send(wanted, 1)
    shop.collect(wanted, 1, [(name, 3 if name == "h" else 13) for name in "abcdefgh"])
    found = shop.ledger.left(wanted, RETRYABLE, (), follows=True)
    assert found is not None
    assert [one.name for one in found.first] == ["a", "b", "h"]
    assert found.failed == 8


def test_a_job_without_results_has_no_rows_left(shop: Shop) -> None:
    assert shop.ledger.left(work("a"), GOOD, (), follows=True) is None


def test_rows_of_a_job_that_failed_as_a_whole_were_sent_and_not_tried(shop: Shop) -> None:
    wanted = work("a", "b")
    shop.send(wanted, 1)
    shop.collect(wanted, 1, [])
    found = shop.ledger.left(wanted, RETRYABLE, (), follows=True)
    assert found is not None
    assert [(one.code, one.tries, one.next) for one in found.first] == [("NO_RESULT", 0, RowNext.AGAIN)] * 2
    survey = shop.ledger.survey(wanted, RowChoice(RowsToSend.RETRYABLE, most_tries=1))
    assert survey is not None
    assert (survey.to_send, survey.retryable, survey.retried) == (2, 2, 0)
