"""A command that reads ends within one bounded time, whatever its accounts do, and what it could not read is unknown."""

from __future__ import annotations

import json

import pytest

from tests.support.command_line import Cli, Service, StackFolder
from tests.support.patience import PATIENCE
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
TIME_UP = "the time limit for all calls of this read was reached (1 seconds)"

pytestmark = pytest.mark.timeout(PATIENCE)
"""What these servers send never ends by itself."""


@pytest.fixture
def two_jobs(stack: StackFolder, service: Service, cli: Cli) -> StackFolder:
    """One job that is at work, and one that was never applied, on one of four accounts."""
    stack.write_stack(providers=ACCOUNTS)
    stack.write_job("a", provider="gemini")
    cli.ok("apply", "--yes")
    stack.write_job("b", provider="gemini")
    stack.write_stack(providers=ACCOUNTS, limits={"readTimeout": "1s", "concurrency": 1})
    return stack


def check_nothing_was_lost(stack: StackFolder, service: Service, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plan with accounts that answer, and with all the time that it takes."""
    assert len(service.jobs()) == 1
    monkeypatch.setenv("BATCHCTL_EMULATOR", service.url)
    stack.write_stack(providers=ACCOUNTS)
    assert cli.ok("plan", "-o", "json").actions() == {"a": "wait", "b": "create"}


@pytest.mark.parametrize(
    "command", [("plan",), ("apply", "--yes"), ("status",), ("drift",), ("watch", "--yes", "--once")]
)
def test_four_accounts_that_drip_have_the_time_of_one(
    two_jobs: StackFolder, service: Service, cli: Cli, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    with Loopback(DRIPS) as server:
        monkeypatch.setenv("BATCHCTL_EMULATOR", server.url)
        ran = cli(*command)
    assert len(server.requests) <= 1, "the time was up with the first, and no other was asked"
    assert ran.code == 1
    assert TIME_UP in ran.err
    assert "limits.readTimeout" in ran.err
    check_nothing_was_lost(two_jobs, service, cli, monkeypatch)


def test_doctor_gives_each_account_that_time(two_jobs: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    with Loopback(DRIPS) as server:
        monkeypatch.setenv("BATCHCTL_EMULATOR", server.url)
        ran = cli("doctor")
    assert ran.code == 1
    assert ran.out.count(TIME_UP) == 4


def test_a_look_is_no_longer_than_what_timeout_leaves(
    two_jobs: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("batchctl.engine.passes._SHORTEST_LOOK", 0.5)
    two_jobs.write_stack(providers=ACCOUNTS)
    with Loopback(DRIPS) as server:
        monkeypatch.setenv("BATCHCTL_EMULATOR", server.url)
        ran = cli("watch", "--yes", "--timeout", "1s")
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
        ran = cli(*command, *given)
    assert len(server.requests) <= 1, ran
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
        ran = cli("apply", "--yes", "--allow-empty", "-o", "json")
    assert ran.code == 1
    assert set(ran.actions().values()) == {"wait"}
    check_nothing_was_lost(two_jobs, service, cli, monkeypatch)
