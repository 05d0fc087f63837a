"""Hundreds of damaged state files: refused with a hint, or harmless. Never a traceback, never a wrong action.

`BATCHCTL_LONG=1 pytest tests/state/test_damage.py` tries 10,000.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from batchctl.disk import private_files
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.errors import StateError
from batchctl.model.events import Event
from batchctl.model.keys import Account, Api, AttemptKey, Mark
from batchctl.model.kinds import Kind
from batchctl.model.lifecycle import Lifecycle, OnMissing
from batchctl.model.locations import Location
from batchctl.model.observed import Gone, Observation, RemoteJob, RowCounts
from batchctl.model.recorded import JobRow, Recorded, RecordedFile
from batchctl.model.sources import InlineRows
from batchctl.model.stack import Stack
from batchctl.model.steps import Cancel, Create, Delete
from batchctl.model.writes import AddEvent, SaveAttempt, SaveFile, SaveIdentity, SaveJob, Write
from batchctl.reconcile import plan
from batchctl.state import connection
from batchctl.state.store import FileState, open_state
from tests.support.long_mode import effort
from tests.support.state_damage import DAMAGES, Damage, flip_bits, flip_in_text, lengthen, truncate
from tests.support.state_samples import NOW, HandClock
from tests.support.values import replace

CASES = effort(240, 10_000)
ACCOUNT = Account(Api.GEMINI, "https://generativelanguage.googleapis.com")
JOBS = tuple(f"job-{number:02d}" for number in range(effort(12, 24)))
GONE = JOBS[::3]
"""Collected and then deleted at the API: only the state knows that they ran."""
CODES = {"StateCorrupt", "StateTooNew", "StateForeign", "StateFailed", "StateReadOnly", "StateBusy", "LockLost"}
STACK = Stack("demo", "abc123", Path("/s"), Path("/s/batchctl.yaml"), {}, Path("/s/state.db"), Path("/s/results"))


def digest(name: str) -> str:
    return "d1:" + f"{JOBS.index(name):02x}" * 32


def manifest(name: str) -> DesiredJob:
    life = Lifecycle(on_missing=OnMissing.RECREATE, backoff_limit=3)
    return DesiredJob(
        name,
        Kind.BATCH_JOB,
        "main",
        ACCOUNT,
        "m",
        InlineRows(()),
        digest(name),
        {"model": "m"},
        f"{name}.yaml",
        Location(f"{name}.yaml"),
        life,
    )


def recorded_attempt(name: str) -> RecordedAttempt:
    is_gone = name in GONE
    return RecordedAttempt(
        AttemptKey(name, 1),
        ACCOUNT,
        digest(name),
        f"token{JOBS.index(name):05d}",
        tree={"model": "m"},
        remote=f"batches/{name}",
        state="JOB_STATE_SUCCEEDED" if is_gone else "JOB_STATE_RUNNING",
        create_time=NOW - timedelta(hours=2),
        end_time=NOW - timedelta(hours=1) if is_gone else None,
        rows=RowCounts(3, 3, 0) if is_gone else RowCounts(),
        delete_time=NOW if is_gone else None,
        results=f"{name}/00000000-1" if is_gone else None,
    )


def remote_job(name: str) -> RemoteJob:
    record = recorded_attempt(name)
    assert record.remote is not None
    mark = Mark("demo", "abc123", record.key, record.digest[:15], record.token)
    state = "JOB_STATE_RUNNING"
    return RemoteJob(record.remote, ACCOUNT, str(mark), mark, state, create_time=record.create_time)


def writes() -> list[Write]:
    found: list[Write] = [SaveIdentity(ACCOUNT, "00c0ffee"), SaveFile(RecordedFile(ACCOUNT, "aa", "files/1", None))]
    for name in JOBS:
        job = manifest(name)
        row = JobRow(name, job.kind, job.provider, job.model, job.path, ACCOUNT, job.lifecycle)
        found += [SaveJob(row), SaveAttempt(recorded_attempt(name)), AddEvent(Event(NOW, name, 1, "create", "new"))]
    return found


OBSERVED = {
    ACCOUNT: Observation(
        ACCOUNT,
        NOW,
        tuple(remote_job(name) for name in JOBS if name not in GONE),
        checked={f"batches/{name}": Gone() for name in GONE},
        identity="00c0ffee",
    )
}
DESIRED = DesiredStack(STACK, tuple(manifest(name) for name in JOBS))


def store_at(path: Path) -> FileState:
    return open_state(path, stack="demo", uid="abc123", clock=HandClock(), who="tester")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "state.db"
    with store_at(path).lock() as session:
        session.commit(writes())
    assert wrong_actions(store_at(path).load()) == []
    return path


def wrong_actions(recorded: Recorded) -> list[object]:
    """The jobs that a plan on this record would buy or end. There should be none: nothing changed at the API."""
    made = plan(DESIRED, recorded, OBSERVED, NOW)
    return [step for job in made.jobs for step in job.steps if isinstance(step, Create | Cancel | Delete)]


def test_a_plan_on_an_incomplete_state_would_do_harm() -> None:
    """The check of the cases can fail."""
    assert {step.key.job for step in wrong_actions(Recorded()) if isinstance(step, Create)} == set(GONE)


def is_refused(use: Callable[[], object]) -> bool:
    """Whether it ends in an error with a hint. Any other exception is raised."""
    try:
        use()
    except StateError as problem:
        told = problem
    else:
        return False
    assert told.code in CODES
    assert told.hint
    assert "state" in told.message
    return True


def use_locked(store: FileState) -> None:
    """The writes of a pass."""
    with store.lock() as session:
        recorded = session.load()
        assert wrong_actions(recorded) == []
        assert recorded.jobs.keys() == set(JOBS)
        session.commit([SaveJob(recorded.jobs[name].row) for name in JOBS[:4]])
        session.check()
        assert session.load().jobs == recorded.jobs


def try_out(path: Path) -> str:
    """Use the file as commands do; returns the outcome."""
    store = store_at(path)
    reads = [is_refused(store.load), is_refused(lambda: store.events(None, 100)), is_refused(store.content)]
    if is_refused(lambda: use_locked(store)):
        return "refused"
    return "partly" if any(reads) else "well"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BUSY_SECONDS", 0.0)
    monkeypatch.setattr(private_files, "sync_folder", lambda folder: None)


@pytest.mark.parametrize("damage", sorted(set(DAMAGES), key=lambda damage: damage.__name__))
def test_damaged_files(damage: Damage, sound: Path, tmp_path: Path) -> None:
    share = DAMAGES.count(damage)
    ends: dict[str, int] = {}
    for number in range(-(-CASES * share // len(DAMAGES))):
        seed = f"{damage.__name__} {number}"
        path = tmp_path / f"{number}" / "state.db"
        path.parent.mkdir()
        shutil.copy(sound, path)
        damage(path, random.Random(seed))
        try:
            end = try_out(path)
        except BaseException as error:
            error.add_note(f"seed: {seed}")
            raise
        ends[end] = ends.get(end, 0) + 1
        shutil.rmtree(path.parent)
    print(damage.__name__, ends)


@pytest.fixture(scope="module")
def working(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files during a pass: the state, and a log with its last commits."""
    folder = tmp_path_factory.mktemp("working")
    copy = folder / "copy"
    copy.mkdir()
    with store_at(folder / "state.db").lock() as session:
        session.commit(writes())
        session._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for name in JOBS:
            row = session.load().jobs[name]
            session.commit([SaveJob(replace(row.row, labels={"note": "new"}))])
        for suffix in ("", "-wal"):
            shutil.copy(folder / f"state.db{suffix}", copy)
    assert wrong_actions(store_at(copy / "state.db").load()) == []
    return copy


@pytest.mark.parametrize("damage", [flip_bits, flip_in_text, truncate, lengthen], ids=lambda damage: damage.__name__)
def test_damaged_logs(damage: Damage, working: Path, tmp_path: Path) -> None:
    """SQLite ignores a log from its first damaged commit on: the rest is an earlier, complete state."""
    for number in range(CASES // 40):
        folder = tmp_path / f"{number}"
        shutil.copytree(working, folder)
        seed = f"{damage.__name__} {number}"
        damage(folder / "state.db-wal", random.Random(seed))
        try:
            assert try_out(folder / "state.db") == "well"
        except BaseException as error:
            error.add_note(f"seed: {seed}")
            raise
        shutil.rmtree(folder)
