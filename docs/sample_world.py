"""The command line over an emulator, in a world where time and random names are the same in every run.

For the samples of the pages: see generate_output.py.
"""

from __future__ import annotations

import io
import os
import random
import secrets
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

import httpx
import yaml

from batchctl.cli.main import run
from batchctl.emulator.core import Emulator
from batchctl.emulator.serve import EmulatorServer
from batchctl.engine.clock import SystemClock
from batchctl.state import migrations

START = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
_OURS = ("BATCHCTL_", "GOOGLE_", "GEMINI_", "STORAGE_EMULATOR_HOST", "NO_COLOR", "FORCE_COLOR", "CI", "GITHUB_")
_START_TIMEOUT = 20


class Time:
    """The one clock of batchctl and the emulator: it moves when somebody sleeps."""

    def __init__(self) -> None:
        self._passed = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self._passed)

    def nanoseconds(self) -> int:
        return int(self.now().timestamp()) * 10**9

    def elapsed(self) -> float:
        return self._passed

    def sleep(self, seconds: float) -> None:
        self._passed += max(0, round(seconds))


@dataclass(frozen=True)
class Ran:
    """How one command line ended."""

    code: int
    out: str
    err: str


class World:
    """A stack's folder, the emulator's control calls, and the command line."""

    def __init__(self, url: str, time: Time) -> None:
        self.time = time
        self._client = httpx.Client(base_url=url, headers={"x-goog-api-key": "key"}, timeout=120.0)

    def close(self) -> None:
        self._client.close()

    def write(self, path: str, document: Mapping[str, Any]) -> None:
        """Write a YAML file in the stack's folder."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")

    def rules(self, *rules: Mapping[str, Any]) -> None:
        self._call("PUT", "/_emulator/rules", list(rules))

    def faults(self, *faults: Mapping[str, Any]) -> None:
        self._call("PUT", "/_emulator/faults", list(faults))

    def cancel(self, job: str) -> None:
        """Cancel the remote job of a job behind batchctl's back."""
        jobs = self._call("GET", "/_emulator/jobs")["jobs"]
        (name,) = [one["name"] for one in jobs if f"/{job}@" in one["displayName"]]
        self._call("POST", f"/v1beta/{name}:cancel")

    def _call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401  any JSON value
        return self._client.request(method, path, json=body).raise_for_status().json()

    def __call__(self, *arguments: str) -> Ran:
        """Run batchctl in the stack's folder."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run(arguments)
        return Ran(code, out.getvalue(), err.getvalue())


@contextmanager
def open_world() -> Iterator[World]:
    """A world in an empty folder, which is the working folder until it ends."""
    time = Time()
    fixed = random.Random(1)  # noqa: S311  the same names in every run are the aim
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        stack.enter_context(chdir(folder))
        stack.enter_context(patch.object(secrets, "choice", fixed.choice))
        stack.enter_context(patch.object(secrets, "randbelow", fixed.randrange))
        stack.enter_context(patch.object(migrations, "uuid4", lambda: UUID(int=fixed.getrandbits(128), version=4)))
        machine = os.uname_result(("Linux", "laptop", *os.uname()[2:]))
        stack.enter_context(patch.object(os, "uname", lambda: machine))
        stack.enter_context(patch.object(SystemClock, "now", lambda _clock: time.now()))
        stack.enter_context(patch.object(SystemClock, "elapsed", lambda _clock: time.elapsed()))
        stack.enter_context(patch.object(SystemClock, "sleep", lambda _clock, seconds: time.sleep(seconds)))
        emulator = Emulator(Path(folder, "service.db"), real_time=time.nanoseconds)
        stack.callback(emulator.close)
        url = stack.enter_context(_served(emulator))
        bare = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        env = {**bare, "BATCHCTL_EMULATOR": url, "USER": "ada", "LOGNAME": "ada"}
        stack.enter_context(patch.dict(os.environ, env, clear=True))
        world = World(url, time)
        stack.callback(world.close)
        yield world


@contextmanager
def _served(emulator: Emulator) -> Iterator[str]:
    listening = threading.Event()
    server = EmulatorServer(emulator, "127.0.0.1", 0, lambda _line: listening.set())
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        if not listening.wait(_START_TIMEOUT):
            raise TimeoutError("the emulator does not listen")
        yield server.url
    finally:
        server.stop()
        thread.join(_START_TIMEOUT)
        server.close()
