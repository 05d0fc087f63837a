"""The cost of a job: an estimate before its run, and the count of the API after it. What is not known is None."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from batchctl.model.cost.tokens import Counts, Usage, add_usage

if TYPE_CHECKING:
    from batchctl.model.work_size import WorkSize


class InputBasis(StrEnum):
    """Where the tokens of an input come from."""

    BYTES = "bytes"
    """A quarter of the bytes."""
    LEARNED = "learned"
    """The bytes, and what the API counted for earlier jobs of the account and model."""
    COUNT_TOKENS = "countTokens"
    """The bytes, and what the API counted beforehand for some of the rows."""
    COUNTED = "counted"
    """The API counted these rows in an attempt that has ended."""


class OutputBasis(StrEnum):
    """Where the lower end of the tokens of an output comes from."""

    JOB = "job"
    """The answers of the job's earlier attempts, on average."""
    MODEL = "model"
    """The answers of jobs of the same account and model, on average."""
    NONE = "none"
    """Embeddings: they have no tokens of output."""


class DayBasis(StrEnum):
    """Which day's price an estimate has."""

    TODAY = "today"
    FORECAST = "forecast"
    """The day on which the job is expected to end."""


class TokenEstimate(Struct, frozen=True, omit_defaults=True):
    """The tokens of a job's rows before they are counted."""

    input: int
    basis: InputBasis
    parts: Counts = field(default_factory=dict)
    """The input by modality; the sum is `input`."""
    output_low: int | None = None
    """Expected by earlier answers, thoughts included."""
    output_high: int | None = None
    """By `maxOutputTokens`; None if a row sets no limit."""
    output_basis: OutputBasis | None = None
    sampled_rows: int = 0
    """The rows that were counted beforehand, for the basis `COUNT_TOKENS`."""


class MoneyRange(Struct, frozen=True):
    """Money for an estimate of tokens."""

    input: Decimal
    low: Decimal | None
    """With the expected output."""
    high: Decimal | None
    """With the most output."""


class CostEstimate(Struct, frozen=True):
    """The expected cost of one attempt with all its shards."""

    tokens: TokenEstimate
    day: date
    """In UTC."""
    day_basis: DayBasis = DayBasis.TODAY
    money: MoneyRange | None = None
    """None: the price list has no price."""


class Actual(Struct, frozen=True):
    """The tokens that the API counted for the answers of attempts that are collected, and their cost."""

    usage: Usage
    rows: int
    """Answers with counts."""
    uncounted: int = 0
    """Answers whose cost is not known: the API gave no counts, or another service tier."""
    money: Decimal | None = None
    """None if any part of it is not known."""


class JobCost(Struct, frozen=True):
    """The cost of one job. Amounts are in the currency of the price list."""

    currency: str | None = None
    """None: the stack has no price list."""
    estimate: CostEstimate | None = None
    """Of the work to buy, else of the current attempt; None if the size is not known."""
    actual: Actual | None = None
    """Of all its attempts; None if nothing was counted."""
    error: Decimal | None = None
    """The actual cost of the current attempt less its estimate; None as long as one of them is not known."""


class Pricing(Protocol):
    """Computes the cost of a job when a report asks for it: of thousands of jobs, most reports show none."""

    def cost_of(self, size: WorkSize, end: datetime | None) -> JobCost:
        """The cost of work of this size. `end`: when it is expected to end."""
        ...


class CostTotal(Struct, frozen=True):
    """A sum over jobs. Each sum has the jobs that know it; `None` if none does."""

    jobs: int
    currency: str | None
    input: int | None
    output_low: int | None
    output_high: int | None
    low: Decimal | None
    high: Decimal | None
    input_money: Decimal | None
    actual: Actual | None
    unknown_low: int
    """Jobs whose estimate has no lower end in money."""
    unknown_high: int
    """Jobs whose estimate has no upper end in money."""
    unknown_actual: int
    """Jobs with counted answers of unknown cost."""
    least: Decimal | None = None
    """The lower end for all jobs together: one without a lower end has the cost of its input; None if none has any."""
    most: Decimal | None = None
    """The upper end for all jobs together; None if one of known cost has none."""
    unknown: int = 0
    """Jobs that neither end has: their estimate has neither a lower nor an upper end."""


def total_cost(costs: Iterable[JobCost]) -> CostTotal:
    """The sum of the costs of jobs of one stack."""
    found = tuple(costs)
    estimates = [one.estimate for one in found if one.estimate is not None]
    tokens = [one.tokens for one in estimates]
    money = [one.money for one in estimates if one.money is not None]
    known = [one for one in money if one.low is not None or one.high is not None]
    actual = [one.actual for one in found if one.actual is not None]
    return CostTotal(
        jobs=len(found),
        currency=next((one.currency for one in found if one.currency is not None), None),
        input=_sum(one.input for one in tokens),
        output_low=_sum(one.output_low for one in tokens),
        output_high=_sum(one.output_high for one in tokens),
        low=_money(one.low for one in money),
        high=_money(one.high for one in money),
        input_money=_money(one.input for one in money),
        actual=_sum_of_known(actual),
        unknown_low=len(found) - sum(one.low is not None for one in money),
        unknown_high=len(found) - sum(one.high is not None for one in money),
        unknown_actual=sum(one.money is None for one in actual),
        least=_money(one.input if one.low is None else one.low for one in known)
        if any(one.low is not None for one in known)
        else None,
        most=_money(one.high for one in known) if all(one.high is not None for one in known) else None,
        unknown=len(found) - len(known),
    )


def add_actual(parts: Iterable[Actual]) -> Actual | None:
    """The sum; its money is None if that of any part is. None without parts."""
    found = tuple(parts)
    if not found:
        return None
    if len(found) == 1:
        return found[0]
    money = [one.money for one in found]
    known = [one for one in money if one is not None]
    return Actual(
        add_usage(one.usage for one in found),
        sum(one.rows for one in found),
        sum(one.uncounted for one in found),
        sum(known, Decimal(0)) if len(known) == len(money) else None,
    )


def _sum_of_known(parts: Iterable[Actual]) -> Actual | None:
    """The sum over jobs; its money is that of the jobs whose cost is known."""
    found = tuple(parts)
    total = add_actual(found)
    return None if total is None else replace(total, money=_money(one.money for one in found))


def _sum(numbers: Iterable[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _money(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known else None
