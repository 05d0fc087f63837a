"""`batchctl cancel` of jobs that do not work just now: whatever would follow is stopped too."""

from __future__ import annotations

import pytest

from tests.support.command_line import LONG, Cli, Service, StackFolder

FAIL = {"fate": "fail", "pending": "0s", "running": "1s"}
CUT = {"method": "batches.create", "kind": "cut", "when": "after", "count": 1}
LAG = {"method": "batches.list", "kind": "listLag", "delay": "10m"}
BY_ORDER = "cancelled by `batchctl cancel`"


def phase(cli: Cli) -> str:
    (only,) = cli.ok("status", "-o", "json").phases().values()
    return only


@pytest.mark.parametrize("command", [("cancel", "translate"), ("cancel", "--all", "--yes")])
def test_a_job_in_its_back_off_is_not_tried_again(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float], command: tuple[str, ...]
) -> None:
    service.rules(FAIL)
    stack.write_job("translate", lifecycle={"backoffLimit": 3})
    cli.ok("apply", "--yes")
    service.advance("5s")
    assert "retry 1 of 3 after back-off" in cli.ok("watch", "--once").out
    ran = cli.ok(*command, "-o", "json")
    (action,) = ran.json["actions"]
    assert (action["action"], action["result"]) == ("cancel", "done")
    assert BY_ORDER in action["reason"]
    service.advance("1m")
    assert cli("watch", "--once", "--yes").code == 4
    assert (service.creates, phase(cli)) == (1, "Failed")
    cli.ok("retry", "translate", "--yes")
    assert service.creates == 2


def test_cancelling_all_in_back_off_has_to_be_agreed_to(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    service.rules(FAIL)
    stack.write_job("translate", lifecycle={"backoffLimit": 3})
    cli.ok("apply", "--yes")
    service.advance("5s")
    cli.ok("watch", "--once")
    assert cli("cancel", "--all", "--no-input").code == 6
    service.advance("1m")
    cli.ok("watch", "--once")
    assert service.creates == 2


def test_a_job_whose_create_call_got_no_answer_is_cancelled_when_it_is_found(
    stack: StackFolder, cli: Cli, service: Service
) -> None:
    stack.write_job("translate")
    service.faults(CUT, LAG)
    assert cli("watch", "--once", "--yes").code == 1
    (action,) = cli.ok("cancel", "translate", "-o", "json").json["actions"]
    assert (action["action"], action["result"], action["remote"]) == ("cancel", "pending", None)
    assert phase(cli) == "Settling"
    assert service.calls("batches.cancel") == 0
    service.faults()
    found = cli.ok("watch", "--once", "-o", "json")
    assert found.actions() == {"translate": "cancel"}
    assert service.calls("batches.cancel") == 1
    service.advance("1m")
    assert cli("watch", "--once").code == 4
    assert (service.creates, phase(cli)) == (1, "Cancelled")


def test_a_job_whose_create_call_was_lost_is_not_made_again(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    stack.write_job("translate")
    service.faults({**CUT, "when": "before"})
    assert cli("watch", "--once", "--yes").code == 1
    calls = service.creates
    cli.ok("cancel", "translate")
    assert cli("watch", "--yes").code == 4
    assert (service.jobs(), service.creates, phase(cli)) == ([], calls, "Cancelled")
    assert "Cancelled" in cli.ok("state", "list").out
    assert cli("apply", "--yes").code == 0
    assert service.creates == calls
    stack.write_job("translate", runId="2")
    cli.ok("apply", "--yes")
    assert service.creates == calls + 1


def test_a_job_that_cannot_be_seen_is_cancelled_when_it_can(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("translate")
    service.rules(LONG)
    cli.ok("apply", "--yes")
    service.faults({"method": "batches.list", "kind": "status", "status": 403, "when": "before"})
    (action,) = cli("cancel", "translate", "-o", "json").json["actions"]
    assert (action["action"], action["result"]) == ("cancel", "pending")
    assert service.calls("batches.cancel") == 0
    service.faults()
    cli.ok("watch", "--once")
    assert service.calls("batches.cancel") == 1


def test_what_has_ended_for_good_is_left_as_it_is(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    stack.write_job("translate")
    cli.ok("apply", "--yes", "--wait")
    (action,) = cli.ok("cancel", "translate", "-o", "json").json["actions"]
    assert (action["action"], action["reason"]) == ("none", "has ended already: succeeded")


@pytest.mark.parametrize("command", [("cancel", "translate"), ("cancel", "--all", "--yes")])
def test_a_job_that_was_named_is_shown_even_if_it_has_ended(
    stack: StackFolder, cli: Cli, service: Service, command: tuple[str, ...]
) -> None:
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    service.advance("1h")
    cli.ok("watch", "--once")
    ran = cli.ok(*command)
    assert ("none  translate  has ended already: succeeded" in ran.out) == ("translate" in command)
    assert "Nothing to do." in ran.out
