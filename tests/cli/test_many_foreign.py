"""The cost of a look at Vertex AI grows with our jobs, not with the project's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchctl.emulator.core import Emulator
from batchctl.emulator.job_store import add_job, all_jobs
from tests.support.command_line import Cli, StackFolder
from tests.support.values import replace

OURS, FOREIGN = 50, 10_000
SECONDS = 20
"""On a machine that does much else; a quiet one takes a tenth."""
PROVIDER = {"type": "vertex", "project": "demo", "location": "us-central1", "endpoint": "emulator"}


@pytest.fixture
def vertex(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StackFolder:
    """A stack of fifty jobs on the embedded emulator."""
    folder = StackFolder(tmp_path / "stack")
    folder.write_stack(providers={"vertex": PROVIDER})
    for number in range(OURS):
        folder.write_job(f"job-{number}", src="gs://input/in.jsonl", dest=f"gs://output/{number}/")
    monkeypatch.chdir(folder.path)
    return folder


@pytest.fixture
def emulator(vertex: StackFolder, cli: Cli) -> Iterator[Emulator]:
    """The same emulator, from within, with a bucket to read and one to write."""
    (vertex.path / ".emulator.yaml").write_text(
        "settings: {pending: 0s, running: 10h}\n"
        "buckets: {input: {objects: {in.jsonl: {lines: [{request: {contents: []}}]}}}, output: {}}\n"
    )
    cli.ok("status")
    emulator = Emulator(vertex.path / ".batchctl" / "emulator.db")
    yield emulator
    emulator.close()


def make_foreign(emulator: Emulator) -> None:
    """Copies of one of our jobs, with other labels: some of another stack, some of nobody."""
    store = emulator.store
    model = all_jobs(store)[0]
    with store.transaction():
        for number in range(FOREIGN):
            short = str(10**17 + number)
            mark = {"batchctl-stack": "other", "batchctl-uid": "a1b2c3"} if number % 2 else {"team": "search"}
            name = f"{model.parent}/batchPredictionJobs/{short}"
            add_job(store, replace(model, name=name, display_name=f"theirs {number}", labels=mark))


def calls(emulator: Emulator) -> dict[str, int]:
    return dict(emulator.store.rows("SELECT method, calls FROM counters"))


def made_since(emulator: Emulator, before: dict[str, int]) -> dict[str, int]:
    return {name: count - before.get(name, 0) for name, count in calls(emulator).items() if count > before.get(name, 0)}


def test_ten_thousand_jobs_of_others(vertex: StackFolder, emulator: Emulator, cli: Cli) -> None:
    cli.ok("apply", "--yes")
    make_foreign(emulator)
    vertex.write_job("job-50", src="gs://input/in.jsonl", dest="gs://output/50/")
    for command, most in (("plan", 2), ("status", 2), ("apply", 2)):
        before, start = calls(emulator), time.process_time()
        ran = cli(command, *(["--yes"] if command == "apply" else []), "-o", "json")
        assert time.process_time() - start < SECONDS
        made = made_since(emulator, before)
        created = made.pop("batchPredictionJobs.create", 0)
        assert (ran.code, created) == (0, 1 if command == "apply" else 0)
        assert set(made) <= {"batchPredictionJobs.list"}
        assert sum(made.values()) <= most
        if command == "plan":
            assert ran.json["summary"]["wait"] == OURS
            assert ran.json["summary"]["create"] == 1
