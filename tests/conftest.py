"""What several rooms' tests need."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

from tests.support.chance import ORDER_OF_THE_GATE, repeat
from tests.support.left_out import leave_out
from tests.support.long_mode import LONG
from tests.support.patience import PATIENCE

if TYPE_CHECKING:
    from tests.support.postgres_server import PostgresServer
    from tests.support.shared_database import Database

leave_out()

# No test may find what another one, or the person at this machine, left in the user's cache.
os.environ["XDG_CACHE_HOME"] = "/dev/null/no-cache"

if LONG:
    # The harnesses' long modes are single tests of many minutes.
    os.environ.setdefault("PYTEST_TIMEOUT", "0")

# Neither limit of time: a busy machine may be slow with an example, and with drawing one.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("gate", _PATIENT, derandomize=True)
settings.register_profile("long", _PATIENT)
settings.load_profile("long" if LONG else "gate")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files of the chosen tests anew")
    parser.addoption(
        "--jitter",
        type=float,
        help="the jitter of all pauses, from 0 to 1; by default it follows from the name of the test",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """The same order each time, and signals as in a terminal."""
    if not LONG and config.getoption("randomly_seed", None) == "default":
        config.option.randomly_seed = ORDER_OF_THE_GATE
    # `nohup` and a job in the background ignore signals, which programs that tests start would inherit: they do not
    # inherit a handler.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Statements that only random values reach do not count as covered: the next run has other values."""
    for item in items:
        if isinstance(item, pytest.Function) and is_hypothesis_test(item.obj):
            item.add_marker("no_cover")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A cache that is filled first by a test that is not measured is empty for those that are."""
    empty = [] if item.get_closest_marker("no_cover") is None else [one for one in _caches() if not one.cache_info()[3]]
    try:
        return (yield)
    finally:
        for one in empty:
            one.cache_clear()


def _caches() -> Iterator[Any]:
    """The caches of functions in the packages that have to be covered."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("batchctl.manifests.", "batchctl.reconcile.")):
            yield from (value for value in vars(module).values() if hasattr(value, "cache_info"))


@pytest.fixture(autouse=True)
def repeatable_chance(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens, identifiers and jitter of this process follow from the test's name, and from the seed of the order."""
    seed = f"{request.config.getoption('randomly_seed', 0)} {request.node.nodeid}"
    repeat(seed, monkeypatch, request.config.getoption("--jitter"))


@pytest.fixture
def golden_file(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Compares a text with a golden file; with `--update-golden` it writes the file first."""

    def compare(path: Path, text: str) -> None:
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text.encode())
        assert text == path.read_bytes().decode(), f"{path.name} differs; --update-golden after reading the difference"

    return compare


@pytest.fixture
def served_emulator(tmp_path: Path) -> Iterator[str]:
    """The base URL of an emulator that really listens, on a port of its own, over an empty store."""
    from batchctl.emulator.core import Emulator
    from batchctl.emulator.serve import EmulatorServer

    emulator = Emulator(tmp_path / "served-emulator" / "emulator.db")
    listening = threading.Event()
    server = EmulatorServer(emulator, "127.0.0.1", 0, lambda _line: listening.set())
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert listening.wait(PATIENCE)
        yield server.url
    finally:
        server.stop()
        thread.join(PATIENCE)
        server.close()
        emulator.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running PostgreSQL; tests that need it are skipped where it is not installed."""
    from tests.support.postgres_server import PostgresServer, find_programs

    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed; on Debian: apt-get install postgresql")
    server = PostgresServer(programs)
    try:
        server.start()
        yield server
        server.stop()
    finally:
        server.remove()


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[Database]:
    """A schema of its own in the running PostgreSQL."""
    from tests.support.shared_database import Database

    found = Database(postgres)
    yield found
    found.close()
