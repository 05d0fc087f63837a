"""The lease protocol of a shared state keeps its promises in every order of events, and the search finds what breaks it.

The gate searches the beginning of the world; the long run searches all of it:

    BATCHCTL_LONG=1 python -m pytest tests/search/test_leases.py -q -rP
"""

from __future__ import annotations

import pytest

from batchctl.state.shared.lease import Claim, Lease, Take, decide_take
from tests.search.leases import Rules
from tests.search.reach import search
from tests.search.row_leases import ALONE, CONNECTED, RowRules
from tests.support.long_mode import effort
from tests.support.values import replace

MOST = effort(8_000, 5_000_000)


QUIET = {"with_people": False, "with_losses": False}


@pytest.mark.parametrize(
    ("rules", "most"),
    [
        (Rules(), MOST),
        (Rules(with_losses=False), MOST),
        (Rules(**QUIET), MOST),
        (Rules(**QUIET, with_late_renewals=True), MOST),
        (Rules(with_losses=False, with_late_renewals=True), effort(8_000, 1_000_000)),
        (RowRules(), None),
    ],
    ids=["all events", "people", "processes alone", "late renewals", "late renewals and people", "PostgreSQL"],
)
def test_no_order_of_events_breaks_a_promise(rules: Rules | RowRules, most: int | None) -> None:
    count, way = search(rules, most)
    print(f"{count:,} worlds")
    assert not way, "\n".join(way)


def _without_fence(found: Claim | None, broken: int | None) -> Take | None:
    way = decide_take(found, broken)
    return None if way is None else replace(way, must_fence=False)


def _impatient(found: Claim | None, broken: int | None) -> Take | None:
    """A lease ends one step too early."""
    return decide_take(found if found is None or found.age is None else replace(found, age=found.age + 1), broken)


@pytest.mark.parametrize(
    ("rules", "promise"),
    [
        (Rules(take=_without_fence), "was accepted"),
        (Rules(confirms=False), "was accepted"),
        (Rules(leaves_lock=False), "a late write was accepted"),
        (Rules(may_act=lambda _age: True, **QUIET), "a create call of a process that had been overtaken"),
        (
            Rules(take=_impatient, may_act=lambda age: age < 4, **QUIET),
            "a create call of a process that had been overtaken",
        ),
        (RowRules(finds_itself=False), "was accepted"),
        (RowRules(keeps_row=False), "a late write was accepted"),
        (RowRules(settles=False), "a create call without a durable intent"),
        (RowRules(alone=0.0), "a create call of a process that had been overtaken"),
        (RowRules(may_act=Lease(CONNECTED).may_act), "a create call of a process that had been overtaken"),
        (RowRules(alone=ALONE.seconds - 1), "a create call of a process that had been overtaken"),
    ],
    ids=[
        "no fence", "no second look", "release in doubt", "no lease", "leases of two lengths",
        "a row that is not checked", "a COMMIT without the row", "trust in a lost reply", "take-over without a lease",
        "acting by the long lease", "a short lease that ends early",
    ],
)  # fmt: skip
def test_the_search_finds_a_protocol_with_a_fault(rules: Rules | RowRules, promise: str) -> None:
    _, way = search(rules, effort(60_000, 5_000_000))
    assert way
    assert promise in way[-1], "\n".join(way)
