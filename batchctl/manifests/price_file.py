"""Reads a price list: a YAML file of the kind `PriceList`, which the stack file names with `spec.prices`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

from batchctl.manifests.compose import compose
from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.manifest_files import OUTSIDE_HINT, read_bounded, shown_path
from batchctl.manifests.merge import without_nulls
from batchctl.manifests.nodes import Items, Members, Node, find, key_place, plain, value_of
from batchctl.manifests.schema import read_schema
from batchctl.manifests.schema_check import Checker
from batchctl.manifests.trust import Trust, resolved
from batchctl.model.cost.prices import Price, Prices, Rates, clashes
from batchctl.model.cost.tokens import Modality
from batchctl.model.errors import ManifestError
from batchctl.model.json_value import Json
from batchctl.model.keys import Api
from batchctl.model.locations import Diagnostic, Location
from batchctl.model.quoting import shown

_DAYS = ("since", "until", "checked", "retires")
_KINDS = ("input", "cached", "output")


def read_price_list(
    name: str, place: Location, folder: Path, shown_folder: Path, trust: Trust, faults: Faults
) -> tuple[Path | None, Prices | None]:
    """The price list that a stack file names at a place, resolved, and its prices; errors go to `faults`."""
    path = folder / name
    if not trust.allows_path(path, folder):
        message = f"the price list {shown(name)} is outside the stack's folder"
        faults.add(place, Code.OUTSIDE_STACK, message, OUTSIDE_HINT)
        return None, None
    if not path.exists():
        hint = "`batchctl prices import` writes a price list"
        faults.add(place, Code.FILE_NOT_FOUND, f"there is no file {shown(name)}", hint)
        return None, None
    try:
        return resolved(path), read_prices(path, shown_path(path, folder, shown_folder))
    except ManifestError as error:
        faults.extend(error)
        return resolved(path), None


def read_prices(path: Path, shown_path: str) -> Prices:
    """The prices of a file. Raises ManifestError with all of its errors."""
    try:
        data = read_bounded(path)
    except OSError as error:
        message = f"the price list cannot be read: {error.strerror}"
        raise ManifestError([Diagnostic(Location(shown_path), Code.UNREADABLE_FILE, message)]) from error
    return parse_prices(data, shown_path)


def parse_prices(data: bytes, shown_path: str) -> Prices:
    """The prices of a file's content. Raises ManifestError with all of its errors."""
    start, faults = Location(shown_path), Faults()
    roots = compose(data, shown_path, faults)
    faults.raise_if_any()
    if len(roots) != 1 or not isinstance(roots[0], Members):
        place = roots[-1].location if roots else start
        hint = "apiVersion, kind: PriceList, currency and prices; `batchctl prices import` writes one"
        raise ManifestError([Diagnostic(place, Code.WRONG_TYPE, "a price list is one mapping", hint)])
    root = without_nulls(roots[0])
    prices = _prices(root, faults) if _checker().check(root, faults) else ()
    faults.raise_if_any()
    return Prices(value_of(root, "currency"), prices)


@cache
def _checker() -> Checker:
    return Checker(read_schema("pricelist"))


def _prices(root: Node, faults: Faults) -> tuple[Price, ...]:
    items = find(root, "prices")
    nodes = items.values if isinstance(items, Items) else ()
    prices = [_price(node, faults) for node in nodes]
    found = tuple(price for price in prices if price is not None)
    for first, second in clashes(found) if len(found) == len(prices) else ():
        message = f"a second price for {shown(found[second].model)} on the same days"
        hint = f"the first is at {nodes[first].location}; give them days that do not overlap"
        faults.add(nodes[second].location, Code.DUPLICATE_NAME, message, hint)
    return found


def _price(node: Node, faults: Faults) -> Price | None:
    entry: Mapping[str, Json] = plain(without_nulls(node))
    days: dict[str, date] = {}
    for name in _DAYS:
        if name in entry:
            try:
                days[name] = date.fromisoformat(entry[name])
            except ValueError:
                faults.add(
                    key_place(node, name), Code.INVALID_VALUE, f"{entry[name]} is not a day", "such as 2026-12-01"
                )
                return None
    since, until = days.get("since"), days.get("until")
    if since is not None and until is not None and until <= since:
        hint = "`until` is the day after the last one"
        faults.add(key_place(node, "until"), Code.INVALID_VALUE, '"until" is not after "since"', hint)
        return None
    return Price(
        model=entry["model"],
        rates=_rates(entry["perMillionTokens"]),
        source=entry["source"],
        checked=days["checked"],
        api=Api(entry["api"]) if "api" in entry else None,
        since=since,
        until=until,
        retires=days.get("retires"),
        long_rates=_rates(entry["longPrompts"]) if "longPrompts" in entry else None,
    )


def _rates(entry: Mapping[str, Json]) -> Rates:
    return Rates(*(_of_kind(entry, kind) for kind in _KINDS))


def _of_kind(entry: Mapping[str, Json], kind: str) -> Mapping[Modality, Decimal]:
    """The rates by modality: that of text has the name of the kind alone."""
    names = {kind: Modality.TEXT, **{f"{kind}{one.capitalize()}": one for one in Modality if one is not Modality.TEXT}}
    return {one: Decimal(str(entry[name])) for name, one in names.items() if name in entry}
