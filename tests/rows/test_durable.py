"""Collected results survive a power cut: nothing is deleted at the API before they are on the disk."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import pytest

from batchctl.model.keys import Account, Api, AttemptKey
from batchctl.model.observed import RemoteJob
from batchctl.model.ports.providers import ResultItem
from batchctl.rows.results import ResultsFolder
from tests.support.disk_log import DiskLog

DIGEST = "d1:" + "ab" * 32
KEY = AttemptKey("job", 1)
REMOTE = RemoteJob("batches/1", Account(Api.GEMINI, "emulator"), "x", None, "JOB_STATE_SUCCEEDED")
ROWS = [ResultItem("a", None, response={"text": "one"})]
WHOLE_LINE = ResultItem("b", None, error={"code": 13}, aside=io.BytesIO(b"a line that was too long"))


def collect(root: Path, *items: ResultItem) -> str:
    return ResultsFolder(root).collect(KEY, DIGEST, REMOTE, items, None, {}).path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "results"


def test_first_results_are_durable_with_every_folder_above_them(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = DiskLog(monkeypatch)
    collect(root, *ROWS)
    assert disk.lost() == []


def test_a_line_kept_aside_is_durable_before_its_folder_has_its_name(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = DiskLog(monkeypatch)
    path = collect(root, *ROWS, WHOLE_LINE)
    assert (root / path / "raw-1").read_bytes() == b"a line that was too long"
    assert disk.lost() == []


def test_results_that_are_collected_again_are_durable(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    collect(root, *ROWS)
    disk = DiskLog(monkeypatch)
    collect(root, ResultItem("a", None, response={"text": "two"}))
    assert disk.lost() == []


def test_the_link_to_the_good_results_is_durable(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = collect(root, *ROWS)
    disk = DiskLog(monkeypatch)
    ResultsFolder(root).point_current("job", path)
    assert disk.lost() == []


def test_the_new_name_of_a_job_s_folder_is_durable(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = DiskLog(monkeypatch)
    collect(root, *ROWS)
    assert ResultsFolder(root).rename_job("job", "other")
    assert disk.lost() == []


@pytest.mark.parametrize("links", [True, False], ids=["linked", "copied"])
def test_results_that_are_used_again_are_durable(root: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    disk = DiskLog(monkeypatch)
    path = collect(root, *ROWS)
    if not links:
        monkeypatch.setattr(os, "link", refuse)
    ResultsFolder(root).reuse(AttemptKey("other", 1), DIGEST, path, {})
    assert disk.lost() == []
