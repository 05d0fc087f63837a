"""How many tokens an input is taken to have, and what collected jobs teach of that."""

from __future__ import annotations

from fractions import Fraction

import pytest

from batchctl.model.admission import QuotaKey
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.observed import RowCounts
from batchctl.model.recorded import Recorded
from batchctl.model.row_work import RowsSent
from batchctl.reconcile.admission.tokens import TokenRates, learn_rates
from tests.support.decisions import HERE, THERE, collected, decide, job, look, row, seen
from tests.support.queue_limits import KEY, MODEL, admitted, bounds, of

PRO = QuotaKey(HERE, "gemini-2.5-pro")
OF = {"tree": {"model": MODEL}}
OF_JOB = RowCounts(1000, 50, 0, {"OK": 50, "NOT_SENT": 950})
SENT = RowsSent(50, 1000, "", is_canary=True, verdicts={"OK": 50})


def rates(*attempts: RecordedAttempt) -> dict[QuotaKey, Fraction]:
    record = row(job(), *attempts)
    return dict(learn_rates(Recorded({record.name: record})).learned)


def counted(size: int | None, tokens: int | None, number: int = 1, **fields: object) -> RecordedAttempt:
    return collected(number, **{**OF, **fields}, input_bytes=size, tokens=tokens)


def test_tokens_are_a_quarter_of_the_bytes_rounded_up_as_long_as_nothing_was_counted() -> None:
    unknown = TokenRates({PRO: Fraction(1, 2)})

    assert [unknown.estimate(KEY, size) for size in (None, 0, 1, 4, 5)] == [0, 0, 1, 1, 2]
    assert [unknown.estimate(PRO, size) for size in (None, 0, 1, 4, 5)] == [0, 0, 1, 2, 3]
    assert unknown.basis(KEY) == "estimated by bytes"
    assert unknown.basis(PRO) == "estimated by bytes and by what the API counted before"


@pytest.mark.parametrize(
    ("attempts", "rate"),
    [
        pytest.param([counted(800, 100)], Fraction(1, 8), id="one"),
        pytest.param([counted(800, 100), counted(200, 100, 2)], Fraction(1, 5), id="by size"),
        pytest.param([counted(800, 100), counted(None, 100, 2)], Fraction(1, 8), id="one whose size is not known"),
        pytest.param([counted(800, 100), counted(400, None, 2)], Fraction(1, 8), id="one that nobody counted"),
        pytest.param([counted(800, 75, rows=RowCounts(4, 3, 1))], Fraction(1, 8), id="a row failed"),
        pytest.param([counted(800, 100, rows=RowCounts(None, 4, 0))], Fraction(1, 8), id="rows that nobody told"),
        pytest.param([counted(800, 100, rows=RowCounts(3, 4, 0))], Fraction(1, 8), id="more answers than rows"),
        pytest.param([counted(800, 100, rows=OF_JOB, sent=SENT)], Fraction(1, 8), id="a part of the rows was sent"),
        pytest.param([counted(800, 1)], Fraction(1, 16), id="pictures"),
        pytest.param([counted(800, 0)], Fraction(1, 16), id="nothing at all"),
        pytest.param([counted(800, 10_000)], Fraction(1), id="absurd"),
    ],
)
def test_collected_jobs_teach(attempts: list[RecordedAttempt], rate: Fraction) -> None:
    assert rates(*attempts) == {KEY: rate}


@pytest.mark.parametrize(
    "attempt",
    [
        pytest.param(counted(None, 100), id="of an unknown size"),
        pytest.param(counted(0, 100), id="empty"),
        pytest.param(counted(800, None), id="not counted"),
        pytest.param(counted(800, 100, rows=RowCounts(4, 0, 4)), id="no row came through"),
        pytest.param(counted(800, 100, rows=RowCounts()), id="rows not known"),
    ],
)
def test_what_teaches_nothing(attempt: RecordedAttempt) -> None:
    assert rates(attempt) == {}


def test_each_account_and_each_model_has_its_own_rate() -> None:
    found = rates(
        counted(800, 100),
        counted(800, 200, 2, tree={"model": "models/gemini-2.5-pro"}),
        counted(800, 400, 3, account=THERE),
        counted(800, 400, 4, tree={}),
    )

    # The fourth is of the job's own model.
    assert found == {KEY: Fraction(500, 1600), PRO: Fraction(1, 4), QuotaKey(THERE, MODEL): Fraction(1, 2)}


def test_what_was_learned_moves_the_queue_and_is_told() -> None:
    done = counted(800, 100)
    wanted = [job(), job("b", tokens=200), job("c", tokens=2)]
    record, shown = row(wanted[0], done), look(seen(done))

    narrow = decide(wanted, [record], [shown], limits=bounds(enqueued_tokens=100))

    assert admitted(narrow) == "b"
    words = f"about 100 of 100 tokens are enqueued for {MODEL} on main, c needs about 1"
    assert of(narrow, "c").reason.endswith(f"{words} (estimated by bytes and by what the API counted before)")
    (guard,) = decide(wanted, [record], [shown], limits=bounds(enqueued_tokens=99)).guards
    assert "b has about 100 tokens (estimated by bytes and by what the API counted before)" in guard.message
