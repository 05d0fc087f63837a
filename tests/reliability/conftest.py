"""The fork server and the served emulators of the harnesses, one of each for a test process."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.apis import APIS, ApiCase
from tests.support.processes import Forks
from tests.support.scenes import STORIES, Take, film
from tests.support.workplace import Served, Site, serve

_IN_MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def place() -> Iterator[Path]:
    """In memory where there is such a place: no test here pulls a plug, and each commit waits for the disk."""
    folder = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="batchctl-reliability-", dir=folder) as name:
        yield Path(name)


@pytest.fixture(scope="session")
def all_forks(place: Path) -> Iterator[Forks]:
    folder = place / "forks"
    folder.mkdir()
    forks = Forks(folder)
    yield forks
    forks.close()


@pytest.fixture
def forks(all_forks: Forks) -> Iterator[Forks]:
    yield all_forks
    all_forks.end_all()


@pytest.fixture(scope="session")
def still(place: Path) -> Iterator[Served]:
    """An emulator whose clock stands still until it is moved."""
    with serve(place / "still", still=True) as served:
        yield served


@pytest.fixture(scope="session")
def running(place: Path) -> Iterator[Served]:
    """An emulator whose clock runs."""
    with serve(place / "running", still=False) as served:
        yield served


@pytest.fixture(params=APIS, ids=lambda api: api.name)
def api(request: pytest.FixtureRequest) -> ApiCase:
    return request.param


@pytest.fixture(scope="session")
def film_once(place: Path, still: Served, all_forks: Forks) -> Callable[[ApiCase, str], list[Take]]:
    """The takes of a story on an API, made when they are first asked for."""
    made: dict[tuple[str, str], list[Take]] = {}

    def film_it(api: ApiCase, story: str) -> list[Take]:
        if (api.name, story) not in made:
            folder = Path(tempfile.mkdtemp(dir=place)) / "stack"
            made[api.name, story] = film(Site(folder, still, all_forks, api), STORIES[story])
        return made[api.name, story]

    return film_it


@pytest.fixture
def make_site(place: Path, forks: Forks) -> Iterator[Callable[..., Site]]:
    """Makes sites."""
    with tempfile.TemporaryDirectory(dir=place) as name:
        made: list[Site] = []

        def make(served: Served, api: ApiCase, kind: type[Site] = Site, **spec: Any) -> Site:
            made.append(kind(Path(name) / f"stack{len(made)}", served, forks, api, **spec))
            return made[-1]

        yield make


@pytest.fixture
def make_world(place: Path) -> Iterator[Callable[..., Any]]:
    """Makes worlds of the engine, whose one clock only tests move."""
    from tests.support.shared_account import NetWorld

    with tempfile.TemporaryDirectory(dir=place) as name:
        made: list[NetWorld] = []

        def make(**fields: Any) -> NetWorld:
            made.append(NetWorld(Path(name) / f"world{len(made)}", **fields))
            return made[-1]

        yield make
        for one in made:
            one.close()
