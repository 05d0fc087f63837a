"""The costs of jobs in plans, against cases that were worked by hand: `cost_cases.toml` has the arithmetic."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.cost.job_cost import CostEstimate, DayBasis, InputBasis, JobCost, TokenEstimate, total_cost
from batchctl.model.cost.prices import Price, Prices, Rates
from batchctl.model.cost.spending import SpendingLimits
from batchctl.model.cost.tokens import Counted, Modality, Tokens, Usage
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.keys import AttemptKey
from batchctl.model.kinds import Kind
from batchctl.model.observed import Observation, RowCounts
from batchctl.model.plan import JobPlan
from batchctl.model.recorded import Recorded
from batchctl.model.row_work import RowsSent
from batchctl.model.sent_with import SentWith
from batchctl.model.sources import LocalFile, UnknownSource
from batchctl.model.token_counting import TokenSample
from batchctl.reconcile import plan
from tests.support.decisions import HERE, STACK, collected, job, row
from tests.support.values import replace

CASES = tomllib.loads((Path(__file__).parent / "cost_cases.toml").read_text(encoding="utf-8"))
TEXT = Modality.TEXT
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def amounts(given: Mapping[str, Any], prefix: str = "") -> Rates:
    def of(kind: str) -> dict[Modality, Decimal]:
        found = {TEXT: given.get(prefix + kind), Modality.AUDIO: given.get(f"{prefix}{kind}-audio")}
        return {modality: Decimal(amount) for modality, amount in found.items() if amount is not None}

    return Rates(of("input"), of("cached"), of("output"))


def price(given: Mapping[str, Any]) -> Price:
    long_rates = amounts(given, "long-") if "long-input" in given else None
    days = {"since": given.get("since"), "until": given.get("until")}
    return Price(given["model"], amounts(given), "a page", date(2026, 11, 1), long_rates=long_rates, **days)


PRICES = Prices("USD", tuple(map(price, CASES["prices"].values())))


def tokens(given: Mapping[str, Any] | None) -> Tokens:
    def counts(kind: str) -> dict[Modality, int]:
        return {Modality(name): number for name, number in (given or {}).get(kind, {}).items()}

    return Tokens(counts("input"), counts("cached"), counts("output"), (given or {}).get("thoughts", 0))


def wanted(case: Mapping[str, Any], name: str = "a") -> DesiredJob:
    model = case.get("model", "gemini-2.5-flash")
    source = LocalFile(Path("/s/rows.jsonl"), "0" * 64, case.get("rows", 0), output_tokens=case.get("most"))
    given = {"kind": Kind(case.get("kind", "BatchJob")), "input_bytes": case.get("bytes"), "model": model}
    sample = TokenSample(**case["sample"]) if "sample" in case else None
    return replace(job(name), source=source, sample=sample, **given)


def ended(case: Mapping[str, Any], name: str = "a", **fields: Any) -> RecordedAttempt:
    """An attempt for other work, whose answers were counted."""
    rows = case["rows"]
    usage = Usage(tokens(case))
    given = {"tree": {"model": case.get("model", "gemini-2.5-flash")}, "input_bytes": case["bytes"], **fields}
    counts = {"tokens": usage.all.prompt, "rows": RowCounts(rows, rows, 0), "counted": Counted(usage, rows)}
    return collected(name=name, work="2", **counts, **given)


def plan_of(
    *jobs: DesiredJob, records: tuple[tuple[DesiredJob, RecordedAttempt], ...] = (), now: datetime = NOON, **stack: Any
) -> dict[str, JobPlan]:
    given = replace(STACK, **{"prices": PRICES, **stack})
    recorded = Recorded({one.name: row(one, attempt) for one, attempt in records})
    found = plan(DesiredStack(given, jobs), recorded, {HERE: Observation(HERE, now)}, now)
    return {one.job: one for one in found.jobs}


def estimated(cost: JobCost) -> dict[str, Any]:
    """An estimate in the form of the cases."""
    found = cost.estimate
    assert found is not None
    money = found.money
    parts = {"input": money.input, "low": money.low, "high": money.high} if money else {}
    return {
        "input": found.tokens.input,
        "basis": found.tokens.basis.value,
        "low": found.tokens.output_low,
        "high": found.tokens.output_high,
        "output": None if found.tokens.output_basis is None else found.tokens.output_basis.value,
        "parts": dict(found.tokens.parts),
        "money": {name: amount for name, amount in parts.items() if amount is not None},
        "day": found.day,
    }


@pytest.mark.parametrize("case", CASES["estimate"], ids=lambda case: case["id"])
def test_an_estimate(case: Mapping[str, Any]) -> None:
    new = wanted(case)
    earlier = case.get("earlier")
    owner = replace(new, name=earlier.get("job", "a")) if earlier else new
    records = ((owner, ended(earlier, owner.name)),) if earlier else ()

    cost = plan_of(new, records=records, now=case.get("now", NOON))["a"].cost

    expect = {"low": None, "high": None, "output": None, "day": estimated(cost)["day"], **case["expect"]}
    expect["parts"] = expect.get("parts", {"TEXT": expect["input"]})
    expect["money"] = {name: Decimal(amount) for name, amount in case["expect"].get("money", {}).items()}
    assert estimated(cost) == expect
    assert cost.currency == "USD"


@pytest.mark.parametrize("case", CASES["actual"], ids=lambda case: case["id"])
def test_what_was_counted(case: Mapping[str, Any]) -> None:
    counted = Counted(Usage(tokens(case.get("short")), tokens(case.get("long"))), 10, case.get("uncounted", 0))
    own = wanted(case)
    done = collected(tree={"model": own.model}, end_time=case["ended"].astimezone(UTC), counted=counted)

    cost = plan_of(own, records=((own, done),))["a"].cost

    assert cost.actual is not None
    assert (cost.actual.usage, cost.actual.rows) == (counted.usage, 10)
    assert cost.actual.money == (None if "money" not in case else Decimal(case["money"]))


class TestWhatIsUnknownStaysUnknown:
    def test_the_size(self) -> None:
        unknown = replace(job("a"), source=UnknownSource())

        assert plan_of(unknown)["a"].cost == JobCost("USD")

    def test_without_a_price_list_there_is_no_money(self) -> None:
        own = wanted({"bytes": 400, "rows": 10, "most": 100})
        counted = Counted(Usage(Tokens({TEXT: 5})), 1)
        cost = plan_of(own, records=((own, collected(counted=counted)),), prices=None)["a"].cost

        assert cost.currency is None
        assert cost.estimate is not None
        assert cost.estimate.money is None
        assert cost.actual is not None
        assert cost.actual.money is None

    def test_the_output_of_rows_of_unknown_number(self) -> None:
        own = replace(job("a", tokens=100), source=UnknownSource())
        cost = plan_of(own)["a"].cost

        assert cost.estimate is not None
        assert (cost.estimate.tokens.output_low, cost.estimate.tokens.output_high) == (None, None)

    def test_an_attempt_without_counts(self) -> None:
        own = wanted({"bytes": 400, "rows": 10})

        assert plan_of(own, records=((own, collected()),))["a"].cost.actual is None

    def test_the_day_of_an_attempt_without_times(self) -> None:
        own = wanted({"bytes": 400, "rows": 10})
        counted = Counted(Usage(Tokens({TEXT: 1_000_000})), 10)
        done = collected(counted=counted, create_time=None, end_time=None)
        cost = plan_of(own, records=((own, done),))["a"].cost

        assert cost.actual is not None
        assert cost.actual.money is None


def test_counts_of_this_very_input_are_no_estimate() -> None:
    own = wanted({"bytes": 400, "rows": 10})
    cost = plan_of(own, records=((own, collected(tokens=77)),))["a"].cost

    assert cost.estimate is not None
    assert (cost.estimate.tokens.input, cost.estimate.tokens.basis) == (77, InputBasis.COUNTED)


def test_a_job_without_a_manifest_keeps_its_cost() -> None:
    own = wanted({"bytes": 400, "rows": 10})
    counted = Counted(Usage(Tokens({TEXT: 1_000_000}, output={TEXT: 100_000})), 10)
    cost = plan_of(records=((own, collected(counted=counted)),))["a"].cost

    assert cost.actual is not None
    assert cost.actual.money == Decimal("0.275")  # 0.15 + 0.1 * 1.25


def test_the_price_is_that_of_the_model_that_answered() -> None:
    own = wanted({"bytes": 400, "rows": 10})
    counted = Counted(Usage(Tokens({TEXT: 1_000_000})), 10)
    sent = RowsSent(10, 10, "", sent_with=SentWith(model="gemini-2.5-pro"))
    cost = plan_of(own, records=((own, collected(counted=counted, sent=sent)),))["a"].cost

    assert cost.actual is not None
    assert cost.actual.money == Decimal("0.625")


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 10**6), st.none() | st.integers(0, 10**9)), max_size=5))
def test_the_total_is_the_sum_of_its_jobs(sizes: list[tuple[int, int, int | None]]) -> None:
    jobs = [wanted({"bytes": size, "rows": rows, "most": most}, f"j{n}") for n, (size, rows, most) in enumerate(sizes)]
    costs = [one.cost for one in plan_of(*jobs).values()]
    money = [_estimate(cost).money for cost in costs]

    total = total_cost(costs)

    assert total.jobs == len(jobs)
    assert total.input == (sum(_estimate(cost).tokens.input for cost in costs) if jobs else None)
    high = [one.high for one in money if one is not None and one.high is not None]
    assert total.high == (sum(high) if high else None)
    assert total.unknown_high == len(jobs) - len(high)
    assert (total.low, total.unknown_low) == (None, len(jobs))


@given(st.integers(1, 10**6), st.integers(1, 1000), st.integers(1, 10**4), st.integers(0, 4000))
def test_more_rows_never_cost_less(rows: int, more: int, size: int, most: int) -> None:
    earlier = {"bytes": 40, "rows": 3, "input": {"TEXT": 5, "AUDIO": 5}, "output": {"TEXT": 7}}

    def money(number: int) -> tuple[Decimal, Decimal, Decimal]:
        new = wanted({"bytes": size * number, "rows": number, "most": most * number})
        found = _estimate(plan_of(new, records=((new, ended(earlier)),))["a"].cost).money
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        return found.input, found.low, found.high

    before, after = money(rows), money(rows + more)

    assert all(one <= other for one, other in zip(before, after, strict=True))
    assert before[0] <= before[1] <= before[2]


def _estimate(cost: JobCost) -> CostEstimate:
    assert cost.estimate is not None
    return cost.estimate


class TestTheErrorOfAnEstimate:
    """The actual cost less the expected one, both at the prices of the day on which the attempt ended."""

    EXPECTED = TokenEstimate(1_000_000, InputBasis.BYTES, {TEXT: 1_000_000}, output_low=100_000)
    """0.15 + 0.1 * 1.25 = 0.275"""

    def error(self, *attempts: RecordedAttempt) -> Decimal | None:
        own = wanted({"bytes": 400, "rows": 10})
        recorded = Recorded({"a": row(own, *attempts)})
        found = plan(
            DesiredStack(replace(STACK, prices=PRICES), (own,)), recorded, {HERE: Observation(HERE, NOON)}, NOON
        )
        return found.jobs[0].cost.error

    @pytest.mark.parametrize(
        ("given", "back", "error"),
        [
            (1_000_000, 100_000, "0"),
            (1_200_000, 100_000, "0.03"),  # 200,000 * 0.15
            (1_000_000, 60_000, "-0.05"),  # 40,000 * 1.25
        ],
    )
    def test_of_one_attempt(self, given: int, back: int, error: str) -> None:
        counted = Counted(Usage(Tokens({TEXT: given}, output={TEXT: back})), 10)
        sent = RowsSent(10, 10, "")

        assert self.error(collected(expected=self.EXPECTED, counted=counted, sent=sent)) == Decimal(error)

    def test_of_shards_it_is_that_of_all_of_them(self) -> None:
        counted = Counted(Usage(Tokens({TEXT: 600_000}, output={TEXT: 50_000})), 5)
        first = collected(expected=self.EXPECTED, counted=counted)
        second = replace(first, key=AttemptKey("a", 1, 1), expected=None)

        # Each costs 0.09 + 0.0625 = 0.1525, together 0.305, and 0.275 was expected.
        assert self.error(first, second) == Decimal("0.03")
        assert self.error(first, replace(second, counted=None)) is None

    def test_earlier_attempts_do_not_count(self) -> None:
        counted = Counted(Usage(Tokens({TEXT: 1_000_000}, output={TEXT: 100_000})), 10)
        earlier = collected(1, "FAILED", counted=counted)

        assert self.error(earlier, collected(2, expected=self.EXPECTED, counted=counted)) == 0

    @pytest.mark.parametrize(
        "change",
        [
            {"counted": None},
            {"counted": Counted(Usage(), 1, 1)},
            {"expected": None},
            {"expected": TokenEstimate(1, InputBasis.BYTES, {TEXT: 1})},
            {"tree": {"model": "gemini-9"}},
        ],
    )
    def test_as_long_as_one_of_them_is_not_known(self, change: dict[str, Any]) -> None:
        counted = Counted(Usage(Tokens({TEXT: 5})), 10)

        assert self.error(collected(**{"expected": self.EXPECTED, "counted": counted, **change})) is None


def test_the_estimate_of_an_attempt_is_the_one_that_it_was_created_with() -> None:
    own = wanted({"bytes": 4_000, "rows": 10})
    expected = TokenEstimate(1_000_000, InputBasis.LEARNED, {TEXT: 1_000_000}, output_low=100_000)
    done = collected(expected=expected, tokens=77)
    estimate = _estimate(plan_of(own, records=((own, done),))["a"].cost)

    assert estimate.tokens == expected
    assert estimate.money is not None
    assert (estimate.money.low, estimate.day) == (Decimal("0.275"), date(2026, 11, 22))


def test_the_price_is_that_of_the_expected_end() -> None:
    """Five attempts took a day each, so a job that starts on 30 November ends in December: 0.50 for the million."""
    model = "gemini-3-flash"
    before = wanted({"model": model, "bytes": 400, "rows": 10}, "old")
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    day = timedelta(days=1)
    times = {"create_time": now - 3 * day, "start_time": now - 3 * day, "end_time": now - 2 * day}
    past = [collected(number, name="old", work="2", tree={"model": model}, **times) for number in range(1, 6)]
    new = wanted({"model": model, "bytes": 4_000_000, "rows": 10})
    given = replace(STACK, prices=PRICES)
    recorded = Recorded({"old": row(before, *past)})
    found = plan(DesiredStack(given, (new,)), recorded, {HERE: Observation(HERE, now)}, now)
    estimate = _estimate({one.job: one for one in found.jobs}["a"].cost)

    assert (estimate.day, estimate.day_basis) == (date(2026, 12, 1), DayBasis.FORECAST)
    assert estimate.money is not None
    assert estimate.money.input == Decimal("0.5")


def test_an_attempt_that_ended_is_as_it_was_counted_whatever_a_sample_says() -> None:
    case = {"bytes": 400, "rows": 10, "input": {"TEXT": 90}, "output": {"TEXT": 10}}
    one = replace(wanted(case), sample=TokenSample(1, 100, 50))
    same = replace(ended(case), digest=one.digest)
    size = plan_of(one, records=((one, same),))["a"].size
    assert (size.tokens, size.is_counted, size.sampled_rows) == (90, True, 0)


def test_a_job_of_unknown_size_has_no_tokens_by_a_sample() -> None:
    one = replace(wanted({"rows": 3}), sample=TokenSample(1, 100, 50))
    assert plan_of(one)["a"].size.tokens is None


def test_a_budget_goes_by_the_sample() -> None:
    limits = replace(STACK.limits, spending=SpendingLimits(tokens=1_100))
    one = wanted({"bytes": 4_000, "rows": 10, "most": 100})
    assert plan_of(one, limits=limits)["a"].guard is None
    many = plan_of(replace(one, sample=TokenSample(5, 100, 30)), limits=limits)["a"].guard
    assert many is not None
    assert many.code == "OverBudget"


def test_plans_are_equal_if_their_costs_are() -> None:
    wanted = replace(job("a"), source=LocalFile(Path("a"), "0" * 64, 2), input_bytes=400)

    def priced(prices: Prices | None) -> JobPlan:
        stack = replace(STACK, prices=prices)
        (found,) = plan(DesiredStack(stack, (wanted,)), Recorded(), {HERE: Observation(HERE, NOON)}, NOON).jobs
        assert not isinstance(found.pricing, JobCost)
        return found

    assert priced(PRICES) == priced(PRICES)
    assert priced(PRICES) != priced(None)
    assert priced(PRICES).pricing != JobCost()
    assert priced(None).cost.estimate is not None
