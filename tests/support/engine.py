"""A world for the engine: the real state, rows, provider and emulator, on one clock that only tests move.

The file is long because most tests of the engine use the world and all of its builders together.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from batchctl.emulator.settings import Settings
from batchctl.engine.loop.drive import Around, DriveReport, Until, drive
from batchctl.engine.loop.verdict import Measure, find_verdict
from batchctl.engine.passes import Ask, Asked, PassReport, run_pass
from batchctl.engine.providers import Providers
from batchctl.engine.tools import Tools
from batchctl.manifests.digest import work_tree
from batchctl.model.activity import UNWATCHED, Activity
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.digests import digest_of
from batchctl.model.errors import BatchctlError
from batchctl.model.keys import Account, Api, short_uid
from batchctl.model.kinds import Kind
from batchctl.model.lifecycle import Lifecycle
from batchctl.model.locations import Location
from batchctl.model.plan import JobPlan
from batchctl.model.ports.providers import Provider
from batchctl.model.recorded import Recorded
from batchctl.model.sources import InlineRows, LocalFile, RequestRow, Source
from batchctl.model.stack import Limits, Stack
from batchctl.model.writes import AddEvent, SaveAttempt
from batchctl.providers.gemini.provider import open_gemini
from batchctl.providers.wire import Owner, Place, Wire
from batchctl.reconcile import Options
from batchctl.rows.bucket.place import BucketPlace
from batchctl.rows.encode import RowEncoder
from batchctl.rows.local_place import LocalPlace
from batchctl.rows.place import ResultsPlace
from batchctl.rows.reader import RowFiles
from batchctl.state.store import FileState, open_state
from tests.support.engine_boundaries import (
    Boundaries,
    EngineClock,
    Entry,
    FakeTime,
    LocalTime,
    Receiver,
    Service,
    Telling,
    TracedLedger,
    TracedObjects,
    TracedResults,
    TracedState,
)
from tests.support.shared_bucket import Bucket
from tests.support.values import replace

HERE = Account(Api.GEMINI, "https://here.invalid")
THERE = Account(Api.GEMINI, "https://there.invalid")
UID = "abc123"
MODEL = "gemini-2.5-flash"
EMBED_MODEL = "gemini-embedding-001"
LONG = timedelta(hours=2)
"""A run of passes that takes longer than this hangs."""


@dataclass
class World:
    """Everything around the engine, and the ways to look at it."""

    folder: Path
    settings: Settings = field(default_factory=Settings)
    limits: Limits = field(default_factory=Limits)
    accounts: tuple[Account, ...] = (HERE,)
    in_bucket: bool = False
    """Whether results are in a bucket, in place of a folder."""

    def __post_init__(self) -> None:
        self.time = FakeTime()
        self.local = LocalTime(self.time)
        self.log: list[Entry] = []
        self.boundaries = Boundaries()
        self.services = {
            account: Service(
                self.folder / account.origin.split("/")[-1], self.time, self.log, self.boundaries, self.settings
            )
            for account in self.accounts
        }
        self.here = self.services[self.accounts[0]]
        self.results = self.folder / "results"
        self.bucket = Bucket(self.folder) if self.in_bucket else None
        self.receiver = Receiver(self.boundaries)
        self.unreachable: dict[Account, BatchctlError] = {}
        self.clock = EngineClock(self.time, self.local)
        self.progress = Telling()
        self._tokens = 0
        self.activity: Activity = UNWATCHED

    def close(self) -> None:
        for service in self.services.values():
            service.close()
        if self.bucket is not None:
            self.bucket.close()

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

    def asks(self, *jobs: DesiredJob, options: Options | None = None, **changes: Any) -> Ask:
        """What a pass is asked to do, whatever it finds."""
        return lambda recorded: Asked(self.desired(*jobs, **changes), options or Options())

    def state(self, name: str = "state.db") -> FileState:
        return open_state(self.folder / name, stack="shop", uid=UID, clock=self.local, who="tester")

    def open(self, account: Account, uid: str = UID) -> Provider:
        if account in self.unreachable:
            raise self.unreachable[account]
        return open_gemini(
            account,
            Place(account.origin, account.origin, account.origin),
            Owner("shop", uid, self.limits),
            Wire(self.local, lambda: 0.5, self.services[account].wire, self.activity),
            api_key="key",
        )

    def place(self) -> ResultsPlace:
        """The results as a new process finds them."""
        if self.bucket is None:
            return LocalPlace(self.results)
        objects = TracedObjects(self.bucket.objects(url="gs://team/results/"), self.boundaries)
        return BucketPlace(objects, "shop", short_uid(UID))

    def show_results(self) -> None:
        """Let the results folder have what the bucket has."""
        place = self.place()
        if isinstance(place, BucketPlace):
            place.mirror.indexes.refresh()
            for name in place.mirror.indexes.all():
                place.mirror.bring(name, bool)
            shutil.rmtree(self.results, ignore_errors=True)
            shutil.copytree(place.root, self.results, symlinks=True)

    def token(self) -> str:
        self._tokens += 1
        return f"token{self._tokens:05d}"

    def tools(self, **changes: Any) -> Tools:
        """Fresh tools: those of a new process."""
        self.clock, self.progress = EngineClock(self.time, self.local), Telling()
        inputs = RowEncoder()
        place = self.place()
        tools = Tools(
            TracedState(self.state(), self.log, self.boundaries),
            Providers(self.open),
            inputs,
            TracedResults(place.store, self.boundaries),
            self.receiver,
            self.clock,
            self.progress,
            self.token,
            lambda: 0.5,
            shelf=place.shelf,
            ledger=TracedLedger(place.ledger(short_uid(UID), inputs), self.boundaries),
            opened=self.stack(),
            activity=self.activity,
        )
        return replace(tools, **changes)

    def block_results(self, name: str) -> None:
        """Put a file in the way of a job's results, and its folder aside."""
        folder = self.results / name
        if folder.is_dir():
            folder.rename(self.results / f".{name}")
        folder.parent.mkdir(exist_ok=True)
        folder.write_text("in the way")

    def unblock_results(self, name: str) -> None:
        """Undo `block_results`."""
        folder, aside = self.results / name, self.results / f".{name}"
        folder.unlink()
        if aside.is_dir():
            aside.rename(folder)

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
            return drive(
                Around(lambda: self.desired(*jobs, **changes)), options or Options(), Until(ended=False), tools
            )

    def watch(
        self, *jobs: DesiredJob, options: Options | None = None, timeout: timedelta | None = LONG, **changes: Any
    ) -> DriveReport:
        """What `apply --wait` does."""
        until = Until(ended=True, timeout=timeout)
        with self.process() as tools:
            return drive(Around(lambda: self.desired(*jobs, **changes)), options or Options(), until, tools)

    def one_pass(self, *jobs: DesiredJob, options: Options | None = None, **changes: Any) -> PassReport:
        with self.process() as tools:
            return run_pass(self.asks(*jobs, options=options, **changes), tools)

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
    """A manifest, with its real digest. Jobs of different names do different work, unless a `run_id` says else."""
    run_id = run_id or name
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


def exit_codes(report: DriveReport, **measure: bool) -> set[int]:
    """The exit codes that an `apply` or `watch` with this report would have to choose from."""
    return {error.exit_code for error in find_verdict(report, Measure(**{"jobs": True, **measure}))}


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


def run(world, jobs, until, options=None, approve=None, **changes):
    """Drive with fresh tools; `changes` are the clock's hook and the stack's own."""
    during = changes.pop("during", None)
    with world.process() as tools:
        if during is not None:
            world.clock.during = during
        reload = jobs if callable(jobs) else lambda: world.desired(*jobs, **changes)
        return drive(Around(reload), options or Options(), until, tools, approve)
