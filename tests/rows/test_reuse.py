"""Copies of collected results under another job's name."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from batchctl.model.errors import ResultsError
from batchctl.model.keys import Account, Api, AttemptKey
from batchctl.model.observed import RemoteJob
from batchctl.model.ports.providers import ResultItem
from batchctl.rows.kept import read_kept
from batchctl.rows.results import ResultsFolder

ACCOUNT = Account(Api.GEMINI, "https://generativelanguage.googleapis.com")
DIGEST = "d1:" + "ab" * 32
REMOTE = RemoteJob("batches/1", ACCOUNT, "x", None, "JOB_STATE_SUCCEEDED")
MARKS = {"stack": "shop", "uid": "abc123", "token": "token00001"}
OURS = {**MARKS, "token": ""}
KEY = AttemptKey("other", 3)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    items = [ResultItem("a", None, response={"text": "one"})]
    ResultsFolder(tmp_path).collect(AttemptKey("job", 1), DIGEST, REMOTE, items, None, MARKS)
    (tmp_path / "job" / "abababab-1" / "raw-1").write_bytes(b"a line that was too long")
    return tmp_path


def test_a_copy_has_the_rows_and_says_whose_they_were(root: Path) -> None:
    path = ResultsFolder(root).reuse(KEY, DIGEST, "job/abababab-1", OURS)
    assert path == "other/abababab-3"
    origin, copy = root / "job" / "abababab-1", root / path
    for name in ("results.jsonl", "raw-1"):
        assert (copy / name).read_bytes() == (origin / name).read_bytes()
        assert (copy / name).stat().st_ino == (origin / name).stat().st_ino
    manifest = json.loads((copy / "manifest.json").read_text())
    assert manifest["reusedFrom"] == {"path": "job/abababab-1", "job": "job", "attempt": 1, "remote": "batches/1"}
    assert (manifest["job"], manifest["attempt"], manifest["marks"]) == ("other", 3, OURS)
    found = {one.attempt.results: one for one in read_kept(root).kept}[path]
    assert (found.attempt.key, found.attempt.remote, found.attempt.token) == (KEY, None, "")
    assert found.attempt.is_reused
    assert sorted(item.name for item in copy.parent.iterdir()) == ["abababab-3"]


def test_repeating_it_gives_the_same_folder(root: Path) -> None:
    results = ResultsFolder(root)
    first = results.reuse(KEY, DIGEST, "job/abababab-1", OURS)
    (root / first / "results.jsonl").unlink()
    assert results.reuse(KEY, DIGEST, "job/abababab-1", OURS) == first
    assert (root / first / "results.jsonl").is_file()


def test_what_lies_there_is_never_written_over(root: Path) -> None:
    results = ResultsFolder(root)
    results.collect(KEY, DIGEST, REMOTE, [ResultItem("b", None, response={})], None, MARKS)
    assert results.reuse(KEY, DIGEST, "job/abababab-1", OURS) == "other/abababab-3-2"
    assert '"b"' in (root / "other" / "abababab-3" / "results.jsonl").read_text()


def test_where_the_disk_takes_no_links_the_bytes_are_copied(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_names: object, **_options: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    path = ResultsFolder(root).reuse(KEY, DIGEST, "job/abababab-1", OURS)
    origin, copy = root / "job" / "abababab-1" / "results.jsonl", root / path / "results.jsonl"
    assert copy.read_bytes() == origin.read_bytes()
    assert copy.stat().st_ino != origin.stat().st_ino
    assert copy.stat().st_mode & 0o777 == 0o600


def test_what_is_not_whole_is_not_used(root: Path) -> None:
    rows = root / "job" / "abababab-1" / "results.jsonl"
    rows.write_bytes(rows.read_bytes().replace(b"one", b"two"))
    with pytest.raises(ResultsError, match="not those that were collected") as caught:
        ResultsFolder(root).reuse(KEY, DIGEST, "job/abababab-1", OURS)
    assert caught.value.code == "ResultsMissing"
    assert list((root / "other").iterdir() if (root / "other").exists() else []) == []
