"""`batchctl rehearse`: when the stack would end, what it would cost and what would break; nothing is bought."""

from __future__ import annotations

import hashlib
import json
import re
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from batchctl.providers import accounts
from batchctl.providers.google_credentials import GoogleCredentials
from tests.support.closed_schemas import check_closed
from tests.support.command_line import SOON, Cli, Service, StackFolder

REAL = {
    "gemini": {"type": "gemini"},
    "vertex": {
        "type": "vertex",
        "project": "real-project",
        "location": "europe-west4",
        "stagingBucket": "gs://real-stage/in",
    },
}
"""Providers of the real APIs."""


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket may be used, and no credentials may be looked for."""

    def refuse(*given: object, **_: object) -> None:
        raise AssertionError(f"a rehearsal wants out: {given}")

    for name in ("connect", "connect_ex", "sendto", "bind"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(accounts, "gemini_key", refuse)
    monkeypatch.setattr(GoogleCredentials, "__init__", refuse)
    monkeypatch.setenv("GEMINI_API_KEY", "a key that nobody reads")


def rehearse(cli: Cli, *arguments: str, code: int = 0) -> Any:
    ran = cli("rehearse", "--seed", "7", "--runs", "1", "-q", "-o", "json", *arguments)
    assert ran.code == code, ran.err
    document = json.loads(ran.out)
    check_closed("rehearsal", document)
    return document


def one(document: Any, weather: str) -> Any:
    (found,) = [entry for entry in document["weathers"] if entry["weather"] == weather]
    return found


def files_of(folder: Path) -> dict[str, tuple[int, str]]:
    """Every file with its time and its content, but for what SQLite keeps beside a file that is being read."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.endswith(("-shm", "-wal"))]
    return {str(path): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest()) for path in paths}


def test_a_stack_on_real_apis_is_rehearsed_without_network_and_credentials(
    cli: Cli, stack: StackFolder, offline: None
) -> None:
    stack.write_stack(providers=REAL, defaults={"provider": "gemini"})
    stack.write_job("first")
    (stack.path / "jobs" / "rows.jsonl").write_text('{"key": "a", "text": "hello"}\n' * 1)
    stack.write_job("staged", provider="vertex", src={"file": "rows.jsonl"}, dest="gs://real-out/staged")
    stack.write_job("remote", provider="vertex", src="gs://real-in/*.jsonl", dest="gs://real-out/remote")
    stack.write_job("table", provider="vertex", src="bq://real-project.d.rows", dest="bq://real-project.d.answers")
    stack.write_job("uploaded", src="files/abc")
    before = files_of(stack.path)
    document = rehearse(cli)
    assert files_of(stack.path) == before
    assert [entry["weather"] for entry in document["weathers"]] == ["calm", "quota", "stuck", "flaky"]
    calm = one(document, "calm")
    assert calm["ended"] == 1
    assert calm["attempts"] == {"least": 5, "most": 5}
    assert 0 < calm["end"]["p50"] == calm["end"]["p90"]
    assert document["runs"][0]["phases"] == {"Succeeded": 5}
    assumed = " ".join(document["assumed"])
    assert "the input of remote, table, uploaded is not on this machine" in assumed
    assert "no history of first" in assumed
    assert calm["cost"] == {"low": None, "high": None}


def without_times(document: Any) -> Any:
    """Without moments, which count from the start."""
    return json.loads(re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "then", json.dumps(document)))


def test_the_same_seed_gives_the_same_rehearsal(cli: Cli, stack: StackFolder, offline: None) -> None:
    stack.write_job("a", lifecycle={"backoffLimit": 2, "pendingDeadline": "2h"})
    stack.write_job("b", lifecycle={"backoffLimit": 2})
    first, second = rehearse(cli), rehearse(cli)
    assert without_times(first) == without_times(second)
    # No quota is so small that nothing gets through.
    assert one(first, "quota")["ended"] == 1
    other = json.loads(cli.ok("rehearse", "--seed", "8", "--runs", "1", "-q", "-o", "json").out)
    assert other["runs"] != first["runs"]


def test_a_state_with_jobs_goes_on_and_stays_as_it_is(
    cli: Cli, stack: StackFolder, service: Service, quick: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five jobs are a history, an active one is sent again, and a chain gets its rows from answers of the rehearsal."""
    service.rules({"match": {"displayName": "*/active@*"}, "pending": "0s", "running": "100h"}, SOON)
    for number in range(5):
        stack.write_job(f"done-{number}")
    cli.ok("apply", "--yes", "--wait")
    stack.write_job("active")
    cli.ok("apply", "--yes")
    stack.write_job("chained", src={"fromJob": "active", "template": {"text": "again: {{answer}}"}})
    before, calls = files_of(stack.path), service.calls("batches.list")
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("a rehearsal wants out"))
    document = rehearse(cli, "--weather", "calm")
    assert files_of(stack.path) == before
    assert one(document, "calm")["attempts"] == {"least": 2, "most": 2}
    assert document["runs"][0]["phases"] == {"Succeeded": 7}
    assert {entry["job"]: entry["samples"] for entry in document["latencies"]}["active"] >= 5
    assert any(words.startswith("active is at the API now: sent again") for words in document["assumed"])
    fresh = rehearse(cli, "--weather", "calm", "--fresh")
    assert one(fresh, "calm")["attempts"] == {"least": 7, "most": 7}
    monkeypatch.undo()
    assert service.calls("batches.list") == calls


def test_what_would_break_is_named_with_its_reason(cli: Cli, stack: StackFolder, offline: None) -> None:
    for number in range(12):
        stack.write_job(f"job-{number}", lifecycle={"pendingDeadline": "30m", "backoffLimit": 1})
    document = rehearse(cli, "--weather", "stuck", "--fail-on", "deadline", code=4)
    broken = one(document, "stuck")["breaks"]
    assert any(entry["kinds"]["deadline"] and entry["kinds"]["retried"] for entry in broken)
    assert all(entry["reason"] for entry in broken)
    assert rehearse(cli, "--weather", "calm", "--fail-on", "held")["runs"]


def test_a_guard_holds_jobs_and_the_time_may_be_up(cli: Cli, stack: StackFolder, offline: None) -> None:
    stack.write_stack(limits={"maxCreate": 1})
    stack.write_job("a")
    stack.write_job("b")
    document = rehearse(cli, "--weather", "calm", "--fail-on", "held", code=4)
    assert [entry["kinds"]["held"] for entry in one(document, "calm")["breaks"]] == [1, 1]
    assert "--max-create 2" in one(document, "calm")["breaks"][0]["reason"]
    stack.write_stack()
    document = rehearse(cli, "--weather", "calm", "--for", "1m", "--fail-on", "unfinished", code=4)
    assert one(document, "calm")["end"] == {"p50": None, "p90": None}


def test_the_cost_of_what_was_bought(cli: Cli, stack: StackFolder, offline: None) -> None:
    stack.write_stack(prices="prices.yaml")
    price = {"model": "gemini-2.5-flash", "source": "a contract", "checked": "2026-11-01"}
    rates = {"input": 1000, "output": 1000}
    document = {"apiVersion": "batchctl.dev/v1", "kind": "PriceList", "currency": "USD"}
    document["prices"] = [{**price, "perMillionTokens": rates}]  # type: ignore[assignment]
    (stack.path / "prices.yaml").write_text(yaml.safe_dump(document))
    stack.write_job("a", request={"generationConfig": {"maxOutputTokens": 100}})
    calm = one(rehearse(cli, "--weather", "calm"), "calm")
    assert calm["cost"]["low"] is None
    assert 0.3 < float(calm["cost"]["high"]) < 0.4
    shown = cli.ok("rehearse", "--seed", "7", "--runs", "1", "-q").out
    assert "up to 0.3" in shown
    tiny = {"input": 0.001, "output": 0.001}
    document["prices"] = [{**price, "perMillionTokens": tiny}]  # type: ignore[assignment]
    (stack.path / "prices.yaml").write_text(yaml.safe_dump(document))
    assert "up to 0.0000003" in cli.ok("rehearse", "--seed", "7", "--runs", "1", "-q", "--weather", "calm").out
    assert "nothing was bought" in shown


def test_a_stack_without_work_costs_nothing(cli: Cli, stack: StackFolder, offline: None) -> None:
    shown = cli.ok("rehearse", "--seed", "7", "--runs", "1", "-q", "--weather", "calm").out
    assert [line.split() for line in shown.splitlines() if line.startswith("calm")] == [
        ["calm", "-", "-", "0", "1", "nothing", "none"]
    ]
    assert "No run makes an attempt" in shown


def test_nothing_is_assumed_of_jobs_that_buy_nothing(cli: Cli, stack: StackFolder, service: Service) -> None:
    service.rules(SOON)
    stack.write_job("done")
    cli.ok("apply", "--yes", "--wait")
    shown = cli.ok("rehearse", "--seed", "7", "--runs", "1", "-q", "--weather", "calm").out
    assert ("Assumed" in shown, "No run makes an attempt" in shown) == (False, True)
    stack.write_job("new")
    shown = cli.ok("rehearse", "--seed", "7", "--runs", "1", "-q", "--weather", "calm").out
    assert "no history of new: " in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--for", "0s"), "--for must be more than 0"),
        (("--for", "999999d"), "--for: '999999d' is longer than ten years"),
        (("--weather", "sunny"), "'sunny' is not one of"),
        (("--state", "gs://bucket/state"), "a rehearsal makes no network call"),
    ],
)
def test_wrong_usage(cli: Cli, stack: StackFolder, offline: None, arguments: tuple[str, ...], words: str) -> None:
    stack.write_job("a")
    ran = cli("rehearse", *arguments)
    assert (ran.code, words in ran.err) == (64, True), ran.err


def test_the_clock_moves_only_while_somebody_sleeps() -> None:
    from datetime import UTC, datetime

    from batchctl.cli.rehearsal.clock import MovedClock

    start = datetime(2026, 11, 30, tzinfo=UTC)
    clock = MovedClock(start)
    clock.sleep(1.5)
    assert (clock.now() - start, clock.nanoseconds()) == (
        timedelta(seconds=1.5),
        int(start.timestamp()) * 10**9 + 15 * 10**8,
    )
    for event, asked, slept in ((3600.0, 5, 3600.0), (None, 5, 21600.0), (1.0, 5, 60.0), (10.0, 100, 100.0)):
        clock, event_in = MovedClock(start), event
        clock.skip_next(lambda event_in=event_in: event_in)
        clock.sleep(asked)
        assert clock.elapsed() == slept
        clock.sleep(2)
        assert clock.elapsed() == slept + 2
