"""Drawn histories of two processes on one shared state: the program keeps what the search in `tests/search` promises.

`BATCHCTL_LONG=1` draws many more.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from batchctl.model.errors import BatchctlError
from batchctl.model.writes import SaveJob
from batchctl.state.shared.session import SharedSession
from batchctl.state.shared.store import SharedState
from tests.support.long_mode import effort
from tests.support.shared_bucket import Bucket, Line
from tests.support.shared_database import Database
from tests.support.shared_database import Line as DatabaseLine
from tests.support.state_samples import job

EVENTS = 40


@dataclass
class Process:
    """One process, which is started again after it ended."""

    state: SharedState
    line: Line | DatabaseLine
    session: SharedSession | None = None
    is_overtaken: bool = False
    was_forced: bool = False


@dataclass
class History(ABC):
    """What happened, and what has to be in the state because of it."""

    draw: random.Random
    written: set[str] = field(default_factory=set)
    doubtful: set[str] = field(default_factory=set)
    words: list[str] = field(default_factory=list)

    processes: list[Process] = field(default_factory=list)

    @abstractmethod
    def state(self) -> SharedState:
        """The state, as a process sees it that has just started."""

    @abstractmethod
    def later(self, seconds: float) -> None:
        """Let time pass."""

    @abstractmethod
    def cut(self, process: Process) -> None:
        """The next write of this process has no reply."""

    @abstractmethod
    def mend(self, process: Process) -> None:
        """End what `cut` began."""

    def run(self) -> None:
        events: list[Callable[[Process], None]] = [
            self.lock, self.lock, self.commit, self.commit, self.commit, self.check, self.release, self.wait, self.wait,
            self.cut, self.kill, self.break_,
        ]  # fmt: skip
        for _ in range(EVENTS):
            event, process = self.draw.choice(events), self.draw.choice(self.processes)
            self.words.append(f"{event.__name__} {self.processes.index(process)}")
            event(process)
        for process in self.processes:
            self.kill(process)
        found = set(self.state().load().jobs)
        assert self.written <= found, self.words
        assert found <= self.written | self.doubtful, self.words

    def lock(self, process: Process) -> None:
        if process.session is None:
            try:
                process.session = process.state.lock()
            except BatchctlError:
                return
            self._begun(process)
            process.is_overtaken = process.was_forced = False

    def _begun(self, process: Process | None) -> None:
        for other in self.processes:
            other.is_overtaken |= other is not process

    def commit(self, process: Process) -> None:
        if process.session is None:
            return
        name = f"job{len(self.words)}"
        try:
            process.session.commit([SaveJob(job(name))])
        except BatchctlError:
            self.doubtful.add(name)
            self.release(process)
        else:
            assert not process.is_overtaken, self.words
            self.written.add(name)

    def check(self, process: Process) -> None:
        if process.session is not None:
            try:
                process.session.check()
            except BatchctlError:
                self.release(process)
            else:
                assert process.was_forced or not process.is_overtaken, self.words

    def release(self, process: Process) -> None:
        if process.session is not None:
            process.session.__exit__(None, None, None)
            process.session = None

    def kill(self, process: Process) -> None:
        """The process ends without a word to the bucket."""
        if process.session is not None:
            process.session._lock.abandon()
            process.session.close_copy()
            process.session = None
            self.mend(process)

    def wait(self, _process: Process) -> None:
        self.later(self.draw.choice((3, 9, 21)))

    def break_(self, process: Process) -> None:
        if process.session is not None:
            return
        try:
            broken = process.state.break_lock(process.state.holder())
        except BatchctlError:
            return
        if broken is not None:
            self._begun(None)
            for other in self.processes:
                other.was_forced |= other.session is not None


class BucketHistory(History):
    """A history in a bucket."""

    def __init__(self, bucket: Bucket, draw: random.Random) -> None:
        super().__init__(draw)
        self.bucket = bucket
        for index, line in enumerate([bucket.line(), bucket.line()]):
            self.processes.append(Process(bucket.state(f"p{index}", line), line))

    def state(self) -> SharedState:
        return self.bucket.state("reader")

    def later(self, seconds: float) -> None:
        self.bucket.clock.seconds += seconds

    def cut(self, process: Process) -> None:
        def cut(request: httpx.Request) -> None:
            if request.method == "POST":
                self.mend(process)
                raise httpx.ReadError("cut", request=request)

        setattr(process.line, self.draw.choice(("before", "after")), cut)

    def mend(self, process: Process) -> None:
        assert isinstance(process.line, Line)
        process.line.before = process.line.after = lambda _request: None


class DatabaseHistory(History):
    """A history in PostgreSQL."""

    def __init__(self, database: Database, draw: random.Random) -> None:
        super().__init__(draw)
        self.database = database
        for index in range(2):
            line = DatabaseLine(database.server)
            self.processes.append(Process(database.state(f"p{index}", line.url(database.schema)), line))

    def state(self) -> SharedState:
        return self.database.state("reader")

    def later(self, seconds: float) -> None:
        if self.database.sql(f"SELECT to_regclass('{self.database.schema}.lock')") != [(None,)]:
            self.database.later(seconds)

    def cut(self, process: Process) -> None:
        way = self.draw.choice(("cut before", "cut after", "session"))
        if way == "session":
            self.database.cut_all()
            return

        def once() -> str:
            self.mend(process)
            return way

        assert isinstance(process.line, DatabaseLine)
        process.line.on_commit = once

    def mend(self, process: Process) -> None:
        assert isinstance(process.line, DatabaseLine)
        process.line.on_commit = lambda: "pass"


@pytest.mark.parametrize("seed", range(effort(4, 300)))
def test_no_update_is_lost_and_no_overtaken_process_writes(tmp_path: Path, seed: int) -> None:
    bucket = Bucket(tmp_path)
    try:
        BucketHistory(bucket, random.Random(seed)).run()
    finally:
        bucket.close()


@pytest.mark.parametrize("seed", range(effort(2, 200)))
def test_the_same_holds_in_postgresql(database: Database, seed: int) -> None:
    history = DatabaseHistory(database, random.Random(seed))
    try:
        history.run()
    finally:
        for process in history.processes:
            assert isinstance(process.line, DatabaseLine)
            process.line.close()
