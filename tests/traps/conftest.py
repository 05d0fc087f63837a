"""The engine's world, with somebody on the line who changes what the API answers."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

_IN_MEMORY = Path("/dev/shm")


@pytest.fixture
def folder():
    """In memory where there is such a place: no test here pulls a plug, and each commit waits for the disk."""
    place = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="batchctl-traps-", dir=place) as name:
        yield Path(name)


@pytest.fixture
def make_world(folder):
    """Makes worlds whose API can be twisted."""
    from tests.support.trap_stories import TwistedWorld

    made = []

    def make(**fields):
        made.append(TwistedWorld(folder / f"world{len(made)}", **fields))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def world(make_world):
    return make_world()
