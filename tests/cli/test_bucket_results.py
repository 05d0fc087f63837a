"""Results in a bucket, over HTTP: every command runs on a machine that has only the manifests."""

from __future__ import annotations

import gc
import json
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from batchctl.model.state_objects import Version
from batchctl.providers.cloud.state_objects import BucketObjects
from tests.support.apis import VERTEX
from tests.support.command_line import PROGRAM, SOON, Cli, Service, StackFolder, check_schema, process
from tests.support.machines import RESULTS, STATE, Machines
from tests.support.patience import PATIENCE
from tests.support.web_process import WebProcess

SPEC = {**VERTEX.spec("translate"), "src": "gs://demo-in/fr.jsonl"}
LATER = {"code": 14, "message": "try later"}


@pytest.fixture
def machines(
    stack: StackFolder,
    cli: Cli,
    service: Service,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    quick: list[float],
) -> Machines:
    return Machines(stack, cli, service, tmp_path, monkeypatch)


def folder_of(machines: Machines, job: str, attempt: int = 1) -> str:
    """The folder of an attempt's results, below the address."""
    (found,) = [
        name.removesuffix("/manifest.json")
        for name in machines.objects()
        if name.startswith(f"{job}/") and name.endswith(f"-{attempt}/manifest.json")
    ]
    return found


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.05)


def verdicts(rows: list[Any]) -> dict[str, str]:
    return {row["key"]: row["verdict"] for row in rows}


def test_a_machine_that_is_thrown_away_loses_nothing(
    machines: Machines, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    machines.stack.write_job("translate")
    machines.ok("apply", "--yes", "--wait")
    assert verdicts(machines.ok("results", "translate").rows) == {"one": "OK", "two": "OK", "three": "OK"}
    folder = folder_of(machines, "translate")
    names = {"manifest.json", "results.jsonl", "rows.ledger"}
    assert {name.removeprefix(f"{folder}/") for name in machines.objects() if name.startswith(folder)} == names
    index = json.loads(machines.objects()["translate/index.json"])
    check_schema("results-index", index)
    assert index["current"] == folder.partition("/")[2]
    described = machines.ok("describe", "translate", "-o", "json").json
    check_schema("describe", described)
    assert described["results"] == f"{RESULTS}{folder}"
    assert f"{RESULTS}{folder}" in machines.ok("describe", "translate").out
    creates = service.creates
    assert machines.ok("plan", "-o", "json").actions() == {"translate": "none"}
    machines.ok("apply", "--yes")
    assert service.creates == creates
    gc.collect()
    assert not list(tmp_path.glob("batchctl-results-*")), "private copies are removed"


def test_the_page_reads_rows_in_the_bucket(machines: Machines) -> None:
    machines.stack.write_job("translate")
    machines.ok("apply", "--yes", "--wait")
    page = WebProcess("ui", "--show-rows")
    try:
        document = page.get("/api/jobs/translate/rows")
        assert {row["key"]: row["verdict"] for row in document["items"]} == {"one": "OK", "two": "OK", "three": "OK"}
    finally:
        page.close()


def test_a_job_is_deleted_after_its_results_are_in_the_bucket(machines: Machines, service: Service) -> None:
    machines.stack.write_job("translate", lifecycle={"ttlAfterFinished": "1s"})
    machines.ok("apply", "--yes", "--wait")
    service.advance("1h")
    machines.ok("apply", "--yes")
    assert service.live() == []
    assert len(machines.ok("results", "translate").rows) == 3
    machines.stack.job_path("translate").unlink()
    machines.stack.write_job("other")
    machines.ok("apply", "--yes")
    assert len(machines.ok("results", "translate").rows) == 3, "results of a removed job stay"


def test_a_new_machine_merges_rows_of_several_attempts(machines: Machines, service: Service) -> None:
    once = [{"times": 1, "error": LATER}]
    service.rules({**SOON, "match": {"row": "two"}, "rowOutcomes": once}, SOON)
    machines.stack.write_job("translate")
    machines("apply", "--yes", "--wait")
    (failed,) = machines.ok("results", "translate", "--failed").rows
    assert failed["key"] == "two"
    assert "1 of 3 rows failed (1 UNAVAILABLE)" in machines.ok("explain", "translate").out
    machines.ok("retry", "translate", "--rows", "failed", "--yes")
    service.advance("1m")
    machines.ok("apply", "--yes")
    assert [job["rows"] for job in service.jobs()] == [3, 1]
    rows = machines.ok("results", "translate").rows
    assert [(row["key"], row["verdict"], row["attempt"]) for row in rows] == [
        ("one", "OK", 1),
        ("two", "OK", 2),
        ("three", "OK", 1),
    ]
    first = machines.ok("results", "translate", "--attempt", "1").rows
    assert verdicts(first) == {"one": "OK", "two": "UNAVAILABLE", "three": "OK"}
    assert service.sent_rows()["sentAfterAnswer"] == 0


def test_changed_rows_alone_are_sent_by_a_new_machine(machines: Machines, service: Service) -> None:
    machines.stack.write_job("translate", src=[{"key": "a", "text": "x"}, {"key": "b", "text": "y"}])
    machines.ok("apply", "--yes", "--wait")
    machines.stack.write_job("translate", src=[{"key": "a", "text": "x"}, {"key": "b", "text": "z"}])
    assert machines.ok("plan", "-o", "json").json["actions"][0]["rowWork"]["toSend"] == 1
    machines.ok("apply", "--yes", "--wait")
    assert [job["rows"] for job in service.jobs()] == [2, 1]
    assert verdicts(machines.ok("results", "translate").rows) == {"a": "OK", "b": "OK"}


def test_shards_are_combined(machines: Machines, service: Service) -> None:
    rows = [{"key": f"k{number}", "text": f"t{number}"} for number in range(7)]
    machines.stack.write_job("translate", src=rows, sharding={"maxRows": 3})
    machines.ok("apply", "--yes")
    service.advance("1m")
    for _ in range(3):
        machines.ok("apply", "--yes")
    assert [job["rows"] for job in service.jobs()] == [3, 3, 1]
    assert list(verdicts(machines.ok("results", "translate").rows)) == [row["key"] for row in rows]


def test_a_fallback_for_rows_at_cloud_storage(machines: Machines, service: Service) -> None:
    """The source, the staging bucket, the state and the results are all in buckets."""
    unless = {"model": "*-pro"}
    service.rules(
        {**SOON, "match": {"row": "text 1"}, "rowOutcomes": [{"finishReason": "MAX_TOKENS", "unless": unless}]}, SOON
    )
    machines.stack.write_stack(state=STATE, results=RESULTS, providers={"main": dict(VERTEX.provider)})
    lines = [
        {"key": f"k{number}", "request": {"contents": [{"role": "user", "parts": [{"text": f"text {number}"}]}]}}
        for number in range(4)
    ]
    service.put_object("demo-in", "fr.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    fallback = [{"model": "gemini-2.5-pro", "when": ["MAX_TOKENS"]}]
    machines.stack.write_job(
        "a",
        **{
            **VERTEX.spec("a"),
            "src": "gs://demo-in/fr.jsonl",
            "rows": {"fallback": fallback},
            "lifecycle": {"retryOn": ["ROWS"]},
        },
    )
    for _ in range(4):
        machines.ok("apply", "--yes")
        service.advance("1m")
    assert [job["rows"] for job in service.jobs()] == [4, 1]
    rows = {row["key"]: (row["verdict"], row.get("sentWith")) for row in machines.ok("results", "a").rows}
    changed = {"k1": ("OK", {"model": "gemini-2.5-pro"})}
    assert rows == {f"k{number}": changed.get(f"k{number}", ("OK", None)) for number in range(4)}
    assert machines.ok("plan", "-o", "json").actions() == {"a": "none"}


def test_rows_of_a_chain_are_made_from_answers_in_the_bucket(machines: Machines, service: Service) -> None:
    machines.stack.write_job("first")
    machines.stack.write_job("second", src={"fromJob": "first", "template": {"text": "again: ${row.text}"}})
    assert "2 jobs" in machines.ok("validate").out
    machines.ok("apply", "--yes")
    service.advance("1m")
    machines.ok("apply", "--yes")
    machines.ok("apply", "--yes")
    assert [job["rows"] for job in service.jobs()] == [3, 3]
    service.advance("1m")
    machines.ok("apply", "--yes")
    assert len(machines.ok("results", "second").rows) == 3
    assert machines.ok("plan", "-o", "json").actions() == {"first": "none", "second": "none"}
    assert any(name.startswith("second/.rows/") for name in machines.objects())
    calls = service.calls("storage.objects.get")
    machines.ok("validate")
    assert service.calls("storage.objects.get") == calls, "validate calls no API"


def test_results_are_renamed_with_their_job(machines: Machines, service: Service) -> None:
    machines.stack.write_job("translate")
    machines.ok("apply", "--yes", "--wait")
    machines.ok("state", "mv", "translate", "french")
    machines.stack.job_path("translate").unlink()
    machines.stack.write_job("french", runId="translate")
    assert machines.ok("plan", "-o", "json").actions() == {"french": "none"}
    assert len(machines.ok("results", "french").rows) == 3
    assert "translate/index.json" not in machines.objects()
    machines.stack.write_stack(state=STATE, results=RESULTS, moved=[{"from": "french", "to": "gaul"}])
    machines.stack.job_path("french").unlink()
    machines.stack.write_job("gaul", runId="translate")
    machines.ok("apply", "--yes")
    assert len(machines.ok("results", "gaul").rows) == 3
    assert service.creates == 1


def test_a_lost_state_finds_the_results(machines: Machines, service: Service) -> None:
    machines.stack.write_job("translate", lifecycle={"ttlAfterFinished": "1s"})
    machines.ok("apply", "--yes", "--wait")
    service.advance("1h")
    machines.ok("apply", "--yes")
    for name in ("prod/state.db", "prod/state.db.lock"):
        service.remove_object("team", name.replace("/", "%2F"))
    machines.ok("state", "rebuild")
    assert machines.ok("plan", "-o", "json").actions() == {"translate": "none"}
    service.remove_object("team", "prod%2Fstate.db")
    machines.ok("apply", "--yes")
    assert (service.creates, len(machines.ok("results", "translate").rows)) == (1, 3)


def test_results_of_the_same_work_are_used_again(machines: Machines, service: Service) -> None:
    machines.stack.write_job("translate")
    machines.ok("apply", "--yes", "--wait")
    machines.stack.write_job("copy", runId="translate")
    machines.ok("apply", "--yes")
    assert service.creates == 1
    assert machines.ok("results", "copy").out == machines.ok("results", "translate").out


@pytest.mark.parametrize("file", ["results.jsonl", "manifest.json", "rows.ledger"])
def test_an_object_that_was_overwritten_is_found(machines: Machines, service: Service, file: str) -> None:
    machines.stack.write_job("translate", lifecycle={"ttlAfterFinished": "30m"})
    machines.ok("apply", "--yes", "--wait")
    name = f"{folder_of(machines, 'translate')}/{file}"
    good = machines.objects()[name]
    machines.put(name, good.replace(b"one", b"two") + b" ")
    words = f"{RESULTS}{name} was overwritten"
    ran = machines("results", "translate")
    assert (ran.code, words in ran.err) == (1, True), ran
    assert (ran.out == "") == (file != "manifest.json"), "the index has the text of the manifest"
    assert words in " ".join(machines.ok("doctor").out.split())
    service.advance("1h")
    machines("apply", "--yes")
    assert len(machines.ok("results", "translate").rows) == 3, "they were collected again"
    assert service.creates == 1


def test_an_object_that_was_overwritten_and_restored_counts_again(machines: Machines) -> None:
    machines.stack.write_job("translate")
    machines.ok("apply", "--yes", "--wait")
    name = f"{folder_of(machines, 'translate')}/results.jsonl"
    good = machines.objects()[name]
    machines.put(name, "other")
    assert machines("results", "translate").code == 1
    machines.put(name, good)
    assert len(machines.ok("results", "translate").rows) == 3


@pytest.mark.parametrize("lost", ["results.jsonl", "index.json"])
def test_no_remote_job_is_deleted_whose_results_are_gone(machines: Machines, service: Service, lost: str) -> None:
    machines.stack.write_job("translate")
    machines.ok("apply", "--yes", "--wait")
    folder = folder_of(machines, "translate")
    machines.remove("translate/index.json" if lost == "index.json" else f"{folder}/{lost}")
    service.faults({"method": "batches.get", "kind": "status", "status": 503})
    machines.stack.job_path("translate").unlink()
    machines.stack.write_job("other")
    machines("apply", "--yes", "--prune")
    assert len([job for job in service.of("translate") if not job["deleted"]]) == 1


def test_results_of_another_stack_are_left_alone(machines: Machines, service: Service) -> None:
    machines.stack.write_job("translate")
    machines.ok("apply", "--yes", "--wait")
    before = machines.objects()
    machines.stack.write_stack(name="other", uid="zzz999", results=RESULTS, state="gs://team/other.db")
    ran = machines("apply", "--yes", "--wait")
    assert (ran.code, "ResultsForeign" in ran.err, "belongs to the stack shop, uid a1b2c3" in ran.err) == (
        1,
        True,
        True,
    )
    assert machines.objects() == before


@pytest.mark.parametrize("jobs_on", ["gemini", "vertex"])
def test_a_bucket_needs_credentials_of_cloud_storage(
    stack: StackFolder,
    cli: Cli,
    moved_clocks: list[float],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    jobs_on: str,
) -> None:
    """Nobody listens where the jobs would be: `doctor` calls them."""
    vertex = {"project": "demo", "location": "us-central1"} if jobs_on == "vertex" else {}
    stack.write_stack(
        results=RESULTS, providers={"main": {"type": jobs_on, "endpoint": "http://127.0.0.1:1", **vertex}}
    )
    stack.write_job("translate", **(SPEC if jobs_on == "vertex" else {}))
    monkeypatch.setenv("GEMINI_API_KEY", "key")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    ran = cli("results", "translate")
    assert ran.code == 1
    assert f"results at {RESULTS} need credentials for Cloud Storage" in ran.err
    assert "none.json" in ran.err
    report = cli("doctor")
    assert (report.code, "need credentials for Cloud Storage" in " ".join(report.out.split())) == (1, True)


def test_a_missing_bucket_has_a_way_out(machines: Machines, service: Service) -> None:
    machines.stack.write_stack(state=STATE, results="gs://nowhere/results")
    machines.stack.write_job("translate")
    ran = machines("apply", "--yes")
    assert (ran.code, service.creates) == (7, 0), "rows are not bought if their list cannot be kept"
    assert "not done before the collected results can be read" in ran.err + ran.out
    assert "gs://nowhere/results/" in ran.err + ran.out
    assert "check that the bucket nowhere" in ran.err + ran.out
    planned = machines("plan", "-o", "json")
    assert (planned.code, planned.json["summary"]["wait"]) == (1, 1), "a plan that cannot tell is no empty plan"
    (problem,) = planned.json["problems"]
    assert (problem["account"], "gs://nowhere/results/" in problem["message"]) == ("results", True)
    assert planned.err.count("error: Results the results cannot be read: ") == 1
    assert "Could not be read in full" in machines("plan", "-o", "markdown").out
    expected = machines("apply", "--expect", f"p1:{64 * '0'}")
    assert (expected.code, "cannot be compared" in expected.err) == (7, True), expected.err
    assert "`batchctl doctor` shows what is missing" in expected.err
    report = machines("doctor", "-o", "json")
    (finding,) = [one for one in report.json["findings"] if one["subject"] == "results" and one["check"] == "writable"]
    assert (report.code, finding["health"]) == (1, "failed")
    assert "ResultsUnreachable" in finding["detail"]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("gs://Team/results/", "is not an address in a bucket"),
        ("gs://team/a//b/", "is not an address in a bucket"),
        ("gs://team/../b/", "is not an address in a bucket"),
        ("s3://team/results/", "cannot be at s3://"),
        ("gs:/team/results/", "has no // after gs:"),
        ("postgresql://user:secret@team/results", "cannot be at postgresql://"),
    ],
)
def test_a_wrong_address_is_refused_before_anything_is_bought(
    stack: StackFolder, cli: Cli, address: str, words: str
) -> None:
    stack.write_stack(results=address)
    ran = cli("validate")
    assert (ran.code, words in ran.err) == (65, True), ran
    assert "gs://bucket/prefix/" in ran.err


def test_a_server_without_preconditions_is_refused(
    machines: Machines, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    machines.stack.write_stack(results=RESULTS, state=".batchctl/state.db")
    machines.stack.write_job("translate")
    real = BucketObjects.put

    def put(objects: BucketObjects, suffix: str, content: BinaryIO, expected: str) -> Version | None:
        found = objects.find(suffix)
        return real(objects, suffix, content, found.generation)

    monkeypatch.setattr(BucketObjects, "put", put)
    monkeypatch.chdir(machines.stack.path)
    ran = machines._cli("apply", "--yes")
    assert (ran.code, "ResultsUnprotected" in ran.err, service.creates) == (1, True, 0), ran


def test_two_writers_do_not_mix_their_results(
    machines: Machines, service: Service, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    """Two machines with a local state each: the second writes the index between the reading and the writing of one."""
    machines.stack.write_stack(results=RESULTS)
    machines.stack.write_job("translate")
    one = machines.stack.path
    two = one.parent / "two"
    monkeypatch.chdir(one)
    cli.ok("apply", "--yes")
    shutil.copytree(one, two)
    service.advance("1m")
    real, others = BucketObjects.put, []

    def put(objects: BucketObjects, suffix: str, content: BinaryIO, expected: str) -> Version | None:
        if suffix == "translate/index.json" and not others:
            others.append(suffix)
            assert process("apply", "--yes", cwd=two).code == 0
        return real(objects, suffix, content, expected)

    monkeypatch.setattr(BucketObjects, "put", put)
    ran = cli("apply", "--yes")
    assert others
    assert (ran.code, "ResultsChanged" in ran.err) == (1, True), ran
    cli.ok("apply", "--yes")
    assert len(cli.ok("results", "translate").rows) == 3
    assert service.creates == 1


def test_large_results_are_sent_in_parts(machines: Machines, service: Service) -> None:
    text = "x" * 3_000_000
    part = {"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP"}
    service.rules({**SOON, "fate": "rows", "rowOutcomes": [{"response": {"candidates": [part]}}]})
    machines.stack.write_job("translate")
    machines.ok("apply", "--yes", "--wait")
    rows = machines.ok("results", "translate").rows
    assert [row["response"]["candidates"][0]["content"]["parts"][0]["text"] for row in rows] == [text] * 3


def test_the_bucket_is_written_once_and_not_read_again(machines: Machines, service: Service) -> None:
    machines.stack.write_job("translate")
    machines.ok("apply", "--yes", "--wait")
    writes = service.calls("storage.objects.insert")
    machines.ok("plan")
    machines.ok("status")
    machines.ok("results", "translate")
    assert service.calls("storage.objects.insert") == writes, "commands that only read write nothing"


def test_a_results_folder_is_copied_into_a_bucket(
    machines: Machines, service: Service, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    machines.stack.write_stack()
    machines.stack.write_job("translate", lifecycle={"ttlAfterFinished": "1s"})
    machines.stack.write_job("other", lifecycle={"ttlAfterFinished": "1s"})
    monkeypatch.chdir(machines.stack.path)
    cli.ok("apply", "--yes", "--wait")
    service.advance("1h")
    cli.ok("apply", "--yes")
    assert service.live() == []
    results = machines.stack.path / "results"
    before = {path: path.read_bytes() for path in results.rglob("*") if path.is_file()}
    (damaged,) = (results / "other").glob("*-1/results.jsonl")
    damaged.write_text("other")
    assert (cli("state", "migrate").code, cli("state", "migrate", "--results", "s3://x").code) == (64, 64)
    ran = cli.ok("state", "migrate", "--to", STATE, "--results", RESULTS)
    assert f"copied 1 collected result to {RESULTS}; results stays as it is. Set spec.results: {RESULTS}" in ran.err
    assert f"left out: other/{damaged.parent.name}: its results are not those that were collected" in ran.err
    damaged.write_bytes(before[damaged])
    cli.ok("state", "migrate", "--state", STATE, "--results", RESULTS)
    assert {path: path.read_bytes() for path in results.rglob("*") if path.is_file()} == before
    machines.stack.write_stack(state=STATE, results=RESULTS)
    assert cli("state", "migrate", "--results", RESULTS).code == 64
    shutil.rmtree(results)
    shutil.rmtree(machines.stack.path / ".batchctl")
    for job in ("translate", "other"):
        assert len(machines.ok("results", job).rows) == 3
    assert machines.ok("plan", "-o", "json").actions() == {"other": "none", "translate": "none"}
    assert service.creates == 2


@pytest.fixture
def ended(stack: StackFolder, cli: Cli, service: Service) -> StackFolder:
    """A stack with a local state and results in a bucket, whose job has ended and is not collected yet. The bucket has a
    name of its own: the last write of a process that is killed may come when the next test has begun."""
    bucket = f"team-{secrets.token_hex(4)}"
    service.seed(buckets={bucket: {}})
    service.rules(SOON)
    stack.write_stack(results=f"gs://{bucket}/prod/results/")
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    service.advance("1m")
    return stack


@pytest.mark.parametrize("writes", [1, 3, 4])
def test_a_process_that_is_killed_while_it_writes_is_followed_by_one_that_goes_on(
    ended: StackFolder, cli: Cli, service: Service, writes: int
) -> None:
    """The writes are the three files and the index. The last one may arrive after the end of the process."""
    service.faults({"method": "storage.objects.insert", "kind": "delay", "delay": "1s"})
    before = service.calls("storage.objects.insert") + 2  # the probe
    killed = subprocess.Popen([*PROGRAM, "apply", "--yes"], cwd=ended.path, stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: service.calls("storage.objects.insert") >= before + writes)
    finally:
        killed.kill()
        killed.communicate()
    service.faults()
    ran = cli("apply", "--yes")
    if "ResultsChanged" in ran.err:  # the last write arrived while this process wrote
        ran = cli("apply", "--yes")
    assert ran.code == 0, ran
    assert verdicts(cli.ok("results", "translate").rows) == {"one": "OK", "two": "OK", "three": "OK"}
    assert cli.ok("plan", "-o", "json").actions() == {"translate": "none"}
    assert "whole" in cli.ok("doctor").out
    assert service.creates == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "cut", "when": "after"},
        {"kind": "cut", "when": "before"},
        {"kind": "status", "status": 503, "when": "after"},
        {"kind": "status", "status": 429},
    ],
    ids=lambda fault: f"{fault['kind']} {fault.get('status', '')} {fault.get('when', '')}",
)
@pytest.mark.parametrize("count", [1, 9])
def test_writes_that_fail_for_a_moment_change_nothing(
    ended: StackFolder, cli: Cli, service: Service, quick: list[float], fault: dict[str, object], count: int
) -> None:
    service.faults({"method": "storage.objects.insert", "count": count, **fault})
    for _ in range(3):
        cli("apply", "--yes")
    assert len(cli.ok("results", "translate").rows) == 3
    assert service.creates == 1
    assert cli.ok("plan", "-o", "json").actions() == {"translate": "none"}


@pytest.mark.parametrize(
    "fault",
    [
        {"method": "storage.objects.list", "kind": "status", "status": 503},
        {"method": "storage.objects.get", "kind": "status", "status": 403},
    ],
    ids=lambda fault: fault["method"],
)
def test_a_bucket_that_cannot_be_read_removes_nothing(
    ended: StackFolder, cli: Cli, service: Service, quick: list[float], fault: dict[str, object]
) -> None:
    cli.ok("apply", "--yes")
    service.faults(fault)
    ended.job_path("translate").unlink()
    ended.write_job("other")
    ran = cli("apply", "--yes")
    assert ran.code != 0
    assert len([job for job in service.of("translate") if not job["deleted"]]) == 1
    service.faults()
    cli.ok("apply", "--yes")
    assert [job["deleted"] for job in service.of("translate")] == [True]


def test_doctor_names_objects_that_count_for_no_job(machines: Machines) -> None:
    machines.stack.write_job("translate")
    machines.ok("apply", "--yes", "--wait")
    assert "unused" not in machines.ok("doctor").out
    machines.put(f"{folder_of(machines, 'translate')}/raw-1", "12345")
    machines.put("notes.txt", "of a person")
    found = [one for one in machines.ok("doctor", "-o", "json").json["findings"] if one["check"] == "unused"]
    assert [one["detail"] for one in found] == [
        f"1 object in no index, 5 bytes: {folder_of(machines, 'translate')}/raw-1"
    ]


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]", '{"format": 1}', "\x00\xff", '{"format": "batchctl/results-index/v2"}', "{" * 5000],
    ids=["empty", "object", "list", "number", "bytes", "version", "deep"],
)
def test_an_index_that_is_none_is_left_alone(machines: Machines, service: Service, content: str) -> None:
    machines.put("translate/index.json", content)
    machines.stack.write_job("translate")
    ran = machines("apply", "--yes")
    assert (ran.code, service.creates) == (1, 0)
    assert f"{RESULTS}translate/index.json cannot be used: it is not an index of" in ran.err
    assert machines.objects()["translate/index.json"].decode() == content
    assert "translate/index.json" in machines("doctor").out


@pytest.mark.parametrize(
    ("path", "name"),
    [("../../x/results.jsonl", None), ("abababab-1/../x", None), ("abababab-1/results.jsonl", "../x")],
)
def test_names_that_batchctl_never_writes_are_no_paths(machines: Machines, path: str, name: str | None) -> None:
    machines.stack.write_job("translate")
    machines.ok("apply", "--yes", "--wait")
    index = json.loads(machines.objects()["translate/index.json"])
    (file, *_) = index["files"].values()
    index["files"] = {path: {**file, "object": name or file["object"], "text": "x"}}
    machines.put("translate/index.json", json.dumps(index))
    ran = machines("results", "translate")
    assert (ran.code, "a name that batchctl never writes" in ran.err) == (1, True), ran
