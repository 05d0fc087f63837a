"""A cache that is damaged, foreign, full or in use changes no result, and never stops a command."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from batchctl.manifests import file_cache, known_files
from tests.manifests.test_known_files import JOBS, assert_same, entries, known_in, outcome
from tests.support.long_mode import effort
from tests.support.manifest_files import JOB, STACK, load_in, write


@pytest.fixture(autouse=True)
def _small_stacks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_files, "LEAST_FILES", 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A stack whose files are known."""
    write(tmp_path / "stack", {"batchctl.yaml": STACK, **JOBS})
    load_in(tmp_path / "stack", known=known_in(tmp_path))
    return tmp_path / "stack"


def the_file(folder: Path) -> Path:
    (path,) = (folder.parent / "cache").glob("*.db")
    return path


def test_the_file_and_its_folder_are_private(folder: Path) -> None:
    assert oct(the_file(folder).stat().st_mode)[-3:] == "600"
    assert oct(the_file(folder).parent.stat().st_mode)[-3:] == "700"


def test_a_small_stack_has_no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_files, "LEAST_FILES", 3)
    write(tmp_path / "stack", {"batchctl.yaml": STACK, **JOBS})
    assert_same(tmp_path / "stack", tmp_path)
    assert not (tmp_path / "cache").exists()
    write(tmp_path / "stack", {"jobs/d.yaml": JOB})
    assert_same(tmp_path / "stack", tmp_path)
    assert entries(tmp_path) == ["jobs/d.yaml"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"not a database"),
        lambda path: path.write_bytes(path.read_bytes()[:5000]),
        lambda path: path.write_bytes(path.read_bytes()[:-4096]),
        lambda path: _execute(path, "DROP TABLE files"),
        lambda path: _execute(path, "DROP TABLE files; CREATE TABLE files (path)"),
        lambda path: _execute(path, "UPDATE files SET entry = x'90'"),
        lambda path: _execute(path, "UPDATE files SET entry = 'text', seal = NULL"),
        lambda path: _execute(path, "UPDATE files SET entry = (SELECT entry FROM files ORDER BY path DESC)"),
        lambda path: _execute(path, "DELETE FROM files"),
    ],
)
def test_a_damaged_file_is_ignored_and_written_again(folder: Path, damage: Callable[[Path], object]) -> None:
    damage(the_file(folder))
    assert_same(folder, folder.parent)
    assert_same(folder, folder.parent)
    assert entries(folder.parent) == sorted(JOBS)


def _execute(path: Path, statements: str) -> None:
    with sqlite3.connect(path) as db:
        db.executescript(statements)


@pytest.mark.no_cover
def test_any_flipped_byte_is_noticed(folder: Path) -> None:
    content = the_file(folder).read_bytes()
    cold = outcome(folder, None)
    chance = random.Random(7)
    for _ in range(effort(60, 5000)):
        damaged = bytearray(content)
        damaged[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        the_file(folder).write_bytes(damaged)
        assert outcome(folder, known_in(folder.parent)) == cold
        (folder.parent / "cache").mkdir(exist_ok=True)
        for path in (folder.parent / "cache").iterdir():
            path.unlink()
        load_in(folder, known=known_in(folder.parent))


def test_an_entry_with_a_sound_checksum_that_is_no_entry_is_ignored(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _execute(the_file(folder), "UPDATE files SET entry = x'90', seal = x'00'")
    monkeypatch.setattr(file_cache.FileCache, "_seal", lambda *_: b"\x00")
    assert_same(folder, folder.parent)


def test_a_file_that_cannot_be_opened_is_no_cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> sqlite3.Connection:
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr(sqlite3, "connect", full)
    assert_same(folder, folder.parent)


@pytest.mark.parametrize("blocked", ["folder", "link", "file in place of the folder"])
def test_without_a_place_for_it_all_files_are_read(tmp_path: Path, folder: Path, blocked: str) -> None:
    path = the_file(folder)
    path.unlink()
    if blocked == "folder":
        path.mkdir()
    elif blocked == "link":
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.parent.rmdir()
        path.parent.write_text("")
    assert_same(folder, tmp_path)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("use", ["BEGIN EXCLUSIVE", "BEGIN IMMEDIATE", "BEGIN; SELECT * FROM files"])
def test_a_file_in_use_is_left_to_the_other_process(folder: Path, use: str) -> None:
    other = sqlite3.connect(the_file(folder), isolation_level=None)
    used = [other.execute(statement) for statement in use.split("; ")]
    used[-1].fetchone()
    write(folder, {"jobs/d.yaml": JOB})
    assert_same(folder, folder.parent)
    used[-1].close()
    other.close()
    assert entries(folder.parent) == sorted(JOBS)
    assert_same(folder, folder.parent)
    assert entries(folder.parent) == sorted([*JOBS, "jobs/d.yaml"])


def test_files_that_are_gone_are_forgotten_when_they_are_the_most(folder: Path) -> None:
    (folder / "jobs/a.yaml").unlink()
    assert_same(folder, folder.parent)
    assert entries(folder.parent) == sorted(JOBS)
    (folder / "jobs/b.yaml").unlink()
    assert_same(folder, folder.parent)
    assert entries(folder.parent) == ["jobs/c.yaml"]


def test_the_file_that_was_not_used_for_the_longest_time_makes_room(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_cache, "MOST_STACKS", 2)
    first = the_file(folder)
    for priority in (1, 2):
        write(folder, {"batchctl.yaml": f"{STACK}  defaults: {{priority: {priority}}}\n"})
        assert_same(folder, folder.parent)
    files = set(first.parent.iterdir())
    assert len(files) == 2
    assert first not in files
