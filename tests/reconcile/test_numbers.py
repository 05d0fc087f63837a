"""Attempts are numbered as far as a mark can tell, and no further."""

from __future__ import annotations

import pytest

from batchctl.model.keys import MOST_ATTEMPTS, Mark
from batchctl.reconcile import Options
from tests.support.decisions import NOW, Situation, attempt, collected, found, job, look, row, seen, show

LAST = MOST_ATTEMPTS
ALL = Options(consent=True, adopt_changed=True)


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            Situation(job(backoff_limit=1), None, look(found(LAST, "FAILED")), ALL),
            "adopt Waiting | record job a@999999 | record a@999999.0 adopted | collect a@999999.0 | ! NoNumberLeft",
            id="a retry after one that was found",
        ),
        pytest.param(
            Situation(job(work="2"), row(job(), attempt(LAST)), look(seen(attempt(LAST))), ALL),
            "replace Active unfinished consent | ! NoNumberLeft",
            id="a replacement: refused before anything is cancelled",
        ),
        pytest.param(
            Situation(job(work="2"), row(job(), collected(LAST, gone_time=NOW)), look(), ALL),
            "replace Succeeded consent | ! NoNumberLeft",
            id="a replacement of what has ended",
        ),
        pytest.param(
            Situation(job(work="2"), row(job(), collected(LAST - 1, gone_time=NOW)), look(), ALL),
            "replace Succeeded consent | record job a@999999 | create a@999999.0",
            id="the last number is there to be used",
        ),
    ],
)
def test_no_attempt_is_made_that_would_not_be_known_again(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


def test_a_mark_can_carry_the_highest_number_and_no_higher() -> None:
    text = "[bc1 shop/a@{}.0 0123456789ab token00001 abc123]"
    assert Mark.find(text.format(MOST_ATTEMPTS)) is not None
    assert Mark.find(text.format(MOST_ATTEMPTS + 1)) is None
