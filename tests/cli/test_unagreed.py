"""`watch` without `--yes`, and jobs whose change or removal nobody agreed to: they are followed as they are."""

from __future__ import annotations

import pytest

from tests.support.command_line import SOON, Cli, Service, StackFolder

STUCK = {"fate": "stuck"}
FAIL = {"fate": "fail", "pending": "0s", "running": "1s"}
OTHER_ROWS = [{"key": "one", "text": "other"}]


def row(cli: Cli, name: str = "translate") -> dict[str, str]:
    """One job of the status."""
    (found,) = [item for item in cli("status", "-o", "json").json["jobs"] if item["job"] == name]
    return found


def change(stack: StackFolder, how: str, **lifecycle: object) -> None:
    if how == "edited":
        stack.write_job("translate", src=OTHER_ROWS, lifecycle=lifecycle)
    else:
        stack.job_path("translate").unlink()


@pytest.mark.parametrize("how", ["edited", "removed"])
def test_deadlines_hold_while_a_change_waits(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float], how: str
) -> None:
    service.rules(STUCK, SOON)
    stack.write_job("translate", lifecycle={"pendingDeadline": "1h"})
    cli.ok("apply", "--yes")
    service.rules(SOON)
    stack.write_job("stays")
    cli.ok("apply", "--yes")
    change(stack, how, pendingDeadline="1h")
    assert (row(cli)["phase"], service.calls("batches.cancel")) == ("Active", 0)
    assert "waits for `batchctl apply`" in row(cli)["reason"]
    service.advance("2h")
    ran = cli("watch", "-o", "json")
    assert (ran.code, ran.results()) == (6, {"stays": "done", "translate": "skipped"})
    assert service.calls("batches.cancel") == 1
    assert [job["deleted"] for job in service.jobs()] == [False, False]
    assert service.creates == 2


@pytest.mark.parametrize("how", ["edited", "removed"])
def test_watch_goes_on_with_the_old_work_to_its_end(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float], how: str
) -> None:
    service.rules({"pending": "0s", "running": "20s"})
    stack.write_job("stays", lifecycle={"suspend": True})
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    change(stack, how)
    ran = cli("watch")
    assert ran.code == 6
    assert sum(quick) >= 20
    assert row(cli)["phase"] == "Succeeded"
    assert (stack.path / "results" / "translate" / "current").exists()
    assert (service.creates, service.calls("batches.cancel"), service.calls("batches.delete")) == (1, 0, 0)
    assert cli("watch").code == 6


def test_a_change_that_nobody_agreed_to_is_not_tried_again(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    service.rules(FAIL)
    stack.write_job("translate", lifecycle={"backoffLimit": 3})
    cli.ok("apply", "--yes")
    stack.write_job("translate", src=OTHER_ROWS, lifecycle={"backoffLimit": 3})
    assert cli("watch").code == 6
    assert (service.creates, row(cli)["phase"]) == (1, "Failed")


def test_a_protected_job_is_not_said_to_be_removed(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("stays")
    stack.write_job("translate", lifecycle={"protect": True})
    cli.ok("apply", "--yes")
    stack.job_path("translate").unlink()
    assert cli("apply", "--yes").code == 6
    shown = row(cli)
    assert shown["phase"] == "Active"
    assert "refused: translate is protected (lifecycle.protect) (--allow-protected)" in shown["reason"]
    cli.ok("apply", "--yes", "--allow-protected")
    assert row(cli)["phase"] == "Removing"


def test_status_names_the_model_that_works_and_not_the_one_that_waits(
    stack: StackFolder, cli: Cli, service: Service
) -> None:
    stack.write_job("a", model="gemini-2.5-flash")
    cli.ok("apply", "--yes")
    stack.write_job("a", model="gemini-2.5-pro")
    assert cli("watch", "--once").code == 6
    assert (row(cli, "a")["attempt"], row(cli, "a")["model"]) == (1, "gemini-2.5-flash")
