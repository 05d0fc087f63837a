"""Makes price lists of published price data, the JSON of pydantic's genai-prices.

Only rates of batch jobs are taken. Where the data has none for a model, the model is left out, unless the caller gives
the discount. Source: the data format of genai-prices 0.2 (`providers[].models[]`), reference chapter 16.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from msgspec import Struct

from batchctl.model.cost.tokens import LONG_PROMPT
from batchctl.model.json_value import Json

UNITS = {
    "input_mtok": "input",
    "input_audio_mtok": "inputAudio",
    "input_image_mtok": "inputImage",
    "input_video_mtok": "inputVideo",
    "cache_read_mtok": "cached",
    "cache_audio_read_mtok": "cachedAudio",
    "cache_image_read_mtok": "cachedImage",
    "cache_video_read_mtok": "cachedVideo",
    "output_mtok": "output",
    "output_audio_mtok": "outputAudio",
    "output_image_mtok": "outputImage",
}
"""The rates of a price list, by their names in that data."""
_UNIT = re.compile(r"\w+_mtok")
_NAME = re.compile(r"gemini[A-Za-z0-9._-]*|text-embedding[A-Za-z0-9._-]*")
"""Names of Google's own models. Batch jobs name models without a prefix, so a name that contains one begins with it."""
_BATCH = {"processing": "batch"}
_GOOGLE = "google"

Entry = Mapping[str, Json]
"""One price, as a price list has it."""


class Imported(Struct, frozen=True):
    """The prices that were found, and the models that were left out, with the reason."""

    prices: tuple[Entry, ...]
    left_out: tuple[tuple[str, str], ...]


class _LeftOut(Exception):
    """The reason why a model's prices cannot be taken."""


class _Period(Struct, frozen=True):
    """Rates from a day on; None: always."""

    since: date | None
    rates: Mapping[str, Json]


def from_genai_prices(data: Json, checked: date, discount: Decimal | None = None) -> Imported:
    """The batch prices of Google's models. Raises ValueError if the data has another form.

    `checked` is for models that do not say when they were checked. `discount`, such as 0.5, is taken off the rates of
    input and output of models without rates for batch jobs; rates of cached tokens stay.
    """
    try:
        return _of_google(data, checked, discount)
    except (AttributeError, LookupError, TypeError, ArithmeticError) as error:
        raise ValueError("its data has another form") from error


def _of_google(data: Json, checked: date, discount: Decimal | None) -> Imported:
    providers = data.get("providers") if isinstance(data, Mapping) else data
    found = [one for one in providers if one.get("id") == _GOOGLE] if isinstance(providers, list) else []
    if not found:
        raise ValueError('it has no provider with the id "google"')
    source = str((found[0].get("pricing_urls") or ["genai-prices"])[0])
    prices: list[Entry] = []
    left_out: list[tuple[str, str]] = []
    for model in found[0].get("models", ()):
        facts = {"source": source, "checked": str(model.get("prices_checked") or checked)}
        try:
            names, periods = _names(model), list(_batch_periods(model, discount))
        except _LeftOut as reason:
            left_out.append((str(model.get("id")), str(reason)))
        else:
            prices += [{"model": name, **period, **facts} for name in names for period in periods]
    return Imported(tuple(prices), tuple(left_out))


def _names(model: Mapping[str, Json]) -> list[str]:
    """The names of a model, and starts of names with `*`. Rules that no price list has are left out."""
    rule = model.get("match")
    found = []
    for clause in rule["or"] if isinstance(rule, Mapping) and "or" in rule else [rule]:
        match clause:
            case {"equals": str(name)} | {"ends_with": str(name)} if _NAME.fullmatch(name):
                found.append(name)
            case {"starts_with": str(start)} | {"contains": str(start)} if _NAME.fullmatch(start):
                found.append(f"{start}*")
            case _:
                continue
    if not found:
        raise _LeftOut("its names are given by a rule that price lists do not have")
    return found


def _batch_periods(model: Mapping[str, Json], discount: Decimal | None) -> Iterator[dict[str, Json]]:
    """The rates of batch jobs by period, in their order."""
    given = model.get("prices")
    standard = _periods(given if isinstance(given, Sequence) else [{"prices": given}])
    batch = _periods([one for one in model.get("price_variants") or () if one.get("when") == _BATCH])
    starts = sorted({one.since or date.min for one in (*standard, *batch)})
    is_found = False
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        rates, variant = _active(standard, start), _active(batch, start)
        if variant is None and discount is not None and rates is not None:
            variant = {name: _less(rate, discount) for name, rate in rates.items() if not name.startswith("cache")}
        if variant is None or rates is None:
            continue
        is_found = True
        since = {} if start == date.min else {"since": str(start)}
        until = {} if end is None else {"until": str(end)}
        yield {**since, **until, **_entry_rates({**rates, **variant})}
    if not is_found:
        raise _LeftOut("no price for batch jobs (--batch-discount takes a part off the standard price)")


def _periods(prices: Sequence[Mapping[str, Json]]) -> list[_Period]:
    found = []
    for one in prices:
        constraint = one.get("constraint") or {}
        if constraint.keys() - {"start_date"}:
            raise _LeftOut("its price depends on the time of the day")
        since = constraint.get("start_date")
        rates = {name: rate for name, rate in (one.get("prices") or {}).items() if _UNIT.fullmatch(name)}
        found.append(_Period(None if since is None else date.fromisoformat(since), rates))
    return found


def _active(periods: Sequence[_Period], day: date) -> Mapping[str, Json] | None:
    """The rates of a day: those of the last period that has begun."""
    begun = [one for one in periods if one.since is None or one.since <= day]
    return max(begun, key=lambda one: one.since or date.min).rates if begun else None


def _less(rate: Json, discount: Decimal) -> Json:
    """A rate with the discount taken off."""
    if isinstance(rate, Mapping):
        tiers = [{**tier, "price": _less(tier["price"], discount)} for tier in rate["tiers"]]
        return {"base": _less(rate["base"], discount), "tiers": tiers}
    return float(Decimal(str(rate)) * (1 - discount))


def _entry_rates(rates: Mapping[str, Json]) -> dict[str, Json]:
    unknown = sorted(rates.keys() - UNITS.keys())
    if unknown:
        raise _LeftOut(f"unknown rates: {', '.join(unknown)}")
    short: dict[str, Json] = {}
    long: dict[str, Json] = {}
    for name, rate in rates.items():
        match rate:
            case {"base": base, "tiers": [{"start": start, "price": price}]} if start == LONG_PROMPT:
                short[UNITS[name]], long[UNITS[name]] = base, price
            case float() | int() | str():
                short[UNITS[name]] = float(rate)
            case _:
                raise _LeftOut(f"its rates change elsewhere than at {LONG_PROMPT:,} tokens of prompt")
    return {"perMillionTokens": short, **({"longPrompts": {**short, **long}} if long else {})}
