"""A world for the engine: the real state, rows, provider and emulator, on one clock that only tests move.

Every commit, every call and every write of results passes a boundary, which is logged, and at which a crash can be
arranged: from then on the process is dead, and nothing that it still tries gets through.
"""

from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from batchctl.emulator.core import Emulator
from batchctl.emulator.embedded import EmbeddedTransport
from batchctl.emulator.settings import Settings
from batchctl.engine.drive import DriveReport, Until, drive
from batchctl.engine.passes import PassReport, run_pass
from batchctl.engine.tools import Providers, Tools
from batchctl.manifests.digest import digest_of, work_tree
from batchctl.model.desired import (
    DesiredJob,
    DesiredStack,
    InlineRows,
    Kind,
    Lifecycle,
    Limits,
    LocalFile,
    Location,
    RequestRow,
    Source,
    Stack,
)
from batchctl.model.errors import BatchctlError
from batchctl.model.keys import Account, Api, AttemptKey, Mark
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.ports import Provider
from batchctl.model.recorded import AddEvent, Recorded, RecordedAttempt, SaveAttempt, Write
from batchctl.providers.gemini.provider import open_gemini
from batchctl.reconcile import Options
from batchctl.rows.encode import RowEncoder
from batchctl.rows.reader import RowFiles
from batchctl.rows.results import ResultsFolder
from batchctl.state.store import FileState, open_state

START = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
HERE = Account(Api.GEMINI, "https://here.invalid")
THERE = Account(Api.GEMINI, "https://there.invalid")
UID = "abc123"
MODEL = "gemini-2.5-flash"
EMBED_MODEL = "gemini-embedding-001"
LONG = timedelta(hours=2)
"""A run of passes that takes longer than this hangs."""


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


class EngineClock:
    """What the engine sleeps on: it keeps its sleeps, and lets tests act in the middle of them."""

    def __init__(self, time: FakeTime) -> None:
        self._time = time
        self.sleeps: list[float] = []
        self.during: Callable[[int], None] = lambda number: None
        """Called in the middle of each sleep with its number, from 1."""
        self._stopped = threading.Event()

    def now(self) -> datetime:
        return self._time.now()

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        assert len(self.sleeps) < 2000, "the engine never ends"
        self._time.sleep(seconds)
        self.during(len(self.sleeps))

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

    def planned(self, plan: Plan) -> None:
        self.plans.append(plan)

    def step(self, job: str, message: str) -> None:
        self.steps.append(f"{job}: {message}")

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def waiting(self, jobs: Any, seconds: float) -> None:
        self.waits.append(tuple(job.job for job in jobs))


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
    resource = path.removeprefix("/v1beta/")
    if path.endswith(":cancel"):
        return "cancel", resource.removesuffix(":cancel")
    if path.endswith(":download"):
        return "download", resource
    if request.method == "DELETE":
        return "delete", resource
    return ("list", "") if resource == "batches" else ("get", resource)


class Service:
    """One emulator and the way to it."""

    def __init__(self, folder: Path, time: FakeTime, log: list[Entry], boundaries: Boundaries, settings: Settings) -> None:
        folder.mkdir(parents=True)
        self._emulator = Emulator(folder / "emulator.db", settings=settings, real_time=time.nanoseconds)
        self.wire = Wire(EmbeddedTransport(self._emulator, time.sleep), log, boundaries)
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
        answer = self._client.request(method, f"/v1beta/{path}", json=body, headers={"x-goog-api-key": "other"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def close(self) -> None:
        self._emulator.close()


class TracedSession:
    """A StateSession whose commits and checks are boundaries."""

    def __init__(self, inner: Any, log: list[Entry], boundaries: Boundaries) -> None:
        self._inner = inner
        self._log = log
        self._boundaries = boundaries

    def load(self) -> Recorded:
        return self._inner.load()

    def commit(self, writes: Any) -> None:
        self._boundaries.cross("before commit")
        self._inner.commit(writes)
        self._log.append(Entry("commit", writes=tuple(writes)))
        self._boundaries.cross("after commit")

    def check(self) -> None:
        self._log.append(Entry("check"))
        self._inner.check()

    def __enter__(self) -> TracedSession:
        self._inner.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        # The kernel and SQLite clean up after a dead process too.
        self._inner.__exit__(*error)


class TracedState:
    """A StateStore over the real one."""

    def __init__(self, inner: FileState, log: list[Entry], boundaries: Boundaries) -> None:
        self.inner = inner
        self._log = log
        self._boundaries = boundaries

    def load(self) -> Recorded:
        return self.inner.load()

    def lock(self) -> TracedSession:
        return TracedSession(self.inner.lock(), self._log, self._boundaries)


class TracedResults:
    """The results folder, with boundaries around what it does."""

    def __init__(self, inner: ResultsFolder, boundaries: Boundaries) -> None:
        self._inner = inner
        self._boundaries = boundaries

    def collect(self, key: AttemptKey, *rest: Any) -> Any:
        self._boundaries.cross(f"before collect {key}")
        collected = self._inner.collect(key, *rest)
        self._boundaries.cross(f"after collect {key}")
        return collected

    def point_current(self, job: str, path: str) -> None:
        self._boundaries.cross(f"before point {job}")
        self._inner.point_current(job, path)
        self._boundaries.cross(f"after point {job}")


@dataclass
class World:
    """Everything around the engine, and the ways to look at it."""

    folder: Path
    settings: Settings = field(default_factory=Settings)
    limits: Limits = field(default_factory=Limits)
    accounts: tuple[Account, ...] = (HERE,)

    def __post_init__(self) -> None:
        self.time = FakeTime()
        self.log: list[Entry] = []
        self.boundaries = Boundaries()
        self.services = {
            account: Service(self.folder / account.origin.split("/")[-1], self.time, self.log, self.boundaries, self.settings)
            for account in self.accounts
        }
        self.here = self.services[self.accounts[0]]
        self.results = self.folder / "results"
        self.unreachable: dict[Account, BatchctlError] = {}
        self.clock = EngineClock(self.time)
        self.progress = Telling()
        self._tokens = 0

    def close(self) -> None:
        for service in self.services.values():
            service.close()

    def stack(self, **changes: Any) -> Stack:
        stack = Stack(
            "shop",
            UID,
            self.folder,
            self.folder / "batchctl.yaml",
            {},
            self.folder / "state.db",
            self.results,
            limits=self.limits,
        )
        return replace(stack, **changes)

    def desired(self, *jobs: DesiredJob, **changes: Any) -> DesiredStack:
        return DesiredStack(self.stack(**changes), tuple(sorted(jobs, key=lambda job: job.name)))

    def state(self, name: str = "state.db") -> FileState:
        return open_state(self.folder / name, stack="shop", uid=UID, clock=self.time, who="tester")

    def open(self, account: Account) -> Provider:
        if account in self.unreachable:
            raise self.unreachable[account]
        return open_gemini(
            account,
            api_key="key",
            base_url=account.origin,
            create_timeout=self.limits.create_timeout,
            display_name_limit=self.limits.display_name,
            clock=self.time,
            random=lambda: 0.5,
            transport=self.services[account].wire,
        )

    def token(self) -> str:
        self._tokens += 1
        return f"token{self._tokens:05d}"

    def tools(self, **changes: Any) -> Tools:
        """Fresh tools: those of a new process."""
        self.clock, self.progress = EngineClock(self.time), Telling()
        tools = Tools(
            TracedState(self.state(), self.log, self.boundaries),
            Providers(self.open),
            RowEncoder(),
            TracedResults(ResultsFolder(self.results), self.boundaries),
            self.clock,
            self.progress,
            self.token,
            lambda: 0.5,
        )
        return replace(tools, **changes)

    @contextmanager
    def process(self, **changes: Any) -> Iterator[Tools]:
        """The tools of a new process, closed at its end."""
        tools = self.tools(**changes)
        try:
            yield tools
        finally:
            tools.providers.close()

    def apply(self, *jobs: DesiredJob, options: Options | None = None, **changes: Any) -> DriveReport:
        """What `apply` does."""
        with self.process() as tools:
            return drive(lambda: self.desired(*jobs, **changes), options or Options(), Until(ended=False), tools)

    def watch(
        self, *jobs: DesiredJob, options: Options | None = None, timeout: timedelta | None = LONG, **changes: Any
    ) -> DriveReport:
        """What `apply --wait` does."""
        until = Until(ended=True, timeout=timeout)
        with self.process() as tools:
            report = drive(lambda: self.desired(*jobs, **changes), options or Options(), until, tools)
        return report

    def one_pass(self, *jobs: DesiredJob, options: Options | None = None, **changes: Any) -> PassReport:
        with self.process() as tools:
            return run_pass(self.desired(*jobs, **changes), options or Options(), tools)

    def recorded(self) -> Recorded:
        return self.state().load()

    def attempt(self, job: str, number: int = 1) -> RecordedAttempt:
        (found,) = [one for one in self.recorded().jobs[job].attempts if one.key.attempt == number]
        return found

    def events(self, job: str) -> list[str]:
        return [event.what for event in self.state().events(job, 1000)]

    def result_rows(self, job: str) -> dict[str, Any]:
        """What lies under a job's `current`, by key."""
        lines = (self.results / job / "current" / "results.jsonl").read_text().splitlines()
        return {row["key"]: row for row in map(json.loads, lines)}

    def write_rows(self, name: str, *keys: str, kind: Kind = Kind.BATCH_JOB) -> LocalFile:
        """A file of rows beside the manifest."""
        path = self.folder / name
        path.write_text("".join(json.dumps({"key": key, "text": f"say {key}"}) + "\n" for key in keys))
        summary = RowFiles().fingerprint(path, kind)
        return LocalFile(path, summary.sha256, summary.rows)


def row(key: str) -> RequestRow:
    return RequestRow(key, {"contents": [{"role": "user", "parts": [{"text": f"say {key}"}]}]})


def inline(*keys: str, kind: Kind = Kind.BATCH_JOB) -> InlineRows:
    make = row if kind is Kind.BATCH_JOB else text
    return InlineRows(tuple(make(key) for key in keys))


def text(key: str) -> RequestRow:
    """A row of an embeddings job."""
    return RequestRow(key, {"content": {"parts": [{"text": f"say {key}"}]}})


def job(
    name: str = "a",
    source: Source | None = None,
    *,
    account: Account = HERE,
    kind: Kind = Kind.BATCH_JOB,
    run_id: str | None = None,
    labels: Mapping[str, str] | None = None,
    display_name: str | None = None,
    **lifecycle: Any,
) -> DesiredJob:
    """A manifest, with its real digest."""
    source = source or inline("k1", "k2", kind=kind)
    model = MODEL if kind is Kind.BATCH_JOB else EMBED_MODEL
    tree = work_tree(account, kind, model, source, request={}, run_id=run_id, extra_body={})
    return DesiredJob(
        name,
        kind,
        "main",
        account,
        model,
        source,
        digest_of(tree),
        tree,
        f"{name}.yaml",
        Location(f"{name}.yaml"),
        Lifecycle(**lifecycle),
        labels or {},
        display_name,
        run_id=run_id,
    )


ALIVE = {"BATCH_STATE_PENDING", "BATCH_STATE_RUNNING", "BATCH_STATE_SUCCEEDED"}


def made(service: Service) -> Counter[str]:
    """How many remote jobs were ever made for each attempt."""
    return Counter(str(one["mark"].key) for one in service.jobs() if one["mark"])


def live(service: Service) -> dict[str, list[str]]:
    """The remote jobs that work or have results, by attempt."""
    found: dict[str, list[str]] = defaultdict(list)
    for one in service.jobs():
        if one["mark"] and not one["deleted"] and one["state"] in ALIVE:
            found[str(one["mark"].key)].append(one["name"])
    return dict(found)


def phases(report: DriveReport) -> dict[str, str]:
    return {one.job: str(one.phase) for one in report.last.jobs}


def results(report: DriveReport | PassReport) -> dict[str, str]:
    return {name: str(outcome.result) for name, outcome in report.outcomes.items()}


def plan_of(report: DriveReport, name: str) -> JobPlan:
    (found,) = [one for one in report.last.jobs if one.job == name]
    return found


def saves_intent(entry: Entry, key: str) -> bool:
    """Whether a commit holds the open intent of an attempt."""
    return any(str(one.key) == key and one.intent is not None for one in saved_attempts(entry))


def saved_attempts(entry: Entry) -> list[RecordedAttempt]:
    return [write.attempt for write in entry.writes if isinstance(write, SaveAttempt)]


def saved_events(entry: Entry) -> list[str]:
    return [write.event.what for write in entry.writes if isinstance(write, AddEvent)]
