"""Limits of what a stack may spend, and how much of them is used."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Self

from msgspec import Struct

from batchctl.model.durations import duration_text
from batchctl.model.pattern import Pattern

_MONEY = Pattern(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?([A-Z]{3})")
FINEST_MONEY = Decimal("0.000001")
"""The smallest amount that a person can write."""


class Money(Struct, frozen=True):
    """An amount in one currency."""

    amount: Decimal
    currency: str
    """By ISO 4217, such as USD."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `20 USD` or `0.50 EUR`. Raises ValueError."""
        found = _MONEY.fullmatch(text)
        if found is None:
            raise ValueError("must be an amount with its currency, such as 20 USD")
        return cls(Decimal(found[1]), found[2])

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"


class SpendingLimits(Struct, frozen=True):
    """The most that a stack may spend; None: no limit."""

    budget: Money | None = None
    """For the attempts of a period."""
    budget_per_run: Money | None = None
    """For what one run buys at once."""
    tokens: int | None = None
    """Of input and output, cached ones and thoughts included; for the attempts of a period."""
    tokens_per_run: int | None = None
    period: timedelta = timedelta(days=30)

    @property
    def is_set(self) -> bool:
        """Whether there is any limit."""
        return any(one is not None for one in (self.budget, self.budget_per_run, self.tokens, self.tokens_per_run))

    @property
    def currency(self) -> str | None:
        """Of the limits of money; None if there is none."""
        given = self.budget or self.budget_per_run
        return None if given is None else given.currency


def period_words(period: timedelta) -> str:
    """A period for people: `30 days`, `24 hours` or `1h30m`."""
    for unit, length in (("day", timedelta(days=1)), ("hour", timedelta(hours=1))):
        number, rest = divmod(period, length)
        if number and not rest and (unit == "hour" or number > 1):
            return f"{number} {unit}s" if number > 1 else unit
    return duration_text(period)


class Use(Struct, frozen=True):
    """How much of a limit is used, in money or in tokens."""

    unit: str
    """The currency, or `tokens`."""
    limit: Decimal | None
    """Of the stack, for the period; None: no limit."""
    run_limit: Decimal | None
    """Of what one run buys at once."""
    spent: Decimal
    """By the attempts of the period: counted, or estimated for those that are not collected yet."""
    planned: Decimal
    """By the work that this plan buys, now or when it is its turn, as far as it is known."""
    unknown: int = 0
    """Attempts of the period whose cost is not known: they are not in `spent`."""
    unknown_planned: int = 0
    """Jobs to buy whose cost is not known: they are not in `planned`."""

    @property
    def left(self) -> Decimal | None:
        """The rest of the stack's limit before this plan; None without one."""
        return None if self.limit is None else max(self.limit - self.spent, Decimal(0))


class BudgetUse(Struct, frozen=True):
    """How much of the limits of a stack is used. None where there is no such limit."""

    period: timedelta
    money: Use | None = None
    tokens: Use | None = None
