"""Reads the stack's `limits`."""

from __future__ import annotations

from datetime import timedelta

from batchctl.manifests.admission_limits import read_admission
from batchctl.manifests.duration_reader import parse_duration
from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.nodes import Node, key_place, value_of
from batchctl.model.cost.prices import Prices
from batchctl.model.cost.spending import Money, SpendingLimits
from batchctl.model.locations import Location
from batchctl.model.stack import Limits


def read_limits(root: Node, faults: Faults) -> Limits:
    """The limits of a stack file that is valid by its schema; errors in them go to `faults`."""
    given = value_of(root, "spec", "limits") or {}

    def place(field: str) -> Location:
        return key_place(root, "spec", "limits", field)

    def duration(field: str, default: timedelta) -> timedelta:
        return default if given.get(field) is None else _duration(given[field], field, default, place(field), faults)

    def money(field: str) -> Money | None:
        return None if given.get(field) is None else Money.parse(given[field])

    def number(field: str) -> int | None:
        return None if given.get(field) is None else int(given[field])

    standard = Limits()
    limits = Limits(
        concurrency=int(given.get("concurrency", standard.concurrency)),
        max_create=int(given.get("maxCreate", standard.max_create)),
        max_replace=int(given.get("maxReplace", standard.max_replace)),
        max_delete=int(given.get("maxDelete", standard.max_delete)),
        display_name=int(given.get("displayName", standard.display_name)),
        line_bytes=int(given.get("lineBytes", standard.line_bytes)),
        create_timeout=duration("createTimeout", standard.create_timeout),
        read_timeout=duration("readTimeout", standard.read_timeout),
        settle_grace=duration("settleGrace", standard.settle_grace),
        file_min_life=duration("fileMinLife", standard.file_min_life),
        admission=read_admission(given),
        stuck_factor=float(given.get("stuckFactor", standard.stuck_factor)),
        pause_when_stalled=bool(given.get("pauseWhenStalled", standard.pause_when_stalled)),
        count_tokens=bool(given.get("countTokens", standard.count_tokens)),
        spending=SpendingLimits(
            money("budget"),
            money("budgetPerRun"),
            number("tokens"),
            number("tokensPerRun"),
            duration("budgetPeriod", standard.spending.period),
        ),
    )
    if limits.settle_grace <= limits.create_timeout:
        field = "settleGrace" if "settleGrace" in given else "createTimeout"
        message = '"settleGrace" must be longer than "createTimeout"'
        hint = "a create call that may still be running must not be sent again"
        faults.add(place(field), Code.INVALID_VALUE, message, hint)
    return limits


def check_budget(root: Node, limits: Limits, prices: Prices | None, faults: Faults) -> None:
    """Report a budget that no price list can be compared with. Prices that are faulty themselves are None, too."""
    for field, budget in (("budget", limits.spending.budget), ("budgetPerRun", limits.spending.budget_per_run)):
        if budget is None:
            continue
        place = key_place(root, "spec", "limits", field)
        if value_of(root, "spec", "prices") is None:
            message = f'"{field}" is an amount of money, and the stack has no price list'
            hint = "name one with spec.prices (`batchctl prices import` writes one), or set limits.tokens"
            faults.add(place, Code.MISSING_FIELD, message, hint)
        elif prices is not None and prices.currency != budget.currency:
            message = f'"{field}" is in {budget.currency}, and the price list in {prices.currency}'
            faults.add(place, Code.INVALID_VALUE, message, f"write the amount in {prices.currency}")


def _duration(text: str, field: str, default: timedelta, place: Location, faults: Faults) -> timedelta:
    try:
        duration = parse_duration(text)
    except ValueError as error:
        faults.add(place, Code.INVALID_VALUE, f'"{field}" {error}')
        return default
    if not duration:
        faults.add(place, Code.INVALID_VALUE, f'"{field}" must be longer than 0s')
    return duration
