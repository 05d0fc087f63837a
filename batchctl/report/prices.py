"""The prices of the models of a stack, as text and as `batchctl/prices/v1`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from msgspec import Struct

from batchctl.model.cost.prices import Price, Prices, Rates
from batchctl.model.cost.tokens import Modality
from batchctl.model.desired import DesiredStack
from batchctl.model.json_value import Json
from batchctl.model.keys import Api
from batchctl.report.console import Console
from batchctl.report.layout import Row, count, outside, write_line, write_table
from batchctl.report.text import Text

_HEADER = ("MODEL", "API", "INPUT", "CACHED", "OUTPUT", "UNTIL", "SOURCE")
_UNKNOWN = "-"


class ModelPrice(Struct, frozen=True):
    """A model of the stack; None: the list has no price for it on the day."""

    model: str
    api: Api
    jobs: int
    price: Price | None


class PricesReport(Struct, frozen=True):
    """The models of a stack, sorted."""

    stack: str
    currency: str
    day: date
    models: tuple[ModelPrice, ...]


def report_prices(desired: DesiredStack, prices: Prices, day: date) -> PricesReport:
    """The price of each model that a job of the stack names."""
    jobs: dict[tuple[str, Api], int] = {}
    for job in desired.jobs:
        jobs[job.model, job.account.api] = jobs.get((job.model, job.account.api), 0) + 1
    models = (ModelPrice(model, api, jobs[model, api], prices.find(model, api, day)) for model, api in sorted(jobs))
    return PricesReport(desired.stack.name, prices.currency, day, tuple(models))


def write_prices(report: PricesReport, console: Console) -> None:
    """A line for each model: amounts per million tokens of text."""
    write_table(console, [_row(model) for model in report.models], header=_HEADER)
    write_line(console)
    unknown = sum(model.price is None for model in report.models)
    words = f"{report.currency} per million tokens of text on {report.day}, for batch jobs"
    write_line(console, (f"{words}; {count(unknown, 'model')} without a price." if unknown else f"{words}.", "bold"))


def prices_document(report: PricesReport) -> Mapping[str, Json]:
    """The same, with all rates."""
    return {
        "format": "batchctl/prices/v1",
        "stack": report.stack,
        "currency": report.currency,
        "day": str(report.day),
        "models": [
            {
                "model": model.model,
                "api": model.api.value,
                "jobs": model.jobs,
                "price": None if model.price is None else _price_fields(model.price),
            }
            for model in report.models
        ],
    }


def _price_fields(price: Price) -> Mapping[str, Json]:
    return {
        "model": price.model,
        "since": None if price.since is None else str(price.since),
        "until": None if price.until is None else str(price.until),
        "perMillionTokens": _rate_fields(price.rates),
        "longPrompts": None if price.long_rates is None else _rate_fields(price.long_rates),
        "source": price.source,
        "checked": str(price.checked),
    }


def _rate_fields(rates: Rates) -> Mapping[str, Json]:
    """Exact amounts, as texts, by the names of a price list."""
    kinds = {"input": rates.input, "cached": rates.cached, "output": rates.output}
    return {
        f"{kind}{'' if modality is Modality.TEXT else modality.capitalize()}": _amount(amount)
        for kind, amounts in kinds.items()
        for modality, amount in amounts.items()
    }


def _row(model: ModelPrice) -> Row:
    name, api = outside(model.model), Text(model.api.value)
    price = model.price
    if price is None:
        return Row((name, api, *(Text(_UNKNOWN) for _ in range(4)), Text("no price in the list", style="yellow")))
    amounts = (price.rates.input, price.rates.cached, price.rates.output)
    cells = [Text(_amount(one[Modality.TEXT]) if Modality.TEXT in one else _UNKNOWN) for one in amounts]
    until = Text(_UNKNOWN if price.until is None else str(price.until))
    return Row((name, api, *cells, until, outside(price.source)))


def _amount(amount: Decimal) -> str:
    """Without zeros that say nothing, and never as a power of ten."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
