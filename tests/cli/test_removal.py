"""Jobs that go: removed manifests, replaced work, `cancel` and `destroy`, while jobs still work."""

from __future__ import annotations

import pytest

from tests.support.command_line import SOON, Cli, Service, StackFolder

SLOW = {"pending": "1m", "running": "1m"}
CANCELS_SLOWLY = {"fate": "cancelSlow", "pending": "0s", "running": "30s"}


def states(service: Service, name: str) -> list[tuple[str, bool]]:
    """State and whether deleted, of all remote jobs of a job, oldest first."""
    return [(job["state"].removeprefix("BATCH_STATE_"), job["deleted"]) for job in service.of(name)]


@pytest.fixture
def working(stack: StackFolder, cli: Cli, service: Service) -> StackFolder:
    """A job that works for long, beside another one."""
    service.rules(SLOW)
    stack.write_job("translate")
    stack.write_job("stays")
    cli.ok("apply", "--yes")
    return stack


def test_a_removed_active_job_is_cancelled_first_and_deleted_by_the_next_apply(
    working: StackFolder, cli: Cli, service: Service
) -> None:
    working.job_path("translate").unlink()
    first = cli.ok("apply", "--yes", "-o", "json")
    assert first.actions() == {"stays": "wait", "translate": "delete"}
    assert first.results()["translate"] == "pending"
    assert states(service, "translate") == [("CANCELLED", False)]
    second = cli.ok("apply", "--yes", "-o", "json")
    assert second.results()["translate"] == "done"
    assert states(service, "translate") == [("CANCELLED", True)]
    assert cli.ok("apply", "--yes", "-o", "json").actions() == {"stays": "wait"}
    assert states(service, "stays") == [("PENDING", False)]


def test_apply_wait_removes_an_active_job_in_one_go(
    working: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    working.job_path("translate").unlink()
    ran = cli.ok("apply", "--yes", "--wait", "-o", "json")
    assert ran.results()["translate"] == "done"
    assert states(service, "translate") == [("CANCELLED", True)]


def test_a_removal_waits_until_a_slow_cancel_has_come_through(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    service.rules(CANCELS_SLOWLY)
    stack.write_job("translate")
    stack.write_job("stays")
    cli.ok("apply", "--yes")
    stack.job_path("translate").unlink()
    cli.ok("apply", "--yes")
    assert states(service, "translate") == [("RUNNING", False)]
    again = cli.ok("apply", "--yes", "-o", "json")
    assert again.results()["translate"] == "pending"
    assert service.calls("batches.cancel") == 1, "sent again only after a while"
    cli.ok("apply", "--yes", "--wait")
    assert states(service, "translate")[0][1]


def test_a_replaced_active_job_is_cancelled_deleted_and_made_anew(
    working: StackFolder, cli: Cli, service: Service
) -> None:
    working.write_job("translate", runId="2")
    first = cli.ok("apply", "--yes", "-o", "json")
    assert first.actions()["translate"] == "replace"
    assert first.results()["translate"] == "pending"
    assert states(service, "translate") == [("CANCELLED", False)]
    second = cli.ok("apply", "--yes", "-o", "json")
    assert second.actions()["translate"] == "replace"
    assert second.results()["translate"] == "done"
    assert states(service, "translate") == [("CANCELLED", True), ("PENDING", False)]


def test_apply_wait_replaces_an_active_job_in_one_go(
    working: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    service.rules(SOON)
    working.write_job("translate", runId="2")
    cli.ok("apply", "--yes", "--wait", "--timeout", "1h")
    assert states(service, "translate") == [("CANCELLED", True), ("SUCCEEDED", False)]
    assert len(cli.ok("results", "translate").rows) == 3


def test_a_manifest_that_comes_back_during_its_removal_makes_a_new_attempt(
    working: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    manifest = working.job_path("translate")
    text = manifest.read_text()
    manifest.unlink()
    cli.ok("apply", "--yes")
    manifest.write_text(text)
    service.rules(SOON)
    cli.ok("apply", "--yes", "--wait")
    assert cli.ok("status", "translate", "-o", "json").phases() == {"translate": "Succeeded"}
    assert [deleted for _, deleted in states(service, "translate")].count(False) >= 1
    assert service.creates == 3


@pytest.mark.parametrize(("policy", "left"), [("keep", "PENDING"), ("cancel", "CANCELLED")])
def test_on_remove_keep_and_cancel_leave_the_remote_job(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float], policy: str, left: str
) -> None:
    service.rules({"pending": "1000h"})
    stack.write_job("translate", lifecycle={"onRemove": policy})
    stack.write_job("suspended", lifecycle={"suspend": True})
    cli.ok("apply", "--yes")
    stack.job_path("translate").unlink()
    cli.ok("apply", "--yes", "--wait")
    cli.ok("apply", "--yes", "--wait")
    assert states(service, "translate") == [(left, False)]
    assert cli.ok("plan", "-o", "json").actions() == {"suspended": "wait"}
    assert cli("drift").code == 0


def test_a_cancelled_job_is_never_tried_again(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    service.rules(SLOW)
    stack.write_job("translate", lifecycle={"backoffLimit": 3, "retryOn": ["CANCELLED", "FAILED"]})
    stack.write_job("stays")
    cli.ok("apply", "--yes")
    ran = cli.ok("cancel", "translate", "-o", "json")
    assert ran.actions() == {"translate": "cancel"}
    assert states(service, "stays") == [("PENDING", False)]
    cli.ok("apply", "--yes")
    assert cli("watch", "translate").code == 4
    assert cli("status", "-o", "json").phases()["translate"] == "Cancelled"
    assert states(service, "translate") == [("CANCELLED", False)]
    assert cli("drift").code == 0, "our own cancel is no drift"
    assert service.creates == 2
    stack.write_job("translate", runId="2")
    cli.ok("apply", "--yes")
    assert service.creates == 3


def test_cancel_all_stops_what_works_and_leaves_what_has_ended(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    stack.write_job("ended")
    cli.ok("apply", "--yes", "--wait")
    service.rules(SLOW)
    stack.write_job("working")
    cli.ok("apply", "--yes")
    cli.ok("cancel", "--all", "--yes")
    assert states(service, "ended") == [("SUCCEEDED", False)]
    assert states(service, "working") == [("CANCELLED", False)]
    assert cli.ok("cancel", "--all", "--yes", "-o", "json").actions() == {"ended": "none", "working": "none"}


def test_destroy_wait_leaves_no_live_job_and_keeps_results_and_manifests(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    stack.write_job("ended")
    cli.ok("apply", "--yes", "--wait")
    service.rules(SLOW)
    stack.write_job("working")
    cli.ok("apply", "--yes")
    ran = cli.ok("destroy", "--yes", "--wait", "-o", "json")
    assert ran.results() == {"ended": "done", "working": "done"}
    assert service.live() == []
    assert len(cli.ok("results", "ended").rows) == 3
    assert stack.job_path("ended").exists()
    assert cli.ok("plan", "-o", "json").actions() == {"ended": "reuse", "working": "create"}


def test_destroy_of_one_job_leaves_the_others(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    stack.write_job("classify", labels={"team": "a"})
    stack.write_job("translate", labels={"team": "b"})
    stack.write_job("third", labels={"team": "c"})
    cli.ok("apply", "--yes", "--wait")
    cli.ok("destroy", "translate", "--yes")
    cli.ok("destroy", "-l", "team=c", "--yes")
    assert [job["deleted"] for name in ("classify", "translate", "third") for job in service.of(name)] == [
        False,
        True,
        True,
    ]


def test_destroy_with_the_state_lost_takes_what_our_marks_name(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    service.rules(SLOW)
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    for path in (stack.path / ".batchctl").iterdir():
        path.unlink()
    assert "\nDestroy: 1 done." in cli.ok("destroy", "--yes", "--wait").out
    assert service.live() == []


def test_a_deadline_cancels_and_fails_the_job(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    service.rules({"pending": "0s", "running": "1000h"})
    stack.write_job("slow", lifecycle={"activeDeadline": "10m"})
    assert cli("apply", "--yes", "--wait").code == 4
    assert states(service, "slow") == [("CANCELLED", False)]
    assert cli.ok("status", "-o", "json").phases() == {"slow": "Failed"}
    assert 590 <= sum(quick) < 700


def test_ttl_deletes_the_remote_job_and_never_the_results(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    stack.write_job("translate", lifecycle={"ttlAfterFinished": "1h"})
    cli.ok("apply", "--yes", "--wait")
    assert states(service, "translate") == [("SUCCEEDED", False)]
    service.advance("2h")
    cli.ok("watch", "--once")
    assert states(service, "translate") == [("SUCCEEDED", True)]
    assert len(cli.ok("results", "translate").rows) == 3
    cli.ok("apply", "--yes", "--wait")
    assert cli("drift").code == 0
    assert service.creates == 1
