"""`state rebuild`: what comes back of a state that is lost or damaged, and when nothing is written."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.support.command_line import LONG, Cli, Service, StackFolder, check_schema
from tests.support.state_file import open_intent


@pytest.fixture
def finished(stack: StackFolder, cli: Cli, quick: list[float]) -> StackFolder:
    """Two finished jobs, collected."""
    for name in ("classify", "translate"):
        stack.write_job(name)
    cli.ok("apply", "--yes", "--wait")
    return stack


def state_file(stack: StackFolder) -> Path:
    return stack.path / ".batchctl" / "state.db"


def lose(stack: StackFolder) -> None:
    shutil.rmtree(stack.path / ".batchctl")


def damage(stack: StackFolder) -> bytes:
    content = b"no database at all " * 500
    state_file(stack).write_bytes(content)
    return content


def without_doubtful(listed: dict) -> list:
    """What a rebuild has to bring back alike: an adopted attempt says that it is one, and the API has no start times."""
    for job in listed["jobs"]:
        for attempt in job["attempts"]:
            attempt["adopted"] = attempt["startTime"] = None
    return listed["jobs"]


def without_sizes(listed: dict) -> list:
    """The same without the size of the input: under another account it is other work, and nobody knows its size."""
    for job in listed["jobs"]:
        for attempt in job["attempts"]:
            attempt["inputBytes"] = None
    return without_doubtful(listed)


def test_a_lost_state_comes_back(finished: StackFolder, cli: Cli, service: Service) -> None:
    before = without_doubtful(cli.ok("state", "list", "-o", "json").json)
    lose(finished)
    creates = service.creates
    ran = cli.ok("state", "rebuild", "-o", "json")
    check_schema("state-rebuild", ran.json)
    assert ran.json["jobs"] == [{"job": name, "attempts": 1, "collected": 1} for name in ("classify", "translate")]
    assert ran.json["keptAside"] is None
    assert without_doubtful(cli.ok("state", "list", "-o", "json").json) == before
    assert cli("plan", "--detailed-exitcode").code == 0, "not even a collection is due"
    cli.ok("apply", "--yes")
    assert service.creates == creates


def test_a_damaged_state_is_kept_aside(finished: StackFolder, cli: Cli, service: Service) -> None:
    content = damage(finished)
    refused = cli("apply", "--yes")
    assert refused.code == 1
    assert "StateCorrupt" in refused.err
    assert "batchctl state rebuild" in refused.err
    ran = cli.ok("state", "rebuild", "-o", "json")
    aside = Path(ran.json["keptAside"])
    assert aside.name.startswith("state.db.corrupt-")
    assert aside.read_bytes() == content
    assert cli("plan", "--detailed-exitcode").code == 0


def test_a_log_without_its_file_is_kept_aside_too(finished: StackFolder, cli: Cli) -> None:
    state_file(finished).unlink()
    state_file(finished).with_name("state.db-wal").write_bytes(b"half of a state")
    assert cli("plan").code == 1
    cli.ok("state", "rebuild")
    assert cli("plan", "--detailed-exitcode").code == 0
    assert [path.read_bytes() for path in finished.path.glob(".batchctl/*corrupt*-wal")] == [b"half of a state"]


def test_collected_jobs_that_are_gone_are_not_bought_again(finished: StackFolder, cli: Cli, service: Service) -> None:
    for job in service.jobs():
        service.delete(job["name"])
    lose(finished)
    assert set(cli.ok("plan", "-o", "json").actions().values()) == {"reuse"}
    cli.ok("state", "rebuild")
    assert cli("plan", "--detailed-exitcode").code == 0
    assert service.creates == 2
    assert cli.ok("status", "-o", "json").phases() == {"classify": "Succeeded", "translate": "Succeeded"}
    assert len(cli.ok("results", "translate").rows) == 3


def test_active_jobs_come_back_by_their_marks(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    damage(stack)
    cli.ok("state", "rebuild")
    assert cli.ok("plan", "-o", "json").actions() == {"translate": "wait"}
    service.advance("1h")
    cli.ok("apply", "--yes")
    assert len(cli.ok("results", "translate").rows) == 3
    assert service.creates == 1


def test_an_imported_job_comes_back_by_its_results(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    remote = service.make("by hand")
    cli.ok("import", remote, "--as", "old")
    cli.ok("apply", "--yes", "--wait")
    service.delete(remote)
    lose(stack)
    assert cli.ok("state", "rebuild", "-o", "json").json["jobs"] == [{"job": "old", "attempts": 1, "collected": 1}]
    assert cli("plan", "--detailed-exitcode").code == 0


def test_a_renamed_job_keeps_its_former_name_where_results_tell(
    finished: StackFolder, cli: Cli, service: Service
) -> None:
    cli.ok("state", "mv", "translate", "to-french")
    text = finished.job_path("translate").read_text().replace("name: translate", "name: to-french")
    finished.job_path("translate").write_text(text)
    lose(finished)
    cli.ok("state", "rebuild")
    assert cli.ok("state", "show", "to-french", "-o", "json").json["formerNames"] == ["translate"]
    assert cli("plan", "--detailed-exitcode").code == 0
    assert service.creates == 2


def test_jobs_that_no_manifest_asks_for_are_left_out_and_named(
    finished: StackFolder, cli: Cli, service: Service
) -> None:
    finished.job_path("translate").unlink()
    damage(finished)
    ran = cli.ok("state", "rebuild", "-o", "json")
    assert [job["job"] for job in ran.json["jobs"]] == ["classify"]
    remote = service.of("translate")[0]["name"]
    assert ran.json["leftOut"] == [{"job": "translate", "remote": remote, "state": "JOB_STATE_SUCCEEDED"}]
    damage(finished)
    text = cli.ok("state", "rebuild").out
    assert remote in text
    assert "What cannot be restored" in text
    assert "was released" in text
    cli.ok("apply", "--yes")
    assert not service.of("translate")[0]["deleted"]


def test_results_that_were_tampered_with_do_not_count(finished: StackFolder, cli: Cli, service: Service) -> None:
    (rows,) = finished.path.glob("results/translate/*-1/results.jsonl")
    rows.write_text(rows.read_text().replace("one", "two"))
    (manifest,) = finished.path.glob("results/classify/*-1/manifest.json")
    manifest.write_text("{")
    lose(finished)
    ran = cli.ok("state", "rebuild", "-o", "json")
    assert [job["collected"] for job in ran.json["jobs"]] == [0, 0]
    assert len(ran.json["unusable"]) == 2
    assert cli.ok("plan", "-o", "json").actions() == {"classify": "collect", "translate": "collect"}


def test_results_of_others_do_not_count(finished: StackFolder, cli: Cli, service: Service) -> None:
    others = {"classify": {"marks": {"stack": "other", "uid": "a1b2c3", "token": "t"}}, "translate": {"format": "x/v9"}}
    for path in finished.path.glob("results/*/*-1/manifest.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), **others[path.parts[-3]]}))
    for job in service.jobs():
        service.delete(job["name"])
    lose(finished)
    assert cli.ok("state", "rebuild", "-o", "json").json["jobs"] == []


def test_a_copied_results_folder_makes_no_second_owner(finished: StackFolder, cli: Cli) -> None:
    shutil.copytree(finished.path / "results" / "translate", finished.path / "results" / "a-copy", symlinks=True)
    finished.write_job("a-copy")
    lose(finished)
    ran = cli.ok("state", "rebuild", "-o", "json")
    assert [job["job"] for job in ran.json["jobs"]] == ["classify", "translate"]


def test_an_account_that_cannot_be_read_in_full_stops_it(finished: StackFolder, cli: Cli, service: Service) -> None:
    content = damage(finished)
    service.faults({"method": "batches.list", "kind": "status", "status": 403})
    ran = cli("state", "rebuild")
    assert ran.code == 1
    assert "NotReadInFull" in ran.err
    assert "gemini emulator" in ran.err
    assert state_file(finished).read_bytes() == content
    assert not list(finished.path.glob(".batchctl/*corrupt*"))
    service.faults()
    cli.ok("state", "rebuild")


def test_every_provider_of_the_stack_is_read(finished: StackFolder, cli: Cli, service: Service) -> None:
    """A job that has moved to another provider may have an attempt at its former one."""
    second = {"type": "gemini", "endpoint": "http://127.0.0.1:9"}
    finished.write_stack(providers={"gemini": {"type": "gemini", "endpoint": "emulator"}, "second": second})
    for name in ("classify", "translate"):
        finished.write_job(name, provider="gemini")
    lose(finished)
    ran = cli("state", "rebuild")
    assert ran.code == 1
    assert "127.0.0.1:9" in ran.err


def test_a_sound_state_is_left_alone(finished: StackFolder, cli: Cli) -> None:
    before = cli.ok("state", "list", "-o", "json").out
    ran = cli("state", "rebuild")
    assert ran.code == 6
    assert "StateSound" in ran.err
    assert cli.ok("state", "list", "-o", "json").out == before
    cli.ok("state", "rebuild", "--force")
    assert cli("plan", "--detailed-exitcode").code == 0
    assert len([path for path in finished.path.glob(".batchctl/state.db.corrupt-*") if path.name.endswith("Z")]) == 1


def test_a_state_of_another_stack_is_never_put_aside(finished: StackFolder, cli: Cli) -> None:
    finished.write_stack(uid="zzzzzz")
    ran = cli("state", "rebuild")
    assert ran.code == 1
    assert "StateForeign" in ran.err


LAG = {"method": "batches.list", "kind": "listLag", "delay": "60s"}


@pytest.mark.parametrize("answered", [True, False])
def test_a_job_that_no_list_shows_yet_is_not_bought_again(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float], answered: bool
) -> None:
    service.rules(LONG)
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    if not answered:
        open_intent(stack, "translate")
    service.faults(LAG)
    ran = cli.ok("state", "rebuild", "--force", "-o", "json")
    check_schema("state-rebuild", ran.json)
    assert ran.json["unsettled"] == ([] if answered else [{"job": "translate", "attempt": 1, "shard": 0}])
    assert not any("create calls" in words for words in ran.json["notRebuilt"])
    cli.ok("apply", "--yes")
    assert cli.ok("status", "-o", "json").phases() == {"translate": "Active"}
    assert service.creates == 1


def test_an_open_create_call_outlives_damage_elsewhere(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    open_intent(stack, "translate")
    conn = sqlite3.connect(state_file(stack))
    conn.execute("update events set time = 'noon'")
    conn.commit()
    conn.close()
    assert len(cli.ok("state", "rebuild", "-o", "json").json["unsettled"]) == 0, "its mark was found"
    assert cli.ok("state", "list", "-o", "json").phases() == {"translate": "Active"}


def test_an_open_create_call_of_a_job_without_a_manifest_is_kept(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    for name in ("classify", "translate"):
        stack.write_job(name)
    cli.ok("apply", "--yes")
    open_intent(stack, "translate")
    stack.job_path("translate").unlink()
    service.faults(LAG)
    ran = cli.ok("state", "rebuild", "--force", "-o", "json")
    assert ran.json["unsettled"] == [{"job": "translate", "attempt": 1, "shard": 0}]
    cli.ok("apply", "--yes", "--wait")
    assert (service.creates, len(service.live())) == (2, 1), "found, and removed as its record says"


def test_what_a_lost_state_knew_of_create_calls_is_told_to_be_lost(finished: StackFolder, cli: Cli) -> None:
    lose(finished)
    assert "wait a few minutes before the next `apply`" in cli.ok("state", "rebuild").out.replace("\n", " ")


def test_a_key_that_shows_nothing_of_the_open_work_stops_it(
    stack: StackFolder, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.write_stack(providers={"gemini": {"type": "gemini", "endpoint": service.url}})
    stack.write_job("translate")
    monkeypatch.setenv("GEMINI_API_KEY", "the-first-key")
    cli.ok("apply", "--yes")
    monkeypatch.setenv("GEMINI_API_KEY", "the-second-key")
    service.reset()
    ran = cli("state", "rebuild", "--force")
    assert (ran.code, "NotReadInFull" in ran.err, "OtherKey" in ran.err) == (1, True, True)


def move_account(stack: StackFolder, service: Service) -> None:
    """Give the service another address."""
    moved = service.url.replace("127.0.0.1", "localhost")
    stack.write_stack(providers={"two": {"type": "gemini", "endpoint": moved}})


@pytest.fixture
def rebound(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float], monkeypatch: pytest.MonkeyPatch
) -> StackFolder:
    """A finished job, collected, then bound to the address that its service has now."""
    monkeypatch.setenv("GEMINI_API_KEY", "key")
    stack.write_stack(providers={"one": {"type": "gemini", "endpoint": service.url}})
    stack.write_job("translate")
    cli.ok("apply", "--yes", "--wait")
    move_account(stack, service)
    cli.ok("state", "rebind", "--all", "--to", "two")
    assert cli("plan", "--detailed-exitcode").code == 0
    return stack


def test_a_job_that_was_bound_to_another_account_comes_back_there(
    rebound: StackFolder, cli: Cli, service: Service
) -> None:
    before = without_sizes(cli.ok("state", "list", "-o", "json").json)
    lose(rebound)
    cli.ok("state", "rebuild")
    assert without_sizes(cli.ok("state", "list", "-o", "json").json) == before
    ran = cli("plan", "-o", "json", "--detailed-exitcode")
    assert (ran.code, ran.actions()) == (0, {"translate": "none"})
    assert service.creates == 1


def test_one_that_is_gone_there_is_bound_to_it_once_more(rebound: StackFolder, cli: Cli, service: Service) -> None:
    service.delete(service.of("translate")[0]["name"])
    lose(rebound)
    cli.ok("state", "rebuild")
    ran = cli("plan", "-o", "json")
    assert (ran.actions(), ran.changes("translate")) == ({"translate": "replace"}, ["provider.endpoint"])
    cli.ok("state", "rebind", "--all", "--to", "two")
    assert cli("plan", "--detailed-exitcode").code == 0
    assert service.creates == 1


def test_results_of_a_former_account_need_no_way_to_it(rebound: StackFolder, cli: Cli) -> None:
    (path,) = rebound.path.glob("results/*/*-1/manifest.json")
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "account": "gemini https://nowhere.example.com"}))
    lose(rebound)
    cli.ok("state", "rebuild")
    assert "ProviderGone" not in cli("plan").err


def test_nonsense_in_a_results_folder_is_told_and_nothing_more(finished: StackFolder, cli: Cli) -> None:
    for name, change in (("classify", {"attempt": 10**30}), ("translate", {"marks": {"token": "\udcff"}})):
        (path,) = finished.path.glob(f"results/{name}/*-1/manifest.json")
        path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    strange = finished.path / "results" / os.fsdecode(b"odd-\xff") / "abababab-1"
    strange.mkdir(parents=True)
    lose(finished)
    ran = cli.ok("state", "rebuild", "-o", "json")
    assert [job["collected"] for job in ran.json["jobs"]] == [0, 0]
    assert len(ran.json["unusable"]) == 3
    assert "odd-" in cli.ok("state", "rebuild", "--force").out
