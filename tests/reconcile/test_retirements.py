"""Models that are shut down: where the day comes from, and whose word counts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.cost.prices import Price, Prices, Rates
from batchctl.model.cost.retirement import KNOWN, Retirement
from batchctl.model.cost.tokens import Counted, Usage
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.keys import Api
from batchctl.model.observed import Observation
from batchctl.model.recorded import Recorded
from batchctl.reconcile import find_retirements, plan
from tests.support.decisions import HERE, HOUR, NOW, STACK, THERE, collected, job, row
from tests.support.values import replace

CHECKED = date(2026, 11, 1)
PRICES = Prices("USD", (Price("gemini-x*", Rates(), "our contract", CHECKED, retires=date(2026, 12, 12)),))


def told(retires: datetime, number: int = 1, model: str = "gemini-x", **fields: object) -> RecordedAttempt:
    return collected(number, tree={"model": model}, counted=Counted(Usage(), 1, 0, retires), **fields)


def found(*jobs: DesiredJob, told: tuple[RecordedAttempt, ...] = (), prices: Prices | None = None) -> list[str]:
    recorded = Recorded({"a": row(job(), *told)} if told else {})
    return [f"{one.words} ({one.source})" for one in find_retirements(jobs, recorded, prices, NOW)]


def test_of_the_price_list() -> None:
    jobs = [job(name, model="gemini-x-1") for name in "cab"]

    assert found(*jobs, prices=PRICES) == ["gemini-x-1 retires in 20 days, on 2026-12-12: 3 manifests (our contract)"]
    assert found(job(), prices=PRICES) == []


def test_of_the_short_list() -> None:
    assert [one.split(":")[0] for one in found(job(model="models/gemini-2.0-flash"), job("b"))] == [
        "gemini-2.0-flash was retired on 2026-06-01"
    ]
    assert len({one.model for one in KNOWN}) == len(KNOWN)


def test_the_price_list_has_the_last_word_over_the_short_list() -> None:
    prices = Prices("USD", (Price("gemini-2.0-*", Rates(), "a page", CHECKED, retires=date(2027, 1, 1)),))

    assert found(job(model="gemini-2.0-flash"), prices=prices)[0].endswith("on 2027-01-01: 1 manifest (a page)")


def test_the_answers_of_the_model_have_the_last_word() -> None:
    early, late = NOW + timedelta(days=2), NOW + timedelta(days=3)
    said = (told(early, 1, end_time=NOW - HOUR), told(late, 2, end_time=NOW))

    assert found(job(model="gemini-x"), told=said, prices=PRICES) == [
        "gemini-x retires in 3 days, on 2026-11-25: 1 manifest (modelStatus)"
    ]
    assert found(job(model="gemini-x", account=THERE), told=said) == []
    assert found(job(model="gemini-x"), told=(told(early, end_time=None),)) == []
    assert found(job(), told=(collected(counted=Counted(Usage(), 1)),)) == []


@pytest.mark.parametrize(
    ("days", "words", "near"),
    [
        (-1, "m was retired on 2026-11-30: 1 manifest", True),
        (0, "m retires today: 1 manifest", True),
        (1, "m retires tomorrow: 1 manifest", True),
        (60, "m retires in 60 days, on 2026-11-30: 1 manifest", True),
        (61, "m retires in 61 days, on 2026-11-30: 1 manifest", False),
    ],
)
def test_words(days: int, words: str, near: bool) -> None:
    one = Retirement("m", Api.GEMINI, date(2026, 11, 30), "a page", ("a",), days)

    assert (one.words, one.is_near) == (words, near)


def test_the_day_is_that_of_utc() -> None:
    recorded = Recorded({"a": row(job(), told(datetime(2026, 12, 1, tzinfo=UTC)))})
    late = datetime.fromisoformat("2026-11-30T20:00:00-05:00")
    (one,) = find_retirements([job(model="gemini-x")], recorded, None, late)

    assert (one.day, one.days) == (date(2026, 12, 1), 0)


def test_a_plan_has_them_in_their_order() -> None:
    jobs = (job(model="gemini-x"), job("b", model="gemini-2.0-flash"), job("c"))
    stack = replace(STACK, prices=PRICES)
    made = plan(DesiredStack(stack, jobs), Recorded(), {HERE: Observation(HERE, NOW)}, NOW)

    assert [(one.model, one.jobs) for one in made.retirements] == [("gemini-2.0-flash", ("b",)), ("gemini-x", ("a",))]
