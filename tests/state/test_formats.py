"""A real file of every format is read and migrated with its complete content (see formats/README.md)."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.errors import StateError
from batchctl.model.lifecycle import LIFECYCLE, Lifecycle, OnChange, OnMissing, OnRemove
from batchctl.model.recorded import Recorded
from batchctl.model.writes import SaveJob
from batchctl.state.formats import MIGRATIONS
from batchctl.state.migrations import Identity
from batchctl.state.seal import reseal
from batchctl.state.store import FileState
from tests.support.state_samples import HandClock


def number_of(path: Path) -> int:
    return int(path.stem.split("-")[1])


FORMATS = sorted((Path(__file__).parent / "formats").glob("format-*.db"))
EVERY = [pytest.param(path, id=path.stem) for path in FORMATS]
NEWEST = max(FORMATS, key=number_of)
RULED = Lifecycle(
    backoff_limit=2,
    retry_on=frozenset({"EXPIRED"}),
    pending_deadline=timedelta(hours=12),
    active_deadline=timedelta(days=1),
    ttl_after_finished=timedelta(days=7),
    on_change=OnChange.KEEP,
    on_remove=OnRemove.CANCEL,
    on_missing=OnMissing.RECREATE,
    suspend=True,
    protect=True,
)


def rows(path: Path, query: str) -> list[dict[str, Any]]:
    """The content of a file, read without batchctl's code."""
    with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as conn:
        conn.row_factory = sqlite3.Row
        return [dict(row) for row in conn.execute(query)]


def store_of(path: Path) -> FileState:
    return FileState(path, Identity("formats", "abc123"), HandClock(), "ada", 0)


@pytest.fixture
def copied(tmp_path: Path):
    """Copies a file of `formats` to the state of a stack."""

    def copy(path: Path) -> Path:
        (tmp_path / "state").mkdir()
        return Path(shutil.copyfile(path, tmp_path / "state" / "state.db"))

    return copy


@pytest.mark.parametrize("path", EVERY)
def test_each_file_is_of_the_format_in_its_name(path: Path) -> None:
    assert [row["format_version"] for row in rows(path, "select * from meta")] == [number_of(path)]


def test_the_newest_format_has_a_file() -> None:
    assert number_of(NEWEST) == len(MIGRATIONS), "make one: see tests/state/formats/README.md"


def test_the_newest_file_has_every_member_of_lifecycle() -> None:
    members = {name for row in rows(NEWEST, "select * from jobs") for name in json.loads(row["lifecycle"])}
    assert members == {one.record_name for one in LIFECYCLE}, "a new member needs a format number of its own"


@pytest.mark.parametrize("path", EVERY)
def test_every_format_is_read_without_touching_it(path: Path, copied) -> None:
    state = copied(path)
    before = state.read_bytes()
    check(store_of(state).load(), path)
    check_events(store_of(state), path)
    assert state.read_bytes() == before


@pytest.mark.parametrize("path", EVERY)
def test_every_format_is_migrated_with_its_complete_content(path: Path, copied) -> None:
    state = copied(path)
    with store_of(state).lock() as session:
        recorded = session.load()
        check(recorded, path)
        session.commit([SaveJob(recorded.jobs["working"].row)])
    found = store_of(state).load()
    assert found.jobs == recorded.jobs
    assert found.serial == recorded.serial + 1
    check_events(store_of(state), path)
    assert state.with_name(f"state.db.backup-v{number_of(path)}").exists() == (number_of(path) < len(MIGRATIONS))


def check(recorded: Recorded, path: Path) -> None:
    """Compare the values with the content of the file, and with the content that the files were created with."""
    jobs = {row["name"]: row for row in rows(path, "select * from jobs")}
    assert recorded.jobs.keys() == jobs.keys() == {"done", "uploaded", "working", "ruled", "refused", "lost"}
    for name, job in recorded.jobs.items():
        stored = jobs[name]
        assert (job.row.model, job.row.path, job.row.provider) == (stored["model"], stored["path"], stored["provider"])
        assert (str(job.row.account), job.row.current, job.row.display_name) == (
            stored["account"],
            stored["current"],
            stored["display_name"],
        )
        assert job.row.labels == json.loads(stored["labels"])
    attempts = {row["job"]: row for row in rows(path, "select * from attempts")}
    intents = {row["job"]: row["time"] for row in rows(path, "select * from intents")}
    for name, job in recorded.jobs.items():
        (attempt,) = job.attempts
        check_attempt(attempt, attempts[name], intents.get(name))
    check_standing(recorded)
    (file,) = recorded.files
    (stored_file,) = rows(path, "select * from files")
    assert (file.sha256, file.name) == (stored_file["sha256"], stored_file["name"])
    (meta,) = rows(path, "select * from meta")
    assert (recorded.lineage, recorded.serial) == (meta["lineage"], meta["serial"])


def check_attempt(attempt: RecordedAttempt, stored: Mapping[str, Any], intent: str | None) -> None:
    for name in ("digest", "token", "remote", "state", "results"):
        assert getattr(attempt, name) == stored[name]
    assert attempt.tree == json.loads(stored["tree"])
    assert attempt.create_time == when(stored["create_time"])
    assert (attempt.rows.total, attempt.rows.ok) == (stored["rows_total"], stored["rows_ok"])
    assert (attempt.intent.time if attempt.intent else None) == when(intent)
    assert attempt.results_lost == bool(stored.get("results_lost"))


def check_standing(recorded: Recorded) -> None:
    of = {name: job.attempts[0] for name, job in recorded.jobs.items()}
    for name in ("done", "uploaded"):
        assert (of[name].state, bool(of[name].results)) == ("JOB_STATE_SUCCEEDED", True)
    assert of["working"].state == of["ruled"].state == "JOB_STATE_PENDING"
    assert of["refused"].rejected
    assert of["refused"].error is not None
    assert of["lost"].intent is not None
    assert of["lost"].remote is None
    lifecycles = {name: job.row.lifecycle for name, job in recorded.jobs.items()}
    assert lifecycles.pop("ruled") == RULED
    assert set(lifecycles.values()) == {Lifecycle()}


def check_events(store: FileState, path: Path) -> None:
    stored = [
        (when(row["time"]), row["job"], row["what"], row["why"])
        for row in rows(path, "select * from events order by id")
    ]
    events = [(event.time, event.job, event.what, event.why) for event in store.events(None, 1000)]
    assert events[: len(stored)] == stored
    assert {"create", "created", "state", "collected", "refused", "unanswered"} <= {what for _, _, what, _ in stored}


def when(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def edit_lifecycles(state: Path, change) -> None:
    """Change the record of every job like batchctl does: with the seal."""
    store = store_of(state)
    with store.lock() as session:
        db = session._db
        for row in list(db.table("jobs").rows):
            stored = json.loads(row["lifecycle"])
            change(stored)
            db.execute("update jobs set lifecycle = ? where name = ?", [json.dumps(stored), row["name"]])
        reseal(db)


@pytest.mark.parametrize("member", [one.record_name for one in LIFECYCLE])
def test_a_record_from_before_a_member_has_its_default(member: str, copied) -> None:
    state = copied(NEWEST)
    expected = store_of(state).load()
    edit_lifecycles(state, lambda stored: stored.pop(member))
    found = store_of(state).load()
    for one in LIFECYCLE:
        for name, job in found.jobs.items():
            value = one.default if one.record_name == member else one.of(expected.jobs[name].row.lifecycle)
            assert one.of(job.row.lifecycle) == value


def test_a_field_of_a_newer_batchctl_is_refused(copied) -> None:
    state = copied(NEWEST)
    edit_lifecycles(state, lambda stored: stored.update(collectBy=3600))
    for use in (store_of(state).load, lambda: store_of(state).lock().load()):
        with pytest.raises(StateError, match="its lifecycle has collectBy") as caught:
            use()
        assert (caught.value.code, caught.value.hint) == ("StateTooNew", "upgrade batchctl")


def test_the_times_of_a_forgotten_job_are_read(copied) -> None:
    recorded = store_of(copied(NEWEST)).load()
    assert "gone" not in recorded.jobs
    (past,) = recorded.history
    assert (past.model, past.rows, past.state) == ("gemini-2.5-flash", 1, "JOB_STATE_SUCCEEDED")
    assert past.end_time - past.create_time == timedelta(seconds=3)


@pytest.mark.parametrize("path", EVERY)
def test_older_files_have_an_empty_history(copied, path: Path) -> None:
    if number_of(path) < 21:
        assert store_of(copied(path)).load().history == ()
