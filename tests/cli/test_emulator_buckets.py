"""A missing bucket of the emulator: batchctl says how to create it, and that works."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import Cli, StackFolder

VERTEX = {"type": "vertex", "endpoint": "emulator", "project": "p", "location": "us-central1"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StackFolder:
    """A stack on the embedded emulator."""
    monkeypatch.delenv("BATCHCTL_EMULATOR", raising=False)
    monkeypatch.chdir(tmp_path)
    folder = StackFolder(tmp_path)
    folder.write_stack(providers={"v": {**VERTEX, "stagingBucket": "gs://stage/rows/"}})
    return folder


def test_a_missing_staging_bucket_is_created_as_the_hint_says(folder: StackFolder, cli: Cli) -> None:
    (folder.path / "jobs" / "one.jsonl").write_text('{"key": "a", "text": "x"}\n')
    folder.write_job("one", src={"file": "one.jsonl"}, dest="gs://stage/out/")
    ran = cli("apply", "--yes")
    hint = "to create the bucket in the emulator, write `buckets: {stage: {}}` in .emulator.yaml beside the stack file"
    assert ran.code == 1
    assert hint in ran.out
    (folder.path / ".emulator.yaml").write_text("buckets: {stage: {}}\n")
    assert "created" in cli.ok("apply", "--yes").err
