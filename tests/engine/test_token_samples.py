"""The counts of tokens of one run: how many calls it makes, and what happens where one fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from batchctl.engine.providers import Providers
from batchctl.engine.token_samples import TokenSamples
from batchctl.model.cost.prices import Prices
from batchctl.model.cost.spending import Money, SpendingLimits
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.errors import ApiError, RowsError
from batchctl.model.keys import Account
from batchctl.model.observed import Observation
from batchctl.model.recorded import Recorded
from batchctl.model.token_counting import SampledRow, TokenSample
from batchctl.reconcile import plan
from tests.support.decisions import HERE, STACK, THERE, job
from tests.support.values import replace

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PRICED = replace(STACK, prices=Prices("USD", ()))


class Rows:
    """Each job has ten rows of 40 bytes."""

    def __init__(self, unreadable: str = "") -> None:
        self._unreadable = unreadable

    def sample(self, job: DesiredJob, most: int) -> Sequence[SampledRow]:
        if job.name == self._unreadable:
            raise RowsError([])
        return [SampledRow({"job": job.name}, 40)] * min(most, 10)


class Counter:
    """An account that can count, or cannot."""

    def __init__(self, answer: int | ApiError | None = 7) -> None:
        self.answer = answer
        self.calls: list[str] = []

    def count_tokens(self, model: str, request: Mapping[str, Any]) -> int | None:
        self.calls.append(request["job"])
        if isinstance(self.answer, ApiError):
            raise self.answer
        return self.answer


class Run:
    """One run over jobs, with what it noted."""

    def __init__(self, counters: Mapping[Account, object], rows: Rows | None = None) -> None:
        self.notes: list[str] = []
        self.samples = TokenSamples(rows or Rows(), self.notes.append)
        self._providers = Providers(lambda account: counters[account])  # type: ignore[arg-type,return-value]

    def add(self, desired: DesiredStack, *, complete: bool = True) -> dict[str, TokenSample | None]:
        accounts = {one.account for one in desired.jobs}
        observed = {one: Observation(one, NOW, complete=complete) for one in accounts}
        planned = plan(desired, Recorded({}), {one: Observation(one, NOW) for one in accounts}, NOW)
        after = self.samples.add(desired, planned, observed, self._providers)
        return {one.name: one.sample for one in after.jobs}


def stack(*names: str, account: Account = HERE, given: Any = PRICED) -> DesiredStack:
    return DesiredStack(given, tuple(replace(job(name), account=account) for name in names))


@pytest.mark.parametrize(
    ("number", "each"), [(1, [5]), (4, [5] * 4), (7, [2] * 7), (20, [1] * 20), (23, [1] * 20 + [0] * 3)]
)
def test_a_run_makes_few_calls(number: int, each: list[int]) -> None:
    counter = Counter()
    names = [f"j{index:02}" for index in range(number)]
    found = Run({HERE: counter}).add(stack(*names))
    assert [0 if one is None else one.rows for one in found.values()] == each
    assert len(counter.calls) == sum(each) <= 20
    assert found["j00"] == TokenSample(each[0], 40 * each[0], 7 * each[0])


def test_a_job_is_counted_once_in_a_run() -> None:
    counter, desired = Counter(), stack("a")
    run = Run({HERE: counter})
    assert run.add(desired) == run.add(desired) == {"a": TokenSample(5, 200, 35)}
    assert len(counter.calls) == 5


def test_an_account_that_fails_is_asked_no_more() -> None:
    broken, fine = Counter(ApiError("out of order")), Counter()
    run = Run({HERE: broken, THERE: fine})
    desired = DesiredStack(PRICED, (*stack("a", "b").jobs, *stack("c", account=THERE).jobs))
    found = run.add(desired)
    assert [name for name, sample in found.items() if sample is not None] == ["c"]
    assert broken.calls == ["a"]
    assert run.notes == ["a: its tokens are estimated without countTokens: out of order"]


def test_rows_that_cannot_be_read_are_noted() -> None:
    run = Run({HERE: Counter()}, Rows("a"))
    assert [name for name, sample in run.add(stack("a", "b")).items() if sample is not None] == ["b"]
    assert [note.partition(":")[0] for note in run.notes] == ["a"]


@pytest.mark.parametrize("other", [Counter(None), object()])
def test_what_cannot_count_leaves_the_estimate_as_it_is(other: object) -> None:
    run = Run({HERE: other})
    assert run.add(stack("a")) == {"a": None}
    assert run.notes == []


@pytest.mark.parametrize(
    ("given", "calls"),
    [
        (STACK, 0),
        (PRICED, 5),
        (replace(STACK, limits=replace(STACK.limits, spending=SpendingLimits(tokens=10**9))), 5),
        (replace(STACK, limits=replace(STACK.limits, spending=SpendingLimits(Money(Decimal(5), "USD")))), 5),
        (replace(PRICED, limits=replace(STACK.limits, count_tokens=False)), 0),
    ],
)
def test_only_a_stack_that_needs_tokens_asks_for_them(given: Any, calls: int) -> None:
    counter = Counter()
    Run({HERE: counter}).add(stack("a", given=given))
    assert len(counter.calls) == calls


def test_an_account_that_could_not_be_read_is_not_asked() -> None:
    counter = Counter()
    assert Run({HERE: counter}).add(stack("a"), complete=False) == {"a": None}
    assert counter.calls == []
