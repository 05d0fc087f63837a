"""Prices of models by date, and what tokens cost at them.

Amounts are exact decimal numbers in the currency of the price list. Nothing is rounded before it is shown. What is not
known is None, never zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from msgspec import Struct, field

from batchctl.model.cost.tokens import Counts, Modality, Tokens, Usage
from batchctl.model.keys import Api

_MILLION = 6
"""As a power of ten: rates are per million tokens."""
_ANY = "*"


class Rates(Struct, frozen=True):
    """Amounts per million tokens. A modality without a rate of its own has that of text.

    Thoughts are billed as output of text.
    """

    input: Mapping[Modality, Decimal] = field(default_factory=dict)
    cached: Mapping[Modality, Decimal] = field(default_factory=dict)
    output: Mapping[Modality, Decimal] = field(default_factory=dict)

    def cost(self, tokens: Tokens) -> Decimal | None:
        """The cost of tokens; None if there are tokens of a kind that has no rate."""
        output = {**tokens.output, Modality.TEXT: tokens.output.get(Modality.TEXT, 0) + tokens.thoughts}
        parts = (_cost(tokens.input, self.input), _cost(tokens.cached, self.cached), _cost(output, self.output))
        known = [part for part in parts if part is not None]
        return sum(known, Decimal(0)) if len(known) == len(parts) else None


class Price(Struct, frozen=True):
    """The rates of a batch job with a model, from one day to another."""

    model: str
    """The API's name without `models/` and publishers, or the start of names, with `*` at the end."""
    rates: Rates
    source: str
    """Where the figures come from: an address, or a document."""
    checked: date
    """The day on which somebody compared them with the source."""
    api: Api | None = None
    """None: both APIs."""
    since: date | None = None
    """The first day, in UTC."""
    until: date | None = None
    """The day after the last one, in UTC."""
    long_rates: Rates | None = None
    """For rows with long prompts; None: the same as for others."""
    retires: date | None = None
    """The day on which the model is shut down; None: not known."""

    def covers(self, model: str, api: Api, day: date) -> bool:
        """Whether this is a price of a model at an API on a day."""
        return (
            _matches(self.model, model)
            and self.api in {None, api}
            and (self.since is None or self.since <= day)
            and (self.until is None or day < self.until)
        )

    def cost(self, usage: Usage) -> Decimal | None:
        """The cost of tokens; None if there are tokens of a kind that has no rate."""
        short, long = self.rates.cost(usage.short), (self.long_rates or self.rates).cost(usage.long)
        return None if short is None or long is None else short + long


class Prices(Struct, frozen=True):
    """A price list."""

    currency: str
    """Of all amounts, by ISO 4217, such as USD."""
    prices: tuple[Price, ...] = ()

    def find(self, model: str, api: Api, day: date) -> Price | None:
        """The price of a model at an API on a day; None if the list has none.

        Of several, a whole name wins over the start of names, a longer start over a shorter one, and then a price for
        one API over one for both.
        """
        name = short_name(model)
        return max((one for one in self.prices if one.covers(name, api, day)), key=_precision, default=None)

    def cost(self, model: str, api: Api, day: date, usage: Usage) -> Decimal | None:
        """The cost of tokens on a day; None if the list does not say."""
        price = self.find(model, api, day)
        return None if price is None else price.cost(usage)


def short_name(model: str) -> str:
    """The name of a model without `models/`, `publishers/google/models/` and the path of a project."""
    return model.rpartition("/")[2]


def clashes(prices: Sequence[Price]) -> list[tuple[int, int]]:
    """Pairs of positions of prices of which neither wins: for the same models and API, on at least one day."""
    found: list[tuple[int, int]] = []
    seen: dict[tuple[str, Api | None], list[int]] = {}
    for position, price in enumerate(prices):
        others = seen.setdefault((price.model, price.api), [])
        found += [(other, position) for other in others if _overlap(prices[other], price)]
        others.append(position)
    return found


def _matches(pattern: str, model: str) -> bool:
    return model.startswith(pattern[:-1]) if pattern.endswith(_ANY) else model == pattern


def _precision(price: Price) -> tuple[bool, int, bool]:
    return not price.model.endswith(_ANY), len(price.model), price.api is not None


def _overlap(one: Price, other: Price) -> bool:
    return not (_ends_before(one, other) or _ends_before(other, one))


def _ends_before(one: Price, other: Price) -> bool:
    return one.until is not None and other.since is not None and one.until <= other.since


def _cost(counts: Counts, rates: Mapping[Modality, Decimal]) -> Decimal | None:
    total = Decimal(0)
    for kind, number in counts.items():
        if number:
            rate = rates.get(kind, rates.get(Modality.TEXT))
            if rate is None:
                return None
            total += (rate * number).scaleb(-_MILLION)
    return total
