"""When a run gives up on a job or on an account."""

from __future__ import annotations

import pytest

from batchctl.model.errors import BadReply, PermissionDenied, QuotaExceeded, ReplyLost, ResultsError
from batchctl.model.outcome import Outcome, Result
from batchctl.reconcile import Patience
from tests.support.decisions import HERE, THERE

LASTING = Outcome("a", Result.FAILED, error=ResultsError("disk full"))
PASSING = Outcome("a", Result.FAILED, error=ReplyLost("cut"))
QUOTA = Outcome("a", Result.FAILED, error=QuotaExceeded("no", http=429))
FORBIDDEN = Outcome("a", Result.FAILED, error=PermissionDenied("no", http=403))
FINE = Outcome("a", Result.DONE)
PAGE = BadReply("a page of a proxy")


@pytest.mark.parametrize(
    ("outcomes", "over"),
    [
        ([], False),
        ([LASTING] * 2, False),
        ([LASTING] * 3, True),
        ([FORBIDDEN] * 3, True),
        ([LASTING] * 2 + [FINE] + [LASTING] * 2, False),
        ([PASSING] * 9, False),
        ([QUOTA] * 9, False),
        ([LASTING] * 2 + [PASSING, LASTING], True),
    ],
)
def test_a_job_is_given_up_after_three_lasting_failures_in_a_row(outcomes: list[Outcome], over: bool) -> None:
    patience = Patience()
    for outcome in outcomes:
        patience = patience.after({"a": outcome, "other": FINE}, {})
    assert (patience.is_over("a"), patience.is_over("other")) == (over, False)


def test_an_account_that_was_read_in_between_is_not_given_up() -> None:
    patience = Patience()
    for errors in ({HERE: PAGE}, {HERE: PAGE}, {}, {HERE: PAGE}, {HERE: PAGE}):
        patience = patience.after({}, errors)
    assert not patience.is_lasting(HERE, PAGE)
    assert patience.after({}, {HERE: PAGE}).is_lasting(HERE, PAGE)


@pytest.mark.parametrize(("error", "lasting"), [(PAGE, False), (ReplyLost("cut"), False), (FORBIDDEN.error, True)])
def test_which_errors_of_an_account_last(error, lasting: bool) -> None:
    patience = Patience().after({}, {THERE: PAGE})
    assert patience.is_lasting(HERE, error) is lasting
