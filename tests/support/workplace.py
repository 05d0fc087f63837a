"""A place to run batchctl at: a stack's folder, the service that it talks to, and moments of both to come back to."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batchctl.emulator.core import Emulator
from batchctl.emulator.seed import load_seed
from batchctl.emulator.serve import EmulatorServer
from batchctl.engine.clock import SystemClock
from batchctl.model.recorded import Recorded
from batchctl.state.store import FileState, open_state
from tests.support.apis import APIS, STACK, UID, ApiCase, RemoteJob
from tests.support.command_line import Service, StackFolder
from tests.support.patience import PATIENCE
from tests.support.processes import Death, Ended, Forks, Process

START = 1_795_348_800 * 10**9
"""The clock of a service whose time stands still: 2026-11-22, in nanoseconds."""
LIMITS = {"concurrency": 1, "createTimeout": "10s", "settleGrace": "11s"}
"""One call after the other, so that each run crosses the same boundaries; short waits for lost replies."""
LAG = "3s"
"""So young jobs are not listed yet: whoever looks for a job that was just made, and does not wait, makes it again."""


class Caller(Service):
    """The emulator from outside, by somebody who may call both APIs."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._client.headers["authorization"] = "Bearer somebody"

    def send(self, path: str, body: Any) -> Any:
        return self._call("POST", path, body)

    @contextmanager
    def other_rules(self, *rules: dict[str, Any]) -> Iterator[None]:
        """Rules for jobs that are created meanwhile."""
        before = self._call("GET", "/_emulator/rules")
        self.rules(*rules)
        yield
        self.rules(*before)


@dataclass(frozen=True)
class Served:
    """A served emulator and its file."""

    service: Caller
    emulator: Emulator
    store: Path

    @property
    def url(self) -> str:
        return self.service.url


@contextmanager
def serve(folder: Path, *, still: bool) -> Iterator[Served]:
    """Serve an emulator. When `still`, its clock is moved by control calls alone."""
    store = folder / "emulator.db"
    emulator = Emulator(store, real_time=lambda: START) if still else Emulator(store)
    listening = threading.Event()
    server = EmulatorServer(emulator, "127.0.0.1", 0, lambda _line: listening.set())
    thread = threading.Thread(target=server.run)
    thread.start()
    service = Caller(server.url)
    try:
        assert listening.wait(PATIENCE)
        yield Served(service, emulator, store)
    finally:
        service.close()
        server.stop()
        thread.join(PATIENCE)
        server.close()
        emulator.close()


@dataclass(frozen=True)
class Moment:
    """How a site stood at some time."""

    store: sqlite3.Connection
    folder: Path


class Site:
    """A stack's folder beside a served emulator; `forks` run the commands."""

    def __init__(self, folder: Path, served: Served, forks: Forks, api: ApiCase, **spec: Any) -> None:
        self.api = api
        self.service = served.service
        self.folder = StackFolder(folder)
        self._served = served
        self._forks = forks
        given = {"providers": {"main": dict(api.provider)}, "state": "state.db", "limits": LIMITS, **spec}
        self.folder.write_stack(name=STACK, uid=UID, **given)
        self.env = {
            "BATCHCTL_EMULATOR": served.url,
            "HOME": str(folder),
            "LOGNAME": "tester",
            "PATH": "/usr/bin:/bin",
            "TMPDIR": str(folder),
            "TERM": "dumb",
        }

    @property
    def path(self) -> Path:
        return self.folder.path

    def empty_service(self) -> None:
        """Let the service have nothing but what the API needs, and jobs of other people: without a mark, with that of
        another stack of our name, with that of a stack of another name and our uid."""
        self.service.reset()
        if self.api.seed:
            seed = self.path.parent / "seed.yaml"
            seed.write_text(self.api.seed)
            load_seed(self._served.emulator, seed)
        self.service.faults({"method": f"{self.api.methods}.list", "kind": "listLag", "delay": LAG})
        for stack, uid in (("", ""), (STACK, "zzzzzz"), ("shoe", UID)):
            self.service.send(*self.api.foreign(stack, uid))

    def write_job(self, name: str, keys: str = "ab", *, as_file: bool = False, **spec: Any) -> None:
        """Write a manifest with rows of these keys: in itself where it can have them, else in a file beside it."""
        rows = [{"key": key, "text": f"say {key}"} for key in keys]
        src: Any = rows
        if as_file or not self.api.takes_rows:
            src = {"file": f"{name}.jsonl"}
            (self.path / "jobs" / src["file"]).write_text("".join(json.dumps(row) + "\n" for row in rows))
        self.folder.write_job(name, **{"src": src, **self.api.spec(name), **spec})

    def drop_job(self, name: str) -> None:
        self.folder.job_path(name).unlink()

    def start(self, *arguments: str, death: Death | None = None, **options: Any) -> Process:
        """Start a command on the service's clock."""
        options = {"clock": self._served.url, **options}
        return self._forks.start(*arguments, cwd=self.path, env=self.env, death=death, **options)

    def run(self, *arguments: str, death: Death | None = None, **options: Any) -> Ended:
        return self.start(*arguments, death=death, **options).wait()

    def state(self) -> FileState:
        return open_state(self.path / "state.db", stack=STACK, uid=UID, clock=SystemClock(), who="tester")

    def recorded(self) -> Recorded:
        return self.state().load()

    def jobs(self) -> list[RemoteJob]:
        """Every job ever made at the service."""
        apis = {api.name: api for api in APIS}
        return [apis[view["api"]].read(view) for view in self.service.jobs()]

    def changing_calls(self) -> int:
        """How many calls so far asked for a change of jobs: creates, cancels, deletes."""
        return sum(self.service.calls(f"{self.api.methods}.{what}") for what in ("create", "cancel", "delete"))

    def rows(self, job: str) -> dict[str, Any]:
        """What lies under a job's `current` results, by key."""
        lines = (self.path / "results" / job / "current" / "results.jsonl").read_text().splitlines()
        return {row["key"]: row for row in map(json.loads, lines)}

    def keep(self, name: str) -> Moment:
        """Keep how the service, the state, the results and the manifests stand now."""
        copy = sqlite3.connect(":memory:", check_same_thread=False)
        with closing(sqlite3.connect(self._served.store)) as source:
            source.backup(copy)
        folder = self.path.parent / f"{self.path.name}.{name}"
        shutil.copytree(self.path, folder, symlinks=True)
        return Moment(copy, folder)

    def restore(self, moment: Moment) -> None:
        """Let everything be as it was then."""
        with closing(sqlite3.connect(self._served.store, timeout=PATIENCE)) as target:
            moment.store.backup(target)
        shutil.rmtree(self.path)
        shutil.copytree(moment.folder, self.path, symlinks=True)
