"""The tables in PostgreSQL always have what a state file would have: after any commits, in any format, under any name."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings

from batchctl.model.writes import (
    AddEvent,
    DropFile,
    ForgetJob,
    RenameJob,
    SaveAttempt,
    SaveFile,
    SaveIdentity,
    SaveJob,
    SaveQuota,
    Write,
)
from batchctl.state.formats import MIGRATIONS
from batchctl.state.lockfile import this_process
from batchctl.state.migrations import Identity
from batchctl.state.postgres.changes import Changes
from batchctl.state.postgres.held_row import HeldRow
from batchctl.state.store import FileState, open_state
from batchctl.state.whole_state import Content
from tests.state.test_roundtrip import EVENTS, FILES, JOBS, QUOTAS
from tests.support.long_mode import effort
from tests.support.shared_database import Database
from tests.support.state_samples import ACCOUNT, HandClock, attempt, job

FORMATS = Path(__file__).parent / "formats"


def tables(content: Content) -> dict[str, list[tuple[object, ...]]]:
    return {
        table: sorted((tuple(sorted(record.items())) for record in records), key=repr)
        for table, records in content.tables.items()
    }


def write_both(database: Database, steps: Sequence[Sequence[Write]]) -> None:
    """Commit the same to a file and to the database, and compare both after each session."""
    with tempfile.TemporaryDirectory() as folder:
        local = open_state(Path(folder) / "state.db", stack="demo", uid="abc123", clock=database.clock, who="ada")
        shared = database.state()
        for start in range(0, len(steps), 2):
            with local.lock() as mine, shared.lock() as theirs:
                for step in steps[start : start + 2]:
                    mine.commit(step)
                    theirs.commit(step)
            found = database.state("reader").content()
            assert tables(found) == tables(local.content())
            assert found.recorded.serial == local.load().serial
            copy = Path(folder) / f"copy-{start}.db"
            database.state("reader").copy_to(copy)
            again = open_state(copy, stack="demo", uid="abc123", clock=database.clock, who="ada").content()
            assert tables(again) == tables(found)


@settings(max_examples=effort(4, 150), deadline=None)
@given(one=JOBS, other=JOBS, file=FILES, quota=QUOTAS, event=EVENTS)
def test_drawn_values_come_back(
    postgres_schema: type, one: object, other: object, file: object, quota: object, event: object
) -> None:
    database = postgres_schema()
    saves = [[SaveJob(found.row), *(SaveAttempt(attempt) for attempt in found.attempts)] for found in (one, other)]  # type: ignore[attr-defined]
    write_both(
        database,
        [
            saves[0],
            [SaveFile(file), SaveQuota(quota), AddEvent(event)],
            saves[1],
            [RenameJob("job", "new"), DropFile(file)],
        ],  # type: ignore[arg-type]
    )
    database.close()


@pytest.fixture(scope="module")
def postgres_schema(postgres):
    """Makes a new schema for each example."""
    return lambda: Database(postgres)


def test_every_kind_of_change_arrives(database: Database) -> None:
    strange = "a\0b\ufdd0\ufdd00\ufdd01"
    write_both(
        database,
        [
            [SaveJob(job("one")), SaveAttempt(attempt("one")), SaveJob(job("two")), SaveAttempt(attempt("two"))],
            [SaveIdentity(ACCOUNT, strange), SaveJob(job("one", display_name=strange, labels={"a": strange}))],
            [RenameJob("one", "three"), SaveJob(job("one")), ForgetJob("two")],
            [SaveAttempt(attempt("three", 2)), ForgetJob("one")],
            [],
            [ForgetJob("three")],
        ],
    )


def test_whole_contents_are_replaced(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    state = database.state()
    with state.lock() as session:
        session.commit([SaveJob(job("first")), SaveAttempt(attempt("first"))])
    content = state.content()
    with state.lock() as session:
        session.commit([SaveJob(job("second")), ForgetJob("first")])
    sent: list[bool] = []
    real = Changes.are_most
    monkeypatch.setattr(Changes, "are_most", lambda changes: bool(sent.append(True)) or not real(changes))
    with state.lock() as session:
        backup = session.replace_content(content)
        session.commit([SaveJob(job("third"))])
    assert sent == [True, True]
    assert backup == f"backup-20261122T100000Z in the table copies of {database.url}"
    assert list(database.state("reader").load().jobs) == ["first", "third"]
    assert database.state("reader").content().recorded.jobs["first"].attempts == (attempt("first"),)


def test_a_thousand_changes_are_few_statements(database: Database) -> None:
    state = database.state()
    with state.lock() as session:
        session.commit([SaveJob(job(f"job{number}")) for number in range(1500)])
        session.commit([SaveJob(job(f"job{number}", priority=1)) for number in range(1500)])
        session.commit([ForgetJob(f"job{number}") for number in range(0, 1500, 3)])
    found = database.state("reader").load().jobs
    assert len(found) == 1000
    assert {one.row.priority for one in found.values()} == {1}


@pytest.mark.parametrize("name", ["format-1", "format-9", "format-18"])
def test_an_older_format_is_read_and_migrated(database: Database, tmp_path: Path, name: str) -> None:
    old = tmp_path / "old.db"
    shutil.copy(FORMATS / f"{name}.db", old)
    expected = FileState(old, Identity("formats", "abc123"), HandClock(), "ada", 0).load()
    place = database.place()
    held = place.take(this_process("ada", database.clock.now()))
    assert isinstance(held, HeldRow)
    assert held.replace(old, place.find()) is not None
    held.release()
    state = database.state(stack="formats")
    assert state.load() == expected
    with state.lock() as session:
        session.commit([SaveJob(job("new"))])
    after = database.state("reader", stack="formats").load()
    assert {name: after.jobs[name] for name in expected.jobs} == expected.jobs
    assert "new" in after.jobs
    assert database.sql(f"SELECT format FROM {database.schema}.lock") == [(len(MIGRATIONS),)]
    ((kept,),) = database.sql(f"SELECT name FROM {database.schema}.copies")
    assert str(kept).startswith("backup-v")
