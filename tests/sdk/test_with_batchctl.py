"""batchctl and the SDK look at one service: they see the same jobs and results, and batchctl leaves others' alone."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml
from google import genai
from google.genai import types

from batchctl.cli.main import run
from tests.support.sdk_clients import EMBED_MODEL, FOR_LONG, MODEL, Sdk, Service, asked

Batchctl: TypeAlias = Callable[..., str]
GIVEN = [{"key": "one", "text": "first"}, {"key": "two", "text": "second"}, {"key": "three", "text": "third"}]
REQUEST = {"contents": [{"role": "user", "parts": [{"text": "in full"}]}]}
JOBS: dict[str, dict[str, Any]] = {
    "inline": {"model": MODEL, "src": [*GIVEN, {"key": "four", "request": REQUEST}]},
    "file": {"model": MODEL, "src": {"file": "rows.jsonl"}},
    "embeddings": {"model": EMBED_MODEL, "src": GIVEN},
    "embeddings-file": {"model": EMBED_MODEL, "src": {"file": "rows.jsonl"}},
}


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: Service) -> Path:
    """An empty stack on the served emulator; the working folder is its folder."""
    for name in list(os.environ):
        if name.startswith("BATCHCTL_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("BATCHCTL_EMULATOR", service.url)
    folder = tmp_path / "stack"
    (folder / "jobs").mkdir(parents=True)
    monkeypatch.chdir(folder)
    write(folder / "batchctl.yaml", "Stack", {"name": "shop", "uid": "a1b2c3"}, {
        "manifests": ["jobs"], "providers": {"gemini": {"type": "gemini", "endpoint": "emulator"}},
    })  # fmt: skip
    (folder / "jobs" / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in GIVEN))
    return folder


@pytest.fixture
def batchctl(stack: Path, capsys: pytest.CaptureFixture[str]) -> Batchctl:
    """Runs a command line that has to end with this code; gives its standard output."""

    def call(*arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        ended = run(arguments)
        captured = capsys.readouterr()
        assert ended == code, captured
        return captured.out

    return call


def write(path: Path, kind: str, metadata: dict[str, Any], spec: dict[str, Any]) -> None:
    document = {"apiVersion": "batchctl.dev/v1", "kind": kind, "metadata": metadata, "spec": spec}
    path.write_text(yaml.safe_dump(document))


def write_job(stack: Path, name: str, **spec: Any) -> None:
    kind = "EmbeddingsBatchJob" if name.startswith("embeddings") else "BatchJob"
    write(stack / "jobs" / f"{name}.yaml", kind, {"name": name}, spec)


def remotes(batchctl: Batchctl) -> dict[str, str]:
    """The remote name of each job."""
    return {job["job"]: job["remote"] for job in json.loads(batchctl("status", "-o", "json"))["jobs"]}


def apply_and_collect(batchctl: Batchctl) -> None:
    """Create what is missing; it has ended when it is looked at again."""
    batchctl("apply", "--yes")
    batchctl("apply", "--yes")


def drift(batchctl: Batchctl, code: int = 3) -> dict[str, str]:
    """The kind of drift of each job."""
    found = json.loads(batchctl("drift", "-o", "json", code=code))["drift"]
    return {item["job"]: item["kind"] for item in found}


def rows_by_sdk(sdk: Sdk, job: types.BatchJob) -> list[dict[str, Any]]:
    """A job's results as an SDK user gets at them: the response of each row, in the wire's spelling, and its key."""
    if job.dest.file_name:
        return [json.loads(line) for line in sdk.files.download(file=job.dest.file_name).splitlines()]
    items = job.dest.inlined_responses or job.dest.inlined_embed_content_responses
    return [
        {
            "key": item.metadata["key"],
            "response": item.response.model_dump(mode="json", by_alias=True, exclude_none=True),
        }
        for item in items
    ]


def plain(response: dict[str, Any]) -> dict[str, Any]:
    """A response with its int64 counts as numbers, which is what the SDK makes of them."""
    counts = {name: int(value) for name, value in response.items() if name == "tokenCount"}
    return {**response, **counts}


@pytest.mark.parametrize("name", JOBS)
def test_the_sdk_reads_what_batchctl_prints(
    sdk: Sdk, service: Service, stack: Path, batchctl: Batchctl, name: str
) -> None:
    write_job(stack, name, **JOBS[name], displayName="Shop, spring")
    apply_and_collect(batchctl)
    (listed,) = sdk.all(sdk.batches.list(config={"page_size": 10}))
    assert (listed.name, listed.state) == (remotes(batchctl)[name], types.JobState.JOB_STATE_SUCCEEDED)
    assert listed.display_name.startswith(f"Shop, spring [bc1 shop/{name}@1.0 ")
    job = sdk.batches.get(name=listed.name)
    assert job.display_name == listed.display_name
    assert bool(job.dest.file_name) == name.endswith("file")
    printed = [json.loads(line) for line in batchctl("results", name).splitlines()]
    read = rows_by_sdk(sdk, job)
    assert len(read) == len(printed) == (4 if name == "inline" else 3)
    assert [(row["key"], plain(row["response"])) for row in printed] == [
        (row["key"], plain(row["response"])) for row in read
    ]


def test_rows_that_failed_have_the_same_error_in_both(
    sdk: Sdk, service: Service, stack: Path, batchctl: Batchctl
) -> None:
    error = {"code": 8, "message": "Too much."}
    service.rules({"fate": "rows", "match": {"row": "two"}, "rowError": error, "pending": "0s", "running": "0s"})
    write_job(stack, "inline", **JOBS["inline"])
    apply_and_collect(batchctl)
    job = sdk.batches.get(name=remotes(batchctl)["inline"])
    read = {item.metadata["key"]: item.error for item in job.dest.inlined_responses if item.error}
    printed = {row["key"]: row["error"] for row in map(json.loads, batchctl("results", "inline").splitlines())
               if "error" in row}  # fmt: skip
    assert read == {"two": types.JobError(**error)}
    assert {key: {name: told[name] for name in error} for key, told in printed.items()} == {"two": error}


def test_what_the_sdk_does_to_our_jobs_is_drift(sdk: Sdk, service: Service, stack: Path, batchctl: Batchctl) -> None:
    service.rules(FOR_LONG)
    for name in ("cancelled", "deleted", "left-alone"):
        write_job(stack, name, model=MODEL, src=GIVEN)
    batchctl("apply", "--yes")
    named = remotes(batchctl)
    assert {job.name for job in sdk.all(sdk.batches.list(config={"page_size": 2}))} == set(named.values())
    assert drift(batchctl, code=0) == {}
    sdk.batches.cancel(name=named["cancelled"])
    sdk.batches.delete(name=named["deleted"])
    assert drift(batchctl) == {"cancelled": "Cancelled", "deleted": "Missing"}


def test_what_batchctl_does_is_seen_by_the_sdk(sdk: Sdk, service: Service, stack: Path, batchctl: Batchctl) -> None:
    service.rules(FOR_LONG)
    write_job(stack, "one", model=MODEL, src=GIVEN)
    batchctl("apply", "--yes")
    remote = remotes(batchctl)["one"]
    assert sdk.batches.get(name=remote).state == types.JobState.JOB_STATE_RUNNING
    batchctl("cancel", "one", "--yes")
    assert sdk.batches.get(name=remote).state == types.JobState.JOB_STATE_CANCELLED
    batchctl("destroy", "--yes")
    assert sdk.all(sdk.batches.list()) == []


def make_strangers(sdk: Sdk | genai.Client) -> set[str]:
    """Jobs as SDK users make them, one with a mark of another stack; gives their names."""
    marked = "Shop [bc1 shop/one@1.0 0123456789ab 0123456789 ffffff]"
    made = [
        sdk.batches.create(model=MODEL, src=[asked("x")]),
        sdk.batches.create(model=MODEL, src=[asked("x")], config={"display_name": "one"}),
        sdk.batches.create(model=MODEL, src=[asked("x")], config={"display_name": marked}),
        sdk.batches.create_embeddings(model=EMBED_MODEL, src={"inlined_requests": {"contents": ["x"]}}),
    ]
    return {job.name for job in made}


@pytest.mark.parametrize("working", [True, False], ids=["working", "ended"])
def test_jobs_of_the_sdk_are_unmanaged_and_never_touched(
    sync_sdk: genai.Client, service: Service, stack: Path, batchctl: Batchctl, working: bool
) -> None:
    service.rules(FOR_LONG if working else {"pending": "0s", "running": "0s"})
    strangers = make_strangers(sync_sdk)
    before = {name: service.raw(name)["metadata"]["state"] for name in strangers}
    write_job(stack, "one", model=MODEL, src=GIVEN)
    write_job(stack, "two", model=MODEL, src=GIVEN)
    applied = json.loads(batchctl("apply", "--yes", "-o", "json"))
    assert applied["unmanaged"] == len(strangers)
    assert applied["summary"]["create"] == 2
    found = json.loads(batchctl("drift", "--unmanaged", "-o", "json", code=3))["drift"]
    assert {item["job"]: item["kind"] for item in found} == dict.fromkeys(strangers, "Unmanaged")
    (stack / "jobs" / "two.yaml").unlink()
    batchctl("apply", "--yes", "--prune-orphans")
    batchctl("cancel", "--all", "--yes")
    batchctl("destroy", "--yes")
    after = {job.name: f"BATCH_STATE_{job.state.name.removeprefix('JOB_STATE_')}" for job in sync_sdk.batches.list()}
    assert after == before
    assert sum(job["deleted"] for job in service.jobs()) == 2
