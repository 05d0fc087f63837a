"""Every decision of these tests is compared with that of the whole table of rules, each short way with the long one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import batchctl.reconcile
from tests.support.every_cost import every_cost_compared
from tests.support.every_rule import every_decision_compared
from tests.support.every_short_way import every_short_way_compared

for _module in pkgutil.walk_packages(batchctl.reconcile.__path__, "batchctl.reconcile."):
    # Rules are loaded by need, perhaps first in a test that is not measured: their first lines would not count.
    importlib.import_module(_module.name)


@pytest.fixture(autouse=True, scope="module")
def _compare_decisions() -> Iterator[None]:
    with every_decision_compared(), every_cost_compared(), every_short_way_compared():
        yield
