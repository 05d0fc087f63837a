"""A pytest plugin for the run of the SDK's own tests: the world that they find, and the record of how each ended.

Loaded with `-p` into a process of its own, never into ours. It serves an emulator, empties and seeds it before each
test so that none depends on another, and lets nobody reach beyond this machine.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from batchctl.emulator.core import Emulator
from batchctl.emulator.seed import load_seed
from batchctl.emulator.serve import EmulatorServer
from tests.support.patience import PATIENCE

_LOOPBACK = {"127.0.0.1", "::1", "localhost", b"127.0.0.1", b"localhost", None}
_PROJECT, _LOCATION = "vertex-sdk-dev", "us-central1"
"""The project of the names in the SDK's tests."""
_SEED = Path(__file__).with_name("upstream_seed.yaml")


def pytest_configure(config: pytest.Config) -> None:
    sys.addaudithook(_stay_on_this_machine)
    config.pluginmanager.register(_World(Path(os.environ["UPSTREAM_FOLDER"])))


def _give_a_place() -> None:
    """Say to the test client, in its Vertex AI mode, where it is and who.

    Beside a base URL the SDK heeds only what it is given outright, and its tests leave that to the environment.
    """
    from google.genai import _replay_api_client as room
    from google.oauth2.credentials import Credentials

    class Placed(room.ReplayApiClient):
        def __init__(self, **given: Any) -> None:
            if given["vertexai"]:
                given |= {"project": _PROJECT, "location": _LOCATION, "credentials": Credentials("token")}
            super().__init__(**given)

    room.ReplayApiClient = Placed  # where the tests look for it


def _stay_on_this_machine(event: str, arguments: tuple) -> None:
    if event == "socket.getaddrinfo" and arguments[0] not in _LOOPBACK:
        raise OSError(f"{arguments[0]} is beyond this machine")
    if event == "socket.connect" and isinstance(arguments[1], tuple) and arguments[1][0] not in _LOOPBACK:
        raise OSError(f"{arguments[1][0]} is beyond this machine")


class _World:
    """The emulator, and what was seen of each test."""

    def __init__(self, folder: Path) -> None:
        self._outcomes = folder / "outcomes.json"
        self._tests = folder / "google" / "genai" / "tests"
        self._seen: dict[str, dict[str, str]] = {}
        self._emulator = Emulator(folder / "emulator.db")
        listening = threading.Event()
        self._server = EmulatorServer(self._emulator, "127.0.0.1", 0, lambda _line: listening.set())
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        assert listening.wait(PATIENCE)
        for variable in ("GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL"):
            os.environ[variable] = self._server.url

    @pytest.hookimpl
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        _give_a_place()
        for item in items:
            parameters = item.callspec.params if hasattr(item, "callspec") else {}
            if "http_options" in parameters:
                # The test client heeds no environment, and some tests name a server of Google's own.
                parameters["http_options"] = {**(parameters["http_options"] or {}), "base_url": self._server.url}
            side = {True: "[vertex]", False: "[gemini]", None: ""}[parameters.get("use_vertex")]
            name = f"{item.path.relative_to(self._tests).as_posix()}::{item.originalname}{side}"
            item.user_properties.append(("test", name))

    @pytest.hookimpl
    def pytest_runtest_setup(self) -> None:
        self._emulator.store.empty()
        load_seed(self._emulator, _SEED)

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = dict(report.user_properties)["test"]
        if report.when == "setup":
            assert name not in self._seen, name
            self._seen[name] = {"outcome": "passed", "detail": ""}
        if not report.passed and self._seen[name]["outcome"] != "failed":
            self._seen[name] = {"outcome": report.outcome, "detail": _detail(report)}

    @pytest.hookimpl
    def pytest_sessionfinish(self) -> None:
        self._outcomes.write_text(json.dumps(self._seen))

    @pytest.hookimpl
    def pytest_unconfigure(self) -> None:
        self._server.stop()
        self._thread.join(PATIENCE)
        self._server.close()
        self._emulator.close()


def _detail(report: pytest.TestReport) -> str:
    """The last word on why a test did not pass."""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2])
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longrepr).splitlines()[0]
