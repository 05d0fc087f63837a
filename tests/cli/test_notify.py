"""Hooks from outside: a watcher, the emulator, and somebody who is told."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import PROGRAM, SOON, Cli, Service, StackFolder, check_schema
from tests.support.hook_receiver import SECRET, Got, HookReceiver
from tests.support.patience import PATIENCE

TELL = "import sys; open('told.jsonl', 'a').write(sys.stdin.read() + chr(10))"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[HookReceiver]:
    """Somebody on this machine whom the operator trusts, and whose secret is there."""
    with HookReceiver() as one:
        monkeypatch.setenv("BATCHCTL_ALLOW_WEBHOOK", one.url)
        monkeypatch.setenv("OPS_SECRET", SECRET)
        yield one


def told(receiver: HookReceiver) -> list[tuple[str, str]]:
    return sorted((got.event["job"], got.event["type"]) for got in receiver.got)


def webhook(receiver: HookReceiver, **more: Any) -> dict[str, Any]:
    return {"url": f"{receiver.url}/hook", "secretEnv": "OPS_SECRET", **more}


def test_a_watcher_tells_how_jobs_ended(
    cli: Cli, stack: StackFolder, service: Service, quick: list[float], receiver: HookReceiver
) -> None:
    service.rules({"match": {"displayName": "*/bad@*"}, "fate": "fail", **SOON}, SOON)
    stack.write_stack(notify=[webhook(receiver)])
    stack.write_job("good")
    stack.write_job("bad", lifecycle={"backoffLimit": 1})
    assert cli("watch", "--yes").code == 4
    assert told(receiver) == [("bad", "job.failed"), ("bad", "job.failed"), ("good", "job.succeeded")]
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 3
    for got in receiver.got:
        assert got.is_signed()
        assert got.headers["webhook-id"] == got.event["id"]
        check_schema("event", got.event)
        assert "first" not in got.body.decode(), "a row's text is nobody's business"
    for looking in (("plan",), ("status",), ("drift",), ("describe", "good"), ("apply", "--dry-run")):
        cli.ok(*looking)
    assert cli("apply", "--yes").code == 4
    assert len(receiver.got) == 3


def test_a_receiver_that_is_down_changes_no_exit_code(
    cli: Cli, stack: StackFolder, quick: list[float], receiver: HookReceiver
) -> None:
    receiver.answer = lambda got: (503 if len(receiver.got) < 2 else 204, {})
    stack.write_stack(notify=[webhook(receiver)])
    stack.write_job("good")
    ran = cli.ok("watch", "--yes")
    assert f"NotDelivered: {receiver.url} answered with HTTP 503" in ran.err
    assert len(receiver.got) == 3
    assert len({(got.headers["webhook-id"], got.body) for got in receiver.got}) == 1


def test_a_secret_that_is_not_there_is_said_with_the_way_out(
    cli: Cli, stack: StackFolder, quick: list[float], receiver: HookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPS_SECRET")
    stack.write_stack(notify=[webhook(receiver, name="ops")])
    stack.write_job("good")
    cli.ok("validate")
    ran = cli.ok("watch", "--yes")
    assert (
        "job.succeeded was not delivered to ops: NoWebhookSecret: OPS_SECRET is not set (set it to `whsec_`" in ran.err
    )
    assert receiver.got == []
    # Every command that could tell says so.
    assert "NoWebhookSecret" in cli.ok("apply").err
    # The state waits for a machine that has it.
    monkeypatch.setenv("OPS_SECRET", SECRET)
    assert "NoWebhookSecret" not in cli.ok("apply").err
    assert told(receiver) == [("good", "job.succeeded")]


def test_a_webhook_inside_has_to_be_allowed(
    cli: Cli, stack: StackFolder, receiver: HookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BATCHCTL_ALLOW_WEBHOOK")
    stack.write_stack(notify=[webhook(receiver)])
    stack.write_job("good")
    ran = cli("apply", "--yes")
    assert ran.code == 65
    assert f"UntrustedWebhook {receiver.url} is not https" in ran.err


def test_a_name_that_leads_inside_is_never_called(
    cli: Cli, stack: StackFolder, quick: list[float], receiver: HookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def lead_inside(host: Any, *args: Any, **kwargs: Any) -> Any:
        return real("127.0.0.1" if host == "innocent.example" else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", lead_inside)
    stack.write_stack(notify=[{"url": f"https://innocent.example:{receiver.port}/", "secretEnv": "OPS_SECRET"}])
    stack.write_job("good")
    ran = cli.ok("watch", "--yes")
    assert "UntrustedWebhook: https://innocent.example" in ran.err
    assert receiver.got == []


def test_a_command_runs_when_the_operator_allows_it(
    cli: Cli, stack: StackFolder, quick: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.write_stack(notify=[{"command": [sys.executable, "-c", TELL], "events": ["job.succeeded"]}])
    stack.write_job("good")
    assert "CommandsNotAllowed" in cli.ok("watch", "--yes").err
    assert not Path("told.jsonl").exists()
    monkeypatch.setenv("BATCHCTL_ALLOW_COMMANDS", "1")
    cli.ok("apply")
    (event,) = [json.loads(line) for line in Path("told.jsonl").read_text().splitlines()]
    check_schema("event", event)
    assert (event["job"], event["type"]) == ("good", "job.succeeded")


def watch_as_a_process() -> subprocess.Popen[bytes]:
    return subprocess.Popen([*PROGRAM, "watch", "--yes"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_a_killed_and_restarted_watcher_tells_again_by_the_same_id(
    stack: StackFolder, service: Service, receiver: HookReceiver
) -> None:
    service.rules({"pending": "0s", "running": "0s"})
    stack.write_stack(notify=[webhook(receiver)])
    stack.write_job("good")
    watcher = watch_as_a_process()

    def kill_it(_got: Got) -> tuple[int, dict[str, str]]:
        os.kill(watcher.pid, signal.SIGKILL)
        return 204, {}

    receiver.answer = kill_it
    assert watcher.wait(PATIENCE) == -signal.SIGKILL
    receiver.answer = lambda got: (204, {})
    with watch_as_a_process() as again:
        assert again.wait(PATIENCE) == 0
    first, second = receiver.got
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    assert first.is_signed()
    assert second.is_signed()
