"""Limits of money and tokens: what is spent, what is refused with which flag, and what waits in `watch`.

The prices: 0.15 for a million tokens of input, 1.25 for output. A job `of(1)` has 1,000,000 tokens of input and at most
680,000 of output: 0.15 + 0.85 = 1.00 USD at most.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from batchctl.model.attempts import Intent, RecordedAttempt
from batchctl.model.cost.job_cost import InputBasis, TokenEstimate
from batchctl.model.cost.prices import Price, Prices, Rates
from batchctl.model.cost.spending import BudgetUse, Money, SpendingLimits
from batchctl.model.cost.tokens import Counted, Modality, Tokens, Usage
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.errors import NotYetError
from batchctl.model.history import PastAttempt
from batchctl.model.keys import AttemptKey
from batchctl.model.observed import Observation
from batchctl.model.outcome import Result
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded
from batchctl.model.row_work import RowsSent
from batchctl.model.sources import LocalFile, UnknownSource
from batchctl.reconcile import Options, outcome_of, plan
from tests.support.decisions import HERE, LOCAL, NOW, STACK, attempt, collected, job, row, seen
from tests.support.queue_limits import admitted, of
from tests.support.values import replace

TEXT = Modality.TEXT
RATES = Rates({TEXT: Decimal("0.15")}, {}, {TEXT: Decimal("1.25")})
PRICES = Prices("USD", (Price("gemini-2.5-flash", RATES, "a page", date(2026, 11, 1)),))
DAY = timedelta(days=1)
ONE_USD = TokenEstimate(1_000_000, InputBasis.BYTES, {TEXT: 1_000_000}, output_high=680_000)
COUNTED = Counted(Usage(Tokens({TEXT: 1_000_000}, output={TEXT: 200_000})), 10)
"""0.15 + 0.25 = 0.40 USD, and 1,200,000 tokens."""


def costing(name: str, usd: int = 1, **fields: Any) -> DesiredJob:
    """A job that costs so many dollars at most."""
    source = LocalFile(Path("/s/rows.jsonl"), "0" * 64, 10, output_tokens=680_000 * usd)
    return replace(job(name, tokens=1_000_000 * usd, **fields), source=source)


def usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


def planned(
    *jobs: DesiredJob,
    before: tuple[RecordedAttempt, ...] = (),
    options: Options | None = None,
    prices: Prices | None = PRICES,
    **limits: Any,
) -> Plan:
    """The plan for some jobs; `before` are the attempts of a recorded job `old`, whose manifest is as recorded."""
    spending = SpendingLimits(**limits)
    stack = replace(STACK, prices=prices, limits=replace(STACK.limits, spending=spending))
    old = replace(job("old"), digest="d1:" + "9" * 64)
    recorded = Recorded({"old": row(old, *before)} if before else {})
    shown = {one.remote: one for one in before if one.remote and not one.has_ended}
    look = Observation(HERE, NOW, tuple(seen(one) for one in shown.values()))
    wanted = (*jobs, old) if before else jobs
    return plan(DesiredStack(stack, wanted), recorded, {HERE: look}, LOCAL, options or Options())


def done(**fields: Any) -> RecordedAttempt:
    return collected(name="old", work="9", **fields)


def at_work(number: int = 1, **fields: Any) -> RecordedAttempt:
    return attempt(number, name="old", work="9", **fields)


def refusals(made: Plan) -> list[tuple[str, str, str]]:
    return [(guard.code, guard.message, guard.way_out) for guard in made.guards]


def money(made: Plan) -> tuple[Decimal, Decimal, int, int]:
    use = used(made).money
    assert use is not None
    return use.spent, use.planned, use.unknown, use.unknown_planned


def used(made: Plan) -> BudgetUse:
    assert made.budget is not None
    return made.budget


def test_without_limits_nothing_is_counted() -> None:
    made = planned(costing("a", 1000))

    assert (made.budget, made.guards, admitted(made)) == (None, (), "a")


class TestARunThatAPersonStarts:
    def test_what_fits_is_bought(self) -> None:
        made = planned(costing("a"), costing("b"), budget=usd("2"))

        assert (made.guards, admitted(made)) == ((), "a b")
        assert money(made) == (Decimal(0), Decimal("2.00"), 0, 0)

    def test_a_cent_more_refuses_all_of_it(self) -> None:
        made = planned(costing("a"), costing("b"), budget=usd("1.99"))

        message = (
            "the work to buy needs up to 2.00 USD; 0.00 USD of 1.99 USD are spent or committed in the last 30 days"
        )
        assert refusals(made) == [("OverBudget", message, "--budget-increase '0.01 USD'")]
        assert admitted(made) == ""

    def test_the_increase_that_it_names_is_enough(self) -> None:
        options = Options(budget_increase=Decimal("0.01"))
        made = planned(costing("a"), costing("b"), budget=usd("1.99"), options=options)

        assert (made.guards, admitted(made)) == ((), "a b")

    @pytest.mark.parametrize(("limit", "increase"), [("0.999877", "0.00013"), ("0.999999", "0.000001")])
    def test_an_increase_below_a_cent_can_be_written_and_is_enough(self, limit: str, increase: str) -> None:
        made = planned(costing("a"), budget=usd(limit))
        assert refusals(made)[0][2] == f"--budget-increase '{increase} USD'"
        assert Money.parse(f"{increase} USD").amount == Decimal(increase)
        assert planned(costing("a"), budget=usd(limit), options=Options(budget_increase=Decimal(increase))).guards == ()

    def test_the_smallest_excess_is_rounded_up_to_what_can_be_written(self) -> None:
        made = planned(costing("a"), budget=Money(Decimal("0.99999990"), "USD"))
        assert refusals(made)[0][2] == "--budget-increase '0.000001 USD'"

    def test_the_increase_is_named_on_top_of_the_given_one(self) -> None:
        made = planned(costing("a", 3), budget=usd("1"), options=Options(budget_increase=Decimal("0.5")))

        assert refusals(made)[0][2] == "--budget-increase '2.00 USD'"

    def test_what_was_spent_counts(self) -> None:
        made = planned(costing("a"), budget=usd("1.3"), before=(done(counted=COUNTED),))

        assert money(made) == (Decimal("0.40"), Decimal("1.00"), 0, 0)
        assert refusals(made)[0][2] == "--budget-increase '0.10 USD'"

    def test_a_limit_of_one_run_leaves_out_what_was_spent(self) -> None:
        before = (done(counted=COUNTED),)

        assert planned(costing("a"), budget_per_run=usd("1"), before=before).guards == ()
        made = planned(costing("a"), costing("b"), budget_per_run=usd("1.5"), before=before)
        message = "the work to buy needs up to 2.00 USD; the limit of one run is 1.50 USD"
        assert refusals(made) == [("OverBudget", message, "--budget-increase '0.50 USD'")]

    def test_what_earlier_passes_of_the_run_bought_counts_for_its_limit(self) -> None:
        before = (done(counted=COUNTED),)
        bought = Options(bought=frozenset({before[0].key, AttemptKey("gone", 1, 0)}))

        assert planned(costing("a"), budget_per_run=usd("1.4"), before=before, options=bought).guards == ()
        made = planned(costing("a"), budget_per_run=usd("1.3"), before=before, options=bought)
        message = (
            "the work to buy needs up to 1.00 USD; the limit of one run is 1.30 USD, and 0.40 USD are bought already"
        )
        assert refusals(made) == [("OverBudget", message, "--budget-increase '0.10 USD'")]
        unsent = (replace(before[0], remote=None, counted=None),)
        assert planned(costing("a"), budget_per_run=usd("1"), before=unsent, options=bought).guards == ()

    def test_both_limits_are_kept(self) -> None:
        made = planned(costing("a", 5), budget=usd("4"), budget_per_run=usd("1"))

        assert refusals(made)[0][2] == "--budget-increase '4.00 USD'"
        assert "are spent or committed" in refusals(made)[0][1]
        assert "the limit of one run is 1.00 USD" in refusals(made)[0][1]

    def test_tokens(self) -> None:
        assert planned(costing("a"), tokens=1_680_000, prices=None).guards == ()
        made = planned(costing("a"), tokens=1_679_999, prices=None)
        message = (
            "the work to buy needs up to 1,680,000 tokens; 0 tokens of 1,679,999 tokens are spent or committed"
            " in the last 30 days"
        )
        assert refusals(made) == [("OverBudget", message, "--budget-increase '1 tokens'")]
        raised = planned(costing("a"), tokens=1_679_999, prices=None, options=Options(tokens_increase=1))
        assert raised.guards == ()
        assert (
            planned(costing("a"), tokens_per_run=1_680_000, prices=None, before=(done(counted=COUNTED),)).guards == ()
        )

    def test_another_guard_comes_first(self) -> None:
        made = planned(costing("a"), budget=usd("0.5"), options=Options(consent=False))

        assert [code for code, _, _ in refusals(made)] == ["ConsentNeeded"]
        assert money(made)[1] == 0

    def test_jobs_that_buy_nothing_are_not_refused(self) -> None:
        made = planned(costing("a", 9), budget=usd("1"), before=(done(counted=COUNTED),))

        assert of(made, "old").guard is None

    def test_a_job_that_waits_for_its_turn_counts(self) -> None:
        jobs = costing("a"), costing("b", needs=["a"])

        assert (planned(*jobs, budget=usd("2")).guards, money(planned(*jobs, budget=usd("2")))[1]) == ((), 2)
        assert refusals(planned(*jobs, budget=usd("1.5")))[0][2] == "--budget-increase '0.50 USD'"


class TestCostsThatAreNotKnown:
    @pytest.mark.parametrize(
        ("new", "why", "way"),
        [
            pytest.param(
                costing("a", model="gemini-9"),
                "there is a limit of money, and the price list has no price for the model of a on 2026-11-22",
                "add it to spec.prices, or --allow-unknown-cost",
                id="no price",
            ),
            pytest.param(
                replace(costing("a"), source=LocalFile(Path("/s/x"), "0" * 64, 10)),
                "there is a limit of money, and a row of a sets no maxOutputTokens, and no answer of its model was"
                " collected yet",
                "set generationConfig.maxOutputTokens, or --allow-unknown-cost",
                id="no bound of the output",
            ),
            pytest.param(
                replace(job("a"), source=UnknownSource()),
                "there is a limit of money, and the size of a is not known, because batchctl does not send its rows",
                "--allow-unknown-cost",
                id="no size",
            ),
        ],
    )
    def test_they_are_refused(self, new: DesiredJob, why: str, way: str) -> None:
        made = planned(new, costing("b"), budget=usd("100"))

        assert refusals(made) == [("CostUnknown", why, way)]
        assert (admitted(made), money(made)[3]) == ("b", 1)
        assert admitted(planned(new, costing("b"), budget=usd("1"), options=Options(allow_unknown_cost=True))) == "a b"

    def test_tokens_need_no_price(self) -> None:
        assert planned(costing("a", model="gemini-9"), tokens=10**7, prices=None).guards == ()
        made = planned(replace(costing("a"), source=LocalFile(Path("/s/x"), "0" * 64, 10)), tokens=10**7)
        assert refusals(made)[0][1].startswith("there is a limit of tokens, and a row of a sets no maxOutputTokens")


class TestWhatIsSpent:
    @pytest.mark.parametrize(
        ("before", "spent", "unknown"),
        [
            pytest.param([done(counted=COUNTED)], "0.40", 0, id="counted"),
            pytest.param([done(counted=COUNTED), done(number=2, counted=COUNTED)], "0.80", 0, id="all attempts"),
            pytest.param([at_work(expected=ONE_USD)], "1.00", 0, id="at work: the most"),
            pytest.param(
                [at_work(expected=replace(ONE_USD, output_high=None, output_low=200_000))],
                "0.40",
                0,
                id="else the expected",
            ),
            pytest.param([done(expected=ONE_USD)], "1.00", 0, id="an attempt of which nothing was counted"),
            pytest.param([done(expected=ONE_USD, counted=Counted(Usage(), 0, 3))], "1.00", 0, id="not all was counted"),
            pytest.param([done()], "0", 1, id="nothing is known of it"),
            pytest.param([at_work(expected=replace(ONE_USD, output_high=None))], "0", 1, id="no bound"),
            pytest.param([done(counted=COUNTED, create_time=LOCAL - 31 * DAY)], "0", 0, id="before the period"),
            pytest.param([done(counted=COUNTED, create_time=LOCAL - 30 * DAY)], "0.40", 0, id="at its start"),
            pytest.param([done(counted=COUNTED, create_time=None)], "0.40", 0, id="at an unknown time"),
            pytest.param([at_work(state=None, remote=None, rejected=True, expected=ONE_USD)], "0", 0, id="refused"),
            pytest.param([at_work(state=None, remote=None, expected=ONE_USD)], "0", 0, id="not sent"),
            pytest.param(
                [at_work(state=None, remote=None, intent=Intent(LOCAL), expected=ONE_USD)],
                "1.00",
                0,
                id="no answer yet",
            ),
            pytest.param(
                [at_work(state=None, remote=None, intent=Intent(LOCAL - 31 * DAY), expected=ONE_USD)],
                "0",
                0,
                id="long ago",
            ),
        ],
    )
    def test_by_attempts(self, before: list[RecordedAttempt], spent: str, unknown: int) -> None:
        made = planned(before=tuple(before), budget=usd("100"))

        assert (money(made)[0], money(made)[2]) == (Decimal(spent), unknown)

    def test_tokens(self) -> None:
        made = planned(before=(done(counted=COUNTED), at_work(2, expected=ONE_USD)), tokens=10**7)
        use = used(made).tokens

        assert use is not None
        assert use.spent == 1_200_000 + 1_680_000
        assert planned(before=(done(counted=Counted(Usage(), 1, 1)),), tokens=9).budget is not None

    def test_the_first_shard_has_the_estimate_of_all(self) -> None:
        first = at_work(expected=ONE_USD, sent=RowsSent(5, 10, "", shards=2))
        second = replace(first, key=AttemptKey("old", 1, 1), remote="batches/old-1b", expected=None, counted=COUNTED)

        assert money(planned(before=(first, second), budget=usd("100")))[0] == Decimal("1.00")

    def test_forgotten_jobs_were_paid_for(self) -> None:
        def past(counted: Counted | None, created: datetime) -> PastAttempt:
            return PastAttempt(
                HERE, "batches/x", "gemini-2.5-flash", 10, "JOB_STATE_SUCCEEDED", created, None, NOW, counted
            )

        def spent(*history: PastAttempt) -> tuple[Decimal, int]:
            spending = SpendingLimits(budget=usd("100"))
            stack = replace(STACK, prices=PRICES, limits=replace(STACK.limits, spending=spending))
            made = plan(DesiredStack(stack, ()), Recorded(history=history), {HERE: Observation(HERE, NOW)}, LOCAL)
            return money(made)[0], money(made)[2]

        assert spent(past(COUNTED, NOW - DAY), past(COUNTED, NOW - 31 * DAY)) == (Decimal("0.40"), 0)
        assert spent(past(None, NOW - DAY)) == (0, 1)

    def test_what_is_left(self) -> None:
        use = used(planned(before=(done(counted=COUNTED),), budget=usd("1"))).money
        assert use is not None
        assert use.left == Decimal("0.60")
        assert replace(use, limit=Decimal("0.1")).left == 0
        assert replace(use, limit=None).left is None


class TestWatch:
    WAITS = Options(waits_for_budget=True)

    def test_it_buys_what_fits_and_the_rest_waits(self) -> None:
        made = planned(costing("a"), costing("b"), costing("c"), budget=usd("2.5"), options=self.WAITS)

        assert (made.guards, admitted(made)) == ((), "a b")
        assert (of(made, "c").code, of(made, "c").phase) == ("Budget", "Waiting")
        assert of(made, "c").reason.endswith("; of the budget, 0.50 USD are left, and c needs 1.00 USD")

    def test_the_run_ends_with_a_job_that_is_not_there_yet(self) -> None:
        made = planned(costing("a"), budget=usd("0.5"), options=self.WAITS)
        outcome = outcome_of(of(made, "a"), None)

        assert (outcome.result, type(outcome.error)) == (Result.PENDING, NotYetError)
        assert "--budget-increase" in str(outcome.error and outcome.error.hint)

    def test_a_smaller_job_does_not_overtake(self) -> None:
        made = planned(costing("a", 2), costing("b"), budget=usd("1"), options=self.WAITS)

        assert (made.guards, admitted(made)) == ((), "")
        assert of(made, "b").code == "Budget"

    def test_the_order_is_that_of_the_queue(self) -> None:
        made = planned(costing("a"), costing("b", priority=1), budget_per_run=usd("1"), options=self.WAITS)

        assert admitted(made) == "b"
        assert of(made, "a").reason.endswith("of the budget, 0.00 USD are left, and a needs 1.00 USD")

    def test_what_waits_for_another_job_needs_no_budget_yet(self) -> None:
        made = planned(costing("a", needs=["b"]), costing("b"), budget=usd("1"), options=self.WAITS)

        assert admitted(made) == "b"
        assert of(made, "a").code != "Budget"

    def test_unknown_costs_wait(self) -> None:
        made = planned(costing("a", model="gemini-9"), costing("b", model="gemini-9"), tokens=10**7, options=self.WAITS)
        assert admitted(made) == "a b"
        made = planned(costing("a", model="gemini-9"), budget=usd("1"), options=self.WAITS)
        assert "has no price for the model of a" in of(made, "a").reason
        allowed = replace(self.WAITS, allow_unknown_cost=True)
        assert admitted(planned(costing("a", model="gemini-9"), budget=usd("1"), options=allowed)) == "a"

    def test_an_increase_lets_more_through(self) -> None:
        options = replace(self.WAITS, budget_increase=Decimal(1))
        made = planned(costing("a"), costing("b"), costing("c"), budget=usd("1"), options=options)

        assert admitted(made) == "a b"


def test_a_call_that_is_sent_again_counts_once() -> None:
    """The grace of an unanswered call is over: the same attempt is created again."""
    lost = attempt(1, None, remote=None, intent=Intent(LOCAL - DAY, LOCAL - DAY, NOW - DAY), expected=ONE_USD)
    spending = SpendingLimits(budget=usd("1.5"))
    stack = replace(STACK, prices=PRICES, limits=replace(STACK.limits, spending=spending))
    wanted = costing("a")
    made = plan(
        DesiredStack(stack, (wanted,)), Recorded({"a": row(wanted, lost)}), {HERE: Observation(HERE, NOW)}, LOCAL
    )

    assert (made.guards, admitted(made)) == ((), "a")
    assert money(made)[:2] == (Decimal(0), Decimal("1.00"))


def test_further_shards_of_an_attempt_count_once() -> None:
    sent = RowsSent(5, 10, "", shards=2)
    first = attempt(expected=ONE_USD, sent=sent)
    second = attempt(1, None, remote=None, sent=sent)
    second = replace(second, key=AttemptKey("a", 1, 1), token="token00009")
    spending = SpendingLimits(budget=usd("1.5"))
    stack = replace(STACK, prices=PRICES, limits=replace(STACK.limits, spending=spending))
    wanted = costing("a")
    look = Observation(HERE, NOW, (seen(first),))
    made = plan(DesiredStack(stack, (wanted,)), Recorded({"a": row(wanted, first, second)}), {HERE: look}, LOCAL)

    assert (made.guards, admitted(made)) == ((), "a")
    assert money(made)[:2] == (Decimal("1.00"), Decimal(0))
