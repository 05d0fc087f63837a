"""The parts of the engine's world: its clocks, the boundaries that a process crosses, and what is wrapped in them.

Every commit, every call and every write of results passes a boundary, which is logged, and at which a crash can be
arranged: from then on the process is dead, and nothing that it still tries gets through.

The file is long because all boundaries write to one log and crash at one counter.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Self

import httpx

from batchctl.emulator.core import Emulator
from batchctl.emulator.embedded import EmbeddedTransport
from batchctl.emulator.settings import Settings
from batchctl.model.desired import DesiredJob
from batchctl.model.errors import NotDelivered
from batchctl.model.keys import AttemptKey, Mark
from batchctl.model.notices import Hook, Notice
from batchctl.model.plan import Plan
from batchctl.model.ports.results import ChosenRows, ResultStore, RowLedger
from batchctl.model.recorded import Recorded, StateVersion
from batchctl.model.row_work import RowChoice, RowsSent, RowWork
from batchctl.model.state_objects import ResultObjects, Version
from batchctl.model.writes import Write
from batchctl.state.store import FileState

START = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


class Crash(BaseException):
    """The process dies here."""


class FakeTime:
    """The one time of a world. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = START

    def now(self) -> datetime:
        with self._lock:
            return self._now

    def sleep(self, seconds: float) -> None:
        self.advance(timedelta(seconds=max(0.0, seconds)))

    def advance(self, span: timedelta) -> None:
        with self._lock:
            self._now += span

    def nanoseconds(self) -> int:
        since = self.now() - datetime(1970, 1, 1, tzinfo=UTC)
        return since // timedelta(microseconds=1) * 1000


class LocalTime:
    """The local clock of a world, which somebody may set: by `skew` it is off."""

    def __init__(self, time: FakeTime) -> None:
        self._time = time
        self.skew = timedelta(0)

    def now(self) -> datetime:
        return self._time.now() + self.skew

    def sleep(self, seconds: float) -> None:
        self._time.sleep(seconds)


class EngineClock:
    """What the engine sleeps on: it keeps its sleeps, and lets tests act in the middle of them."""

    def __init__(self, time: FakeTime, local: LocalTime) -> None:
        self._time = time
        self._local = local
        self.sleeps: list[float] = []
        self.during: Callable[[int], None] = lambda number: None
        """Called in the middle of each sleep with its number, from 1."""
        self._stopped = threading.Event()

    def now(self) -> datetime:
        return self._local.now()

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        assert len(self.sleeps) < 2000, "the engine never ends"
        self._time.sleep(seconds)
        self.during(len(self.sleeps))

    def elapsed(self) -> float:
        return (self._time.now() - START).total_seconds()

    def stop(self) -> None:
        self._stopped.set()

    def is_stopped(self) -> bool:
        return self._stopped.is_set()


class Telling:
    """A Progress that keeps what it is told."""

    def __init__(self) -> None:
        self.plans: list[Plan] = []
        self.steps: list[str] = []
        self.warnings: list[str] = []
        self.waits: list[tuple[str, ...]] = []
        self.phases: list[set[str]] = []
        """Of the jobs that are waited for."""

    def planned(self, plan: Plan) -> None:
        self.plans.append(plan)

    def step(self, job: str, message: str, attempt: int | None = None) -> None:
        self.steps.append(f"{job}: {message}")

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def waiting(self, jobs: Any, seconds: float) -> None:
        self.waits.append(tuple(job.job for job in jobs))
        self.phases.append({job.phase for job in jobs})


@dataclass(frozen=True)
class Entry:
    """One thing that happened. `what`: commit, check, or the name of a call; `on` says for whom."""

    what: str
    on: str = ""
    writes: tuple[Write, ...] = ()
    ended: bool = False
    """False where a call begins, True where it has been answered."""


class Boundaries:
    """Counts the moments at which the process could die, and lets it die at one of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.passed: list[str] = []
        self.crash_at: int | None = None
        self.dead = False

    def reset(self, crash_at: int | None = None) -> None:
        """A new process starts."""
        self.passed, self.crash_at, self.dead = [], crash_at, False

    def cross(self, where: str) -> None:
        with self._lock:
            if self.dead:
                raise Crash(where)
            self.passed.append(where)
            if self.crash_at is not None and len(self.passed) > self.crash_at:
                self.dead = True
                raise Crash(where)


class Wire(httpx.BaseTransport):
    """The way to one emulator: logs calls, counts those in flight, and can die around each."""

    def __init__(self, inner: httpx.BaseTransport, log: list[Entry], boundaries: Boundaries) -> None:
        self._inner = inner
        self._log = log
        self._boundaries = boundaries
        self._lock = threading.Lock()
        self._in_flight = 0
        self.most_in_flight = 0
        self.before: Callable[[str, str], None] = lambda what, on: None
        """Called on the worker before each call."""
        self.dated: Callable[[str, str | None], str | None] = lambda what, date: date
        """Gives the `Date` header that a call's answer carries."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/_emulator/"):
            return self._inner.handle_request(request)
        what, on = describe(request)
        self._boundaries.cross(f"before {what} {on}")
        with self._lock:
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
            self._log.append(Entry(what, on))
        try:
            self.before(what, on)
            response = self._inner.handle_request(request)
            response.read()
            date = self.dated(what, response.headers.get("date"))
            if date is not None:
                response.headers["date"] = date
        finally:
            with self._lock:
                self._in_flight -= 1
                self._log.append(Entry(what, on, ended=True))
        self._boundaries.cross(f"after {what} {on}")
        return response


def describe(request: httpx.Request) -> tuple[str, str]:
    """The name of a call, and for whom it is: the attempt of a create, else the resource."""
    path = request.url.path
    if path.endswith((":batchGenerateContent", ":asyncBatchEmbedContent")):
        mark = Mark.find(json.loads(request.content)["batch"]["displayName"])
        return "create", str(mark.key) if mark else "?"
    if path.startswith("/upload"):
        return "upload", ""
    resource = path.removeprefix("/v1/")
    if path.endswith(":cancel"):
        return "cancel", resource.removesuffix(":cancel")
    if path.endswith(":download"):
        return "download", resource
    if request.method == "DELETE":
        return "delete", resource
    return ("list", "") if resource == "batches" else ("get", resource)


class Service:
    """One emulator and the way to it."""

    def __init__(
        self, folder: Path, time: FakeTime, log: list[Entry], boundaries: Boundaries, settings: Settings
    ) -> None:
        folder.mkdir(parents=True)
        self.emulator = Emulator(folder / "emulator.db", settings=settings, real_time=time.nanoseconds)
        self.wire = Wire(EmbeddedTransport(self.emulator, time.sleep), log, boundaries)
        self._client = httpx.Client(transport=self.wire, base_url="http://emulator.invalid")

    def control(self, method: str, path: str, body: object = None) -> Any:
        answer = self._client.request(method, f"/_emulator/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def faults(self, *faults: Mapping[str, Any]) -> None:
        self.control("PUT", "faults", list(faults))

    def rules(self, *rules: Mapping[str, Any]) -> None:
        self.control("PUT", "rules", list(rules))

    def calls(self, method: str) -> int:
        return self.control("GET", "requests")["byMethod"].get(method, 0)

    def jobs(self) -> list[dict[str, Any]]:
        """Every remote job ever made, with its mark."""
        return [{**job, "mark": Mark.find(job["displayName"] or "")} for job in self.control("GET", "jobs")["jobs"]]

    def api(self, method: str, path: str, body: object = None) -> Any:
        """A call by somebody else."""
        answer = self._client.request(method, f"/v1/{path}", json=body, headers={"x-goog-api-key": "other"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def close(self) -> None:
        self.emulator.close()


class TracedSession:
    """A StateSession whose commits and checks are boundaries."""

    def __init__(self, inner: Any, log: list[Entry], boundaries: Boundaries) -> None:
        self._inner = inner
        self._log = log
        self._boundaries = boundaries

    def load(self, like: Iterable[DesiredJob] = ()) -> Recorded:
        return self._inner.load(like)

    def commit(self, writes: Any) -> None:
        self._boundaries.cross("before commit")
        self._inner.commit(writes)
        self._log.append(Entry("commit", writes=tuple(writes)))
        self._boundaries.cross("after commit")

    def check(self) -> None:
        self._log.append(Entry("check"))
        self._inner.check()

    def __enter__(self) -> Self:
        self._inner.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        # The kernel and SQLite clean up after a dead process too.
        self._inner.__exit__(*error)


class TracedState:
    """A StateStore over the real one."""

    def __init__(self, inner: FileState, log: list[Entry], boundaries: Boundaries) -> None:
        self.inner = inner
        self._log = log
        self._boundaries = boundaries

    def load(self, like: Iterable[DesiredJob] = ()) -> Recorded:
        return self.inner.load(like)

    def version(self) -> StateVersion:
        return self.inner.version()

    def lock(self) -> TracedSession:
        return TracedSession(self.inner.lock(), self._log, self._boundaries)


class Receiver:
    """A Notifier that keeps what it is told. Its deliveries are boundaries."""

    def __init__(self, boundaries: Boundaries) -> None:
        self._boundaries = boundaries
        self._lock = threading.Lock()
        self.got: list[tuple[str, dict[str, Any]]] = []
        """Each event by the name of the hook that it came by."""
        self.refuse: Callable[[str, dict[str, Any]], NotDelivered | None] = lambda hook, event: None
        """What a delivery fails with."""

    def send(self, hook: Hook, notice: Notice) -> None:
        event = json.loads(notice.body)
        assert notice.id == event["id"]
        self._boundaries.cross(f"before send {notice.id}")
        problem = self.refuse(hook.name, event)
        if problem is not None:
            raise problem
        with self._lock:
            self.got.append((hook.name, event))
        self._boundaries.cross(f"after send {notice.id}")


class TracedResults:
    """The results folder, with boundaries around what it does."""

    def __init__(self, inner: ResultStore, boundaries: Boundaries) -> None:
        self._inner = inner
        self._boundaries = boundaries

    def collect(self, key: AttemptKey, *rest: Any, **named: Any) -> Any:
        self._boundaries.cross(f"before collect {key}")
        collected = self._inner.collect(key, *rest, **named)
        self._boundaries.cross(f"after collect {key}")
        return collected

    def reuse(self, key: AttemptKey, *rest: Any) -> str:
        self._boundaries.cross(f"before reuse {key}")
        path = self._inner.reuse(key, *rest)
        self._boundaries.cross(f"after reuse {key}")
        return path

    def rename_job(self, job: str, to: str) -> bool:
        self._boundaries.cross(f"before rename {job}")
        return self._inner.rename_job(job, to)

    def point_current(self, job: str, path: str) -> None:
        self._boundaries.cross(f"before point {job}")
        self._inner.point_current(job, path)
        self._boundaries.cross(f"after point {job}")


class TracedObjects:
    """Objects in a bucket, with boundaries around each write."""

    def __init__(self, inner: ResultObjects, boundaries: Boundaries) -> None:
        self._inner = inner
        self._boundaries = boundaries

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def put(self, suffix: str, content: BinaryIO, expected: str) -> Version | None:
        self._boundaries.cross(f"before put {suffix}")
        version = self._inner.put(suffix, content, expected)
        self._boundaries.cross(f"after put {suffix}")
        return version

    def delete(self, suffix: str) -> None:
        self._boundaries.cross(f"before delete {suffix}")
        self._inner.delete(suffix)
        self._boundaries.cross(f"after delete {suffix}")


class TracedLedger:
    """The ledger of rows, with boundaries around what it writes."""

    def __init__(self, inner: RowLedger, boundaries: Boundaries) -> None:
        self._inner = inner
        self._boundaries = boundaries

    def survey(self, job: DesiredJob, choice: RowChoice) -> RowWork | None:
        return self._inner.survey(job, choice)

    def choose(
        self,
        job: DesiredJob,
        key: AttemptKey,
        token: str,
        choice: RowChoice,
        new_token: Callable[[], str],
        before: RowsSent | None = None,
        *,
        checks_place: bool = True,
    ) -> ChosenRows:
        self._boundaries.cross(f"before choose {key}")
        chosen = self._inner.choose(job, key, token, choice, new_token, before, checks_place=checks_place)
        self._boundaries.cross(f"after choose {key}")
        return chosen

    def is_quick(self, job: DesiredJob) -> bool:
        return self._inner.is_quick(job)

    def has_list(self, key: AttemptKey, digest: str, token: str) -> bool:
        return self._inner.has_list(key, digest, token)

    def assemble(self, job: DesiredJob, key: AttemptKey, *rest: Any) -> Any:
        self._boundaries.cross(f"before assemble {key}")
        assembled = self._inner.assemble(job, key, *rest)
        self._boundaries.cross(f"after assemble {key}")
        return assembled
