"""Every decision of these tests is compared with that of the whole table of rules, each short way with the long one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.every_cost import every_cost_compared
from tests.support.every_rule import every_decision_compared
from tests.support.every_short_way import every_short_way_compared


@pytest.fixture(autouse=True, scope="module")
def _compare_decisions() -> Iterator[None]:
    with every_decision_compared(), every_cost_compared(), every_short_way_compared():
        yield
