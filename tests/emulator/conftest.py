from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.embedded_emulator import World
from tests.support.vertex_calls import Vertex


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "emulator.db")
    yield world
    world.http.close()


@pytest.fixture
def vertex(tmp_path: Path) -> Iterator[Vertex]:
    """An emulator with the helpers for calls to Vertex AI."""
    vertex = Vertex(tmp_path / "vertex.db")
    yield vertex
    vertex.http.close()
