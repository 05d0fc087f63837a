"""The world of the command line's tests: one served emulator, emptied for each test, and time that passes by itself."""

from __future__ import annotations

import math
import os
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from batchctl.emulator.core import Emulator
from batchctl.engine.clock import SystemClock
from tests.support.apis import APIS
from tests.support.command_line import EXAMPLES, SOON, Cli, Service, StackFolder
from tests.support.held_calls import HoldingServer
from tests.support.patience import PATIENCE
from tests.support.row_shop import Shop
from tests.support.warm_program import warm_program

_OURS = ("BATCHCTL_", "GOOGLE_", "GEMINI_", "STORAGE_EMULATOR_HOST", "PG")
_OTHERS = {"NO_COLOR", "FORCE_COLOR", "GITHUB_ACTIONS", "CI", "TERM"}
_MOST_SLEEPS = 100


class ServedTime:
    """The real time of the served emulator, in nanoseconds since 1970, which a test may let stand still."""

    def __init__(self) -> None:
        self.still_at: int | None = None

    def __call__(self) -> int:
        return time.time_ns() if self.still_at is None else self.still_at


@pytest.fixture(scope="session")
def served_time() -> ServedTime:
    return ServedTime()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, served_time: ServedTime) -> Iterator[HoldingServer]:
    """An emulator that really listens."""
    emulator = Emulator(tmp_path_factory.mktemp("emulator") / "emulator.db", real_time=served_time)
    listening = threading.Event()
    server = HoldingServer(emulator, "127.0.0.1", 0, lambda _line: listening.set())
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert listening.wait(PATIENCE)
        yield server
    finally:
        server.stop()
        thread.join(PATIENCE)
        server.close()
        emulator.close()


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of whoever runs the tests counts, and none of their files is found."""
    for name in list(os.environ):
        if name.startswith(_OURS) or name in _OTHERS:
            monkeypatch.delenv(name)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(capsys)


@pytest.fixture
def service(server: HoldingServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The emulator, empty; its jobs run for ten minutes. All `endpoint: emulator` point at it."""
    monkeypatch.setenv("BATCHCTL_EMULATOR", server.url)
    service = Service(server.url, server.let_go)
    service.reset()
    server.hold()
    yield service
    service.let_go()
    service.close()


@pytest.fixture
def moved_clocks(service: Service, served_time: ServedTime, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """No real time passes: both clocks, ours and the emulator's, stand still until somebody sleeps, which moves them.
    So a test sees the same on any machine. Gives the sleeps."""
    passed: list[float] = []
    begin = time.time_ns()
    monkeypatch.setattr(served_time, "still_at", begin)

    def sleep(_clock: SystemClock, seconds: float) -> None:
        assert len(passed) < _MOST_SLEEPS, "it waits for ever"
        passed.append(math.ceil(seconds))
        service.advance(f"{math.ceil(seconds)}s")

    def now(_clock: SystemClock) -> datetime:
        return datetime.fromtimestamp(begin // 1000 / 1_000_000, UTC) + timedelta(seconds=sum(passed))

    def elapsed(_clock: SystemClock) -> float:
        return begin / 1_000_000_000 + sum(passed)

    monkeypatch.setattr(SystemClock, "elapsed", elapsed)
    monkeypatch.setattr(SystemClock, "sleep", sleep)
    monkeypatch.setattr(SystemClock, "now", now)
    return passed


@pytest.fixture
def quick(service: Service, moved_clocks: list[float]) -> list[float]:
    """Jobs end soon, and nobody really sleeps. Gives the sleeps."""
    service.rules(SOON)
    return moved_clocks


@pytest.fixture(scope="session")
def warm_batchctl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """`batchctl` as a program that starts at once."""
    with warm_program(tmp_path_factory.mktemp("warm")) as program:
        yield program


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: Service) -> StackFolder:
    """A stack on the emulator, without a job yet; the working folder is its folder."""
    folder = StackFolder(tmp_path / "stack")
    folder.write_stack()
    monkeypatch.chdir(folder.path)
    return folder


@pytest.fixture
def examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: Service, quick: list[float]) -> Path:
    """A copy of the examples; the working folder is its folder."""
    folder = tmp_path / "examples"
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns(".batchctl", "results"))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(params=APIS, ids=lambda api: api.name)
def shop(request: pytest.FixtureRequest, stack: StackFolder, service: Service, cli: Cli, quick: list[float]) -> Shop:
    """A job with rows in a local file, on each API."""
    return Shop(stack, service, cli, request.param)
