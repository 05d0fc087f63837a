"""The seal: what it notices, and what becomes of the seal of older formats."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from batchctl.model.errors import StateError
from batchctl.state.database import Database
from batchctl.state.formats import MIGRATIONS
from batchctl.state.migrations import Identity, migrate
from batchctl.state.seal import SINCE, SealedTable, is_intact
from batchctl.state.store import FileState
from tests.support.state_samples import HandClock

SEALED_SINCE = 4
FORMATS = {
    int(path.stem.split("-")[1]): path
    for path in (Path(__file__).parent / "formats").glob("format-*.db")
    if path.stem != "format-1-first"
}
FORMER = [number for number in sorted(FORMATS) if SEALED_SINCE <= number < SINCE]
IDENTITY = Identity("formats", "abc123")


@pytest.fixture
def table() -> Iterator[Database]:
    with closing(Database(sqlite3.connect(":memory:"))) as db:
        db.execute("CREATE TABLE files (name, size, note)")
        db.execute("INSERT INTO files VALUES ('a', 1, 'x'), ('b', 2, 'y')")
        yield db


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE files SET note = 'z' WHERE name = 'a'",
        "UPDATE files SET note = name, name = note",
        "UPDATE files SET note = CASE note WHEN 'x' THEN 'y' ELSE 'x' END",
        "UPDATE files SET size = '1' WHERE size = 1",
        "UPDATE files SET size = 1.0 WHERE size = 1",
        "UPDATE files SET note = x'78' WHERE note = 'x'",
        "UPDATE files SET note = NULL",
        "UPDATE files SET note = note || char(0)",
        "DELETE FROM files WHERE name = 'a'",
        "INSERT INTO files VALUES ('a', 1, 'x')",
        "ALTER TABLE files RENAME COLUMN note TO name2",
        "ALTER TABLE files ADD COLUMN more",
    ],
)
def test_every_change_changes_the_sum(table: Database, sql: str) -> None:
    before = SealedTable(table, "files").sum_of()
    table.execute(sql)
    assert SealedTable(table, "files").sum_of() != before


def test_the_order_of_records_and_columns_does_not_count(table: Database) -> None:
    before = SealedTable(table, "files").sum_of()
    table.execute("CREATE TABLE others AS SELECT note, name, size FROM files ORDER BY name DESC")
    table.execute("DROP TABLE files")
    table.execute("ALTER TABLE others RENAME TO files")
    assert SealedTable(table, "files").sum_of() == before


def test_the_same_record_of_another_table_has_another_hash(table: Database) -> None:
    table.execute("CREATE TABLE ghosts AS SELECT * FROM files")
    assert SealedTable(table, "ghosts").sum_of() != SealedTable(table, "files").sum_of()


def test_a_sum_is_that_of_its_parts(table: Database) -> None:
    sealed = SealedTable(table, "files")
    parts = [sealed.sum_of("name = ?", [name]) for name in "ab"]
    assert sealed.sum_of() == sum(parts)
    assert 0 not in parts


@pytest.mark.parametrize("number", FORMER)
def test_damage_in_an_older_format_is_noticed(number: int, tmp_path: Path) -> None:
    path = Path(shutil.copyfile(FORMATS[number], tmp_path / "state.db"))
    store = FileState(path, IDENTITY, HandClock(), "ada", 0)
    assert store.load().jobs
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("UPDATE attempts SET remote = 'batches/elsewhere' WHERE job = 'done'")
        conn.commit()
    for use in (store.load, store.lock):
        with pytest.raises(StateError, match="do not match the checksum"):
            use()


@pytest.mark.parametrize("reached", [20, SINCE - 1, SINCE])
def test_a_file_is_intact_between_two_migrations(reached: int, tmp_path: Path) -> None:
    """Also for the batchctl that knows the format it has then, and no newer one."""
    path = Path(shutil.copyfile(FORMATS[14], tmp_path / "state.db"))
    with closing(Database(sqlite3.connect(path, isolation_level=None))) as db:
        migrate(db, 14, MIGRATIONS[:reached], IDENTITY)
        assert is_intact(db)
        db.execute("UPDATE jobs SET current = 2 WHERE name = 'done'")
        assert not is_intact(db)
        db.execute("UPDATE jobs SET current = 1 WHERE name = 'done'")
        assert is_intact(db)
    assert FileState(path, IDENTITY, HandClock(), "ada", 0).load().jobs
