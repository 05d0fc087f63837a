"""The engine's world as a fixture."""

from __future__ import annotations

import pytest
from engine_kit import World


@pytest.fixture
def world(tmp_path):
    one = World(tmp_path / "world")
    yield one
    one.close()


@pytest.fixture
def make_world(tmp_path):
    """Makes worlds that are not like the usual one, or several."""
    made = []

    def make(**fields):
        made.append(World(tmp_path / f"world{len(made)}", **fields))
        return made[-1]

    yield make
    for one in made:
        one.close()
