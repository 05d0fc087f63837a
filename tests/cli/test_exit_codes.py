"""Every exit code of the design's table, and which one counts when several apply."""

from __future__ import annotations

import sqlite3
from itertools import combinations

import pytest

from batchctl.cli.exits import weightiest
from batchctl.engine.clock import SystemClock
from batchctl.state.store import FileState, open_state
from tests.support.command_line import SOON, Cli, Service, StackFolder

STUCK = {"match": {"displayName": "*/stuck@*"}, "pending": "1000h"}
FAIL = {"match": {"displayName": "*/bad@*"}, "fate": "fail", **SOON}


def open_shop(stack: StackFolder) -> FileState:
    """The stack's state, as another process of somebody else's opens it."""
    path = stack.path / ".batchctl" / "state.db"
    return open_state(path, stack="shop", uid="a1b2c3", clock=SystemClock(), who="somebody@elsewhere", lock_timeout=0)


def test_the_precedence_is_the_designs(cli: Cli) -> None:
    order = (130, 64, 65, 5, 6, 1, 4, 7, 3, 2)
    assert weightiest([]) == weightiest([0]) == 0
    for first, second in combinations(order, 2):
        assert weightiest([second, first, 0]) == weightiest([first, second]) == first


def test_0_and_2_nothing_to_do_or_changes_pending(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("translate")
    assert cli("plan").code == 0
    assert cli("plan", "--detailed-exitcode").code == 2
    assert cli("apply", "--yes").code == 0
    assert cli("plan", "--detailed-exitcode").code == 0, "waiting is no change"
    assert cli("apply", "--dry-run").code == 0


def test_4_a_refused_job_leaves_the_others_alone_and_counts_in_every_run(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    stack.write_job("good")
    stack.write_job("refused", extraBody={"priority": "not a number"})
    ran = cli("apply", "--yes", "-o", "json")
    assert ran.code == 4
    assert ran.results() == {"good": "done", "refused": "failed"}
    assert cli("watch").code == 4
    assert cli.ok("status", "-o", "json").phases() == {"good": "Succeeded", "refused": "Rejected"}
    creates = service.creates
    again = cli("apply", "--yes")
    assert (again.code, "refused (Rejected)" in again.err) == (4, True)
    assert cli("apply", "--yes", "--allow-failed").code == cli("watch", "--allow-failed").code == 0
    assert service.creates == creates, "refused for good is not sent again"
    assert cli("watch").code == 4
    assert cli("results", "refused").code == 1


@pytest.mark.parametrize("command", [["watch"], ["apply", "--yes", "--wait"]], ids=" ".join)
def test_4_a_job_ended_failed(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float], command: list[str]
) -> None:
    service.rules(FAIL, SOON)
    stack.write_job("bad")
    stack.write_job("good")
    assert cli("apply", "--yes").code == 0
    ran = cli(*command)
    assert ran.code == 4
    assert "did not succeed" in cli.ok("plan").out
    assert cli("status", "-o", "json").phases() == {"bad": "Failed", "good": "Succeeded"}
    assert len(service.of("bad")) == 1
    assert cli("apply", "--yes").code == 4, "in every run"
    assert cli("apply", "--yes", "--allow-failed").code == 0


def test_a_failed_job_is_tried_again_within_its_limit(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    service.rules(FAIL)
    stack.write_job("bad", lifecycle={"backoffLimit": 2})
    assert cli("apply", "--yes", "--wait").code == 4
    assert len(service.of("bad")) == 3
    assert sum(quick) > 20, "a back-off of 10 s, then of 20 s"


def test_5_the_state_is_locked(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    stack.write_job("another")
    with open_shop(stack).lock():
        for command in (["apply", "--yes"], ["watch"], ["destroy", "--yes"], ["cancel", "translate"]):
            ran = cli(*command, "--lock-timeout", "0s")
            assert ran.code == 5
            assert "somebody@elsewhere" in ran.err
            assert "waiting" not in ran.err
        error = cli("apply", "--yes", "-o", "json", "--lock-timeout", "0s")
        assert (error.code, error.json["error"]["code"]) == (5, "StateLocked")
        assert cli("plan", "--detailed-exitcode").code == 2
        assert cli("status").code == 0
        assert cli("drift").code == 0
        assert "somebody@elsewhere" in cli("doctor").out
        before = sum(quick)
        ran = cli("apply", "--yes")
        assert (ran.code, sum(quick) - before >= 30) == (5, True)
        assert ran.err.count("waiting up to 30s for the state, locked by `") == 1
        assert "waiting" not in cli("apply", "--yes", "-q", "--lock-timeout", "1s").err
    assert service.creates == 1
    cli.ok("apply", "--yes")
    assert service.creates == 2


def test_5_comes_before_a_guard(stack: StackFolder, cli: Cli, quick: list[float]) -> None:
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    stack.job_path("translate").unlink()
    with open_shop(stack).lock():
        assert cli("apply", "--no-input").code == 5
    assert cli("apply", "--no-input").code == 6


@pytest.mark.parametrize("command", [["watch", "--timeout", "90s"], ["apply", "--yes", "--wait", "--timeout", "2m"]])
def test_7_time_is_up(stack: StackFolder, cli: Cli, service: Service, quick: list[float], command: list[str]) -> None:
    service.rules(STUCK)
    stack.write_job("stuck")
    cli.ok("apply", "--yes")
    ran = cli(*command)
    assert ran.code == 7
    assert "stuck" in ran.err
    assert 80 < sum(quick) < 240
    assert cli("results", "stuck").code == 7


def test_7_results_are_not_there_yet(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("translate")
    early = cli("results", "translate")
    assert (early.code, early.out) == (7, "")
    assert "batchctl apply" in early.err
    cli.ok("apply", "--yes")
    early = cli("results", "translate", "-o", "json")
    assert (early.code, early.json["error"]["code"]) == (7, "ResultsNotReady")
    service.advance("1h")
    early = cli("results", "translate")
    assert early.code == 7, "ended, and not collected yet"
    assert "batchctl watch" in early.err


def test_64_a_wrong_command_line(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("translate")
    for arguments in (
        ["aply"],
        ["apply", "--yess"],
        ["apply", "translate", "./plan.json"],
        ["apply", "--timeout", "soon"],
        ["watch", "--timeout", "soon"],
        ["watch", "--forever", "--once"],
        ["plan", "-o", "html"],
        ["plan", "--max-create", "-1"],
        ["plan", "-l", "team=search,"],
        ["plan", "-l", "=search"],
        ["results"],
        ["results", "translate", "--attempt", "0"],
        ["cancel"],
        ["cancel", "translate", "--all"],
        ["-C", "nowhere", "plan"],
        ["schema", "nothing"],
        ["plan", "--set", "novalue"],
    ):
        ran = cli(*arguments)
        assert (ran.code, ran.out) == (64, ""), arguments
        assert ran.err.strip(), arguments


def test_65_an_invalid_stack(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("translate", modle="gemini-2.5-flash")
    for command in ("validate", "plan", "apply", "watch", "status", "drift", "destroy"):
        ran = cli(command)
        assert ran.code == 65, command
        assert "jobs/translate.yaml:" in ran.err


def test_65_a_recorded_job_is_on_an_account_that_no_provider_names_any_more(
    stack: StackFolder, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.write_stack(providers={"gemini": {"type": "gemini", "endpoint": service.url}})
    monkeypatch.setenv("GEMINI_API_KEY", "a-good-key")
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    stack.write_stack()
    monkeypatch.delenv("GEMINI_API_KEY")
    before = service.jobs()
    ran = cli("apply", "--yes")
    assert ran.code == 65
    assert "ProviderGone" in ran.err
    assert "translate" in ran.err
    assert service.jobs() == before


def test_6_outweighs_4_and_1(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
    service.rules(FAIL)
    stack.write_job("bad")
    stack.write_job("kept", lifecycle={"protect": True})
    assert cli("apply", "--yes", "--wait").code == 4
    stack.job_path("kept").unlink()
    assert cli("apply", "--yes", "--wait").code == 6


def test_4_outweighs_7(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
    service.rules(FAIL, STUCK)
    stack.write_job("bad")
    stack.write_job("stuck")
    assert cli("apply", "--yes", "--wait", "--timeout", "1m").code == 4


def test_1_outweighs_3_and_2(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    service.delete(service.of("translate")[0]["name"])
    assert cli("drift").code == 3
    service.faults({"method": "batches.list", "kind": "status", "status": 403, "when": "before"})
    assert cli("drift").code == 1
    stack.write_job("another")
    assert cli("plan", "--detailed-exitcode").code == 1


def test_the_state_is_a_sound_sqlite_file(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    with sqlite3.connect(stack.path / ".batchctl" / "state.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_waiting_does_not_hide_that_a_create_was_refused(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    stack.write_job("good")
    stack.write_job("refused", extraBody={"priority": "not a number"})
    ran = cli("apply", "--yes", "--wait", "-o", "json")
    assert ran.results() == {"good": "done", "refused": "failed"}
    assert ran.code == 4


@pytest.mark.parametrize(("fate", "code"), [({}, 0), ({"fate": "fail"}, 4)])
def test_a_job_may_have_ended_when_its_create_call_is_answered(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float], fate: dict[str, str], code: int
) -> None:
    service.rules({"pending": "0s", "running": "0s", **fate})
    stack.write_job("translate", lifecycle={"ttlAfterFinished": "1h"})
    assert cli("apply", "--yes", "--wait").code == code
    (job,) = cli("status", "-o", "json").json["jobs"]
    assert job["endTime"] is not None
    assert code == 0 or ":" in job["reason"], "what the API said of it"


def test_a_timeout_bounds_an_apply_that_does_not_wait_for_jobs(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    service.faults({"method": "batches.create", "kind": "status", "status": 503, "when": "before"})
    stack.write_job("translate")
    ran = cli("apply", "--yes", "--timeout", "20s", "-o", "json")
    assert ran.code == 7
    (action,) = ran.json["actions"]
    assert (action["result"], action["error"]["code"], "HTTP 503" in action["error"]["message"]) == (
        "pending",
        "ServerFailed",
        True,
    )
    assert sum(quick) <= 25
    assert "error: TimeUp time is up; not settled yet: translate" in ran.err
    assert "translate: the create call got no clear answer" in ran.err
    service.faults()
    assert cli("apply", "--yes").code == 0
    assert len(service.of("translate")) == 1
