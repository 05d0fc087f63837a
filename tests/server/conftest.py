"""The engine's world, whose stacks the page shows; `still` is one for a whole module, which no test changes."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.conftest import folder, make_world, world  # noqa: F401
from tests.support.engine import World


@pytest.fixture(scope="module")
def still() -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="batchctl-server-") as name:
        world = World(Path(name) / "world")
        yield world
        world.close()
