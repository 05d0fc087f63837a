"""The engine's world as a fixture."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from tests.support.engine import World

_IN_MEMORY = Path("/dev/shm")


@pytest.fixture
def folder():
    """In memory where there is such a place: no test here pulls a plug, and each commit waits for the disk."""
    place = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="batchctl-engine-", dir=place) as name:
        yield Path(name)


@pytest.fixture
def make_world(folder):
    """Makes worlds that are not like the usual one, or several."""
    made = []

    def make(**fields):
        made.append(World(folder / f"world{len(made)}", **fields))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def world(make_world):
    return make_world()
