"""Rows are compared with earlier answers where there may be any."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from batchctl.model.inventory import Inventory
from batchctl.reconcile import Options
from tests.support.engine import inline, job


class Noting:
    """A ledger that notes of which jobs the rows are compared."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.surveyed: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def survey(self, wanted, choice):
        self.surveyed.append(wanted.name)
        return self._inner.survey(wanted, choice)


class Unreadable:
    """A results folder that cannot be read."""

    def look(self) -> Inventory:
        return Inventory(problem="permission denied")


@pytest.fixture
def surveyed(world):
    """Makes a pass over two jobs of which one was collected, and gives the names of those that it surveys."""
    world.apply(job("collected"))
    world.time.advance(timedelta(minutes=1))
    world.apply(job("collected"))
    changed = job("collected", inline("k1", "k3"))

    def look(**changes: Any) -> set[str]:
        with world.process() as tools:
            ledger = Noting(tools.ledger)
        with world.process(ledger=ledger, **changes) as tools:
            tools.look_at_results(world.desired(changed, job("new")), world.recorded(), Options(rerun={"collected"}))
        return set(ledger.surveyed)

    return look


def test_a_job_of_which_nothing_was_collected_is_not_looked_up(surveyed):
    assert surveyed() == {"collected"}


def test_where_the_folder_cannot_be_listed_every_job_is_looked_up(surveyed):
    assert surveyed(shelf=Unreadable()) == {"collected", "new"}
