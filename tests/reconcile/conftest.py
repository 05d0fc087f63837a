"""Every decision of these tests is compared with that of the whole table of rules; every cost, with its long way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.every_cost import every_cost_compared
from tests.support.every_rule import every_decision_compared


@pytest.fixture(autouse=True, scope="module")
def _compare_decisions() -> Iterator[None]:
    with every_decision_compared(), every_cost_compared():
        yield
