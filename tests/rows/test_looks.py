"""What a look at the results folder takes for whole, cheaply and thoroughly."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from batchctl.model.errors import ExhaustedError
from batchctl.model.keys import Account, Api, AttemptKey
from batchctl.model.observed import RemoteJob
from batchctl.model.ports.providers import ResultItem
from batchctl.rows import kept
from batchctl.rows.looks import ResultsShelf
from batchctl.rows.results import ResultsFolder
from tests.support.file_handles import no_handles_left

ACCOUNT = Account(Api.GEMINI, "https://generativelanguage.googleapis.com")
REMOTE = RemoteJob("batches/1", ACCOUNT, "x", None, "JOB_STATE_SUCCEEDED")
MARKS = {"stack": "shop", "uid": "abc123", "token": "token00001"}
PATH = "job/abababab-1"


@pytest.fixture
def shelf(tmp_path: Path) -> ResultsShelf:
    folder = ResultsFolder(tmp_path)
    items = [ResultItem("a", None, response={"text": "one"}), ResultItem("b", None, response={"text": "two"})]
    folder.collect(AttemptKey("job", 1), "d1:" + "ab" * 32, REMOTE, items, None, MARKS)
    return ResultsShelf(tmp_path)


def rows(root: Path) -> Path:
    return root / PATH / "results.jsonl"


def cut(root: Path) -> None:
    rows(root).write_bytes(rows(root).read_bytes()[:-1])


def swap(root: Path) -> None:
    rows(root).write_bytes(rows(root).read_bytes().replace(b"one", b"two"))


def link(root: Path) -> None:
    rows(root).rename(root / "elsewhere")
    rows(root).symlink_to(root / "elsewhere")


def spoil_manifest(root: Path) -> None:
    (root / PATH / "manifest.json").write_text("{")


def remove_all(root: Path) -> None:
    for file in (root / PATH).iterdir():
        file.unlink()
    (root / PATH).rmdir()


def test_what_was_collected_is_whole(shelf: ResultsShelf) -> None:
    look = shelf.look()
    assert (list(look.kept), look.faults, look.problem) == ([PATH], {}, None)
    assert look.kept[PATH].attempt.remote == "batches/1"
    assert shelf.verify(PATH) is None


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (cut, "its results are not those that were collected"),
        (lambda root: rows(root).unlink(), "results.jsonl is missing"),
        (lambda root: (root / PATH / "manifest.json").unlink(), "manifest.json is missing"),
        (link, "results.jsonl: it is a symbolic link"),
        (spoil_manifest, "Expecting property name"),
    ],
)
def test_a_cheap_look_finds_most_damage(
    shelf: ResultsShelf, tmp_path: Path, damage: Callable[[Path], None], words: str
) -> None:
    shelf.look()
    damage(tmp_path)
    look = shelf.look()
    assert look.kept == {}
    assert words in look.faults[PATH]
    assert words in (shelf.verify(PATH) or "")


def test_rows_of_the_same_length_need_a_thorough_look(shelf: ResultsShelf, tmp_path: Path) -> None:
    swap(tmp_path)
    assert list(shelf.look().kept) == [PATH]
    assert shelf.verify(PATH) == "its results are not those that were collected"
    assert shelf.look().faults == {PATH: "its results are not those that were collected"}
    rows(tmp_path).write_bytes(rows(tmp_path).read_bytes().replace(b'"two"}', b'"one"}', 1))
    os.utime(rows(tmp_path), ns=(1, 1))
    assert list(shelf.look().kept) == [PATH]
    assert shelf.verify(PATH) is None


def test_a_folder_that_was_taken_away_is_no_fault_of_the_look(shelf: ResultsShelf, tmp_path: Path) -> None:
    remove_all(tmp_path)
    assert shelf.look().kept == shelf.look().faults == {}
    assert "missing" in (shelf.verify(PATH) or "")


def test_a_folder_that_cannot_be_listed_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_folder: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert ResultsShelf(tmp_path).look().problem == f"{tmp_path}: Permission denied"


def test_manifests_that_do_not_tell_the_length_are_read(shelf: ResultsShelf, tmp_path: Path) -> None:
    manifest = tmp_path / PATH / "manifest.json"
    found = json.loads(manifest.read_text())
    assert found.pop("bytes") == rows(tmp_path).stat().st_size
    manifest.write_text(json.dumps(found))
    cut(tmp_path)
    assert list(shelf.look().kept) == [PATH]
    assert shelf.verify(PATH) is not None


def test_what_has_not_changed_is_not_read_again(shelf: ResultsShelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.look()
    monkeypatch.setattr(kept, "_open", lambda _path: pytest.fail("it was read again"))
    assert list(shelf.look().kept) == [PATH]


def test_without_handles_nothing_is_said_of_the_results(shelf: ResultsShelf, tmp_path: Path) -> None:
    """A shortage passes: what could not be opened is neither broken now nor remembered as broken."""
    for use in (ResultsShelf(tmp_path).look, lambda: shelf.verify(PATH)):
        with no_handles_left(), pytest.raises(ExhaustedError, match="limit of open files"):
            use()
    # The folder can be listed then, and no file in it be opened.
    with no_handles_left(but=1), pytest.raises(ExhaustedError, match="limit of open files"):
        ResultsShelf(tmp_path).look()
    assert PATH in shelf.look().kept
    assert shelf.verify(PATH) is None


def test_a_fault_of_the_disk_is_not_remembered(shelf: ResultsShelf, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(kept, "read_manifest", fail)
        assert shelf.look().faults
        assert shelf.verify(PATH) is not None
    assert PATH in shelf.look().kept
