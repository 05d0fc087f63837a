"""The status table at the end of a run and its exit code show the jobs after the last pass."""

from __future__ import annotations

import pytest

from tests.support.command_line import LONG, Cli, Ran, Service, StackFolder

FAIL = {"fate": "fail", "pending": "0s", "running": "1s"}
CUT = {"method": "batches.create", "kind": "cut", "when": "after", "count": 1}


def table(ran: Ran) -> str:
    """The line of the one job in the status at the end, its columns one space apart."""
    lines = ran.out.partition("JOB")[2].splitlines()
    (line,) = [line for line in lines if line.startswith("translate")]
    return " ".join(line.split())


def test_4_in_the_very_pass_that_finds_the_failure(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    service.rules(FAIL)
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    service.advance("5s")
    for _ in range(2):
        ran = cli("watch", "--once")
        assert (ran.code, table(ran).split()[:3]) == (4, ["translate", "Failed", "FAILED"])


def test_4_in_the_pass_that_ends_a_failed_job_whose_time_to_live_is_over(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    service.rules(FAIL)
    stack.write_job("translate", lifecycle={"ttlAfterFinished": "1s"})
    cli.ok("apply", "--yes")
    service.advance("1m")
    assert cli("watch", "--once").code == 4
    assert service.live() == []


def test_4_when_no_row_has_succeeded(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
    service.rules(
        {"fate": "rows", "pending": "0s", "running": "1s", "rowError": {"code": 3, "message": "no", "share": 1}}
    )
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    service.advance("5s")
    ran = cli("watch", "--once")
    assert (ran.code, table(ran).split()[:3]) == (4, ["translate", "Failed", "SUCCEEDED"])


def test_a_job_that_waits_for_its_retry_has_not_failed(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    service.rules(FAIL)
    stack.write_job("translate", lifecycle={"backoffLimit": 1})
    cli.ok("apply", "--yes")
    service.advance("3s")
    assert table(cli.ok("watch", "--once")).split()[:4] == ["translate", "Waiting", "FAILED", "1"]
    service.rules(LONG)
    service.advance("1m")
    assert table(cli.ok("watch", "--once")).split()[:4] == ["translate", "Active", "RUNNING", "2"]


def test_a_failed_job_that_is_removed_counts_no_more(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    service.rules(FAIL)
    stack.write_job("translate")
    assert cli("apply", "--yes", "--wait").code == 4
    stack.job_path("translate").unlink()
    cli.ok("watch", "--once", "--yes", "--allow-empty")
    assert service.live() == []


def test_a_job_that_was_just_created_is_shown_at_work(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("translate")
    ran = cli.ok("watch", "--once", "--yes", "-v")
    (made,) = service.jobs()
    assert table(ran).split()[:2] == ["translate", "Active"]
    assert made["name"] in table(ran)


def test_a_create_call_without_an_answer_is_shown_as_such(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("translate")
    service.faults(CUT)
    ran = cli("watch", "--once", "--yes")
    assert (ran.code, table(ran).split()[1]) == (1, "Settling")


@pytest.mark.parametrize("waits", [["watch", "--yes"], ["apply", "--yes", "--wait"]])
def test_when_time_is_up_the_table_tells_of_the_last_pass(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float], waits: list[str]
) -> None:
    service.rules(LONG)
    stack.write_job("translate")
    ran = cli(*waits, "--timeout", "0s")
    assert (ran.code, table(ran).split()[1]) == (7, "Active")


def test_what_was_replaced_or_removed_is_shown_as_it_goes(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("stays")
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    stack.write_job("translate", runId="2")
    ran = cli.ok("watch", "--once", "--yes")
    assert table(ran).split()[1] == "Cancelling"
    assert "the old job is cancelling" in table(ran)


def test_what_a_pass_has_deleted_is_no_orphan(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    stack.write_job("translate")
    cli.ok("apply", "--yes", "--wait")
    stack.job_path("translate").unlink()
    ran = cli.ok("watch", "--once", "--yes", "--allow-empty", "--prune-orphans")
    assert "0 jobs in stack shop." in ran.out
