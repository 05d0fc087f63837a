"""Every decision of these tests is compared with the one that the whole table of rules makes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.every_rule import every_decision_compared
from tests.support.every_short_way import every_short_way_compared


@pytest.fixture(autouse=True, scope="module")
def _compare_decisions() -> Iterator[None]:
    with every_decision_compared(), every_short_way_compared():
        yield
