"""A command that reads ends within one bounded time, whatever its accounts do, and what it could not read is unknown."""

from __future__ import annotations

import json
import time

import pytest

from tests.support.command_line import Cli, Service, StackFolder
from tests.support.raw_server import Loopback, drip

DRIPS = drip(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Slow: ", b"y")
ACCOUNTS = {
    "gemini": {"type": "gemini", "endpoint": "emulator"},
    **{
        f"vertex{number}": {
            "type": "vertex",
            "endpoint": "emulator",
            "project": "demo",
            "location": f"us-central{number}",
        }
        for number in range(1, 4)
    },
}
SLACK = 3.0
"""Seconds for all but the reading."""


@pytest.fixture
def two_jobs(stack: StackFolder, service: Service, cli: Cli) -> StackFolder:
    """One job that is at work, and one that was never applied, on one of four accounts."""
    limits = {"readTimeout": "1s", "concurrency": 1}
    stack.write_stack(providers=ACCOUNTS, limits=limits)
    stack.write_job("a", provider="gemini")
    cli.ok("apply", "--yes")
    stack.write_job("b", provider="gemini")
    return stack


@pytest.mark.parametrize(
    "command", [("plan",), ("apply", "--yes"), ("status",), ("drift",), ("watch", "--yes", "--once")]
)
def test_four_accounts_that_drip_have_the_time_of_one(
    two_jobs: StackFolder, service: Service, cli: Cli, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    with Loopback(DRIPS) as server:
        monkeypatch.setenv("BATCHCTL_EMULATOR", server.url)
        begun = time.monotonic()
        ran = cli(*command)
        took = time.monotonic() - begun
    assert took < 1.0 + SLACK
    assert ran.code == 1
    assert (
        "batches.list: no complete reply: the time limit for all calls of this read was reached (1 seconds)" in ran.err
    )
    assert "limits.readTimeout" in ran.err
    assert len(service.jobs()) == 1
    monkeypatch.setenv("BATCHCTL_EMULATOR", service.url)
    assert cli.ok("plan", "-o", "json").actions() == {"a": "wait", "b": "create"}


def test_doctor_gives_each_account_that_time(two_jobs: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    with Loopback(DRIPS) as server:
        monkeypatch.setenv("BATCHCTL_EMULATOR", server.url)
        begun = time.monotonic()
        ran = cli("doctor")
        took = time.monotonic() - begun
    assert took < 4.0 + SLACK
    assert ran.code == 1
    assert ran.out.count("the time limit for all calls of this read was reached") == 4


def test_a_look_is_no_longer_than_what_timeout_leaves(
    two_jobs: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("batchctl.engine.passes._SHORTEST_LOOK", 0.5)
    two_jobs.write_stack(providers=ACCOUNTS)
    with Loopback(DRIPS) as server:
        monkeypatch.setenv("BATCHCTL_EMULATOR", server.url)
        begun = time.monotonic()
        ran = cli("watch", "--yes", "--timeout", "1s")
        took = time.monotonic() - begun
    assert took < 1.0 + SLACK
    assert ran.code in {1, 7}
    assert "was reached (" in ran.err


@pytest.mark.parametrize(
    "command",
    [
        ("import", "batches/" + "a" * 36, "--as", "c"),
        ("state", "rebind", "a", "--to", "gemini"),
        ("state", "rebuild", "--force"),
    ],
)
def test_commands_that_ask_for_single_jobs(
    two_jobs: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    given = ("--provider", "gemini") if command[0] == "import" else ()
    with Loopback(DRIPS) as server:
        monkeypatch.setenv("BATCHCTL_EMULATOR", server.url)
        begun = time.monotonic()
        ran = cli(*command, *given)
        took = time.monotonic() - begun
    assert took < 1.0 + SLACK, ran
    assert ran.code in {1, 7}, ran
    assert "1 seconds" in ran.err


def test_an_endless_list_is_torn_and_nothing_is_bought_or_forgotten(
    two_jobs: StackFolder, service: Service, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = iter(range(10**9))

    def play(connection, _stop) -> bool:
        body = json.dumps({"operations": [], "nextPageToken": f"t{next(pages)}"}).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        return True

    with Loopback(play) as server:
        monkeypatch.setenv("BATCHCTL_EMULATOR", server.url)
        begun = time.monotonic()
        ran = cli("apply", "--yes", "--allow-empty", "-o", "json")
        took = time.monotonic() - begun
    assert took < 1.0 + SLACK
    assert ran.code == 1
    assert set(ran.actions().values()) == {"wait"}
    assert len(service.jobs()) == 1
    monkeypatch.setenv("BATCHCTL_EMULATOR", service.url)
    assert cli.ok("plan", "-o", "json").actions() == {"a": "wait", "b": "create"}
