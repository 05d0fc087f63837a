"""What others do to our jobs is told; what is not ours is never touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import SOON, Cli, Ran, Service, StackFolder, check_schema

SLOW = {"pending": "10m", "running": "10m"}


def drift(cli: Cli, *arguments: str) -> tuple[int, dict[str, str]]:
    """The exit code, and the kind of drift of each job."""
    ran = cli("drift", "-o", "json", *arguments)
    check_schema("drift", ran.json)
    return ran.code, {item["job"]: item["kind"] for item in ran.json["drift"]}


@pytest.fixture
def working(stack: StackFolder, cli: Cli, service: Service) -> dict[str, str]:
    """Three jobs that work for long; gives their remote names."""
    service.rules(SLOW)
    for name in ("cancelled", "missing", "left-alone"):
        stack.write_job(name)
    cli.ok("apply", "--yes")
    assert drift(cli) == (0, {})
    return {name: service.of(name)[0]["name"] for name in ("cancelled", "missing", "left-alone")}


def test_a_job_cancelled_or_deleted_while_it_works_is_drift(
    working: dict[str, str], cli: Cli, service: Service
) -> None:
    service.cancel(working["cancelled"])
    service.delete(working["missing"])
    assert drift(cli) == (3, {"cancelled": "Cancelled", "missing": "Missing"})
    assert drift(cli, "left-alone") == (0, {})
    text = cli("drift")
    assert text.code == 3
    assert working["missing"] in text.out
    assert "Drift in 2 places." in text.out
    assert cli("drift", "-o", "name").out == "cancelled\nmissing\n"
    assert cli("drift", "-o", "markdown").out.count("|") > 8


def test_looking_for_drift_writes_nothing(
    working: dict[str, str], stack: StackFolder, cli: Cli, service: Service
) -> None:
    service.delete(working["missing"])
    creates = service.creates
    assert drift(cli) == drift(cli) == (3, {"missing": "Missing"})
    assert service.creates == creates


def test_a_missing_job_is_not_bought_again_unless_its_manifest_says_so(
    working: dict[str, str], stack: StackFolder, cli: Cli, service: Service, moved_clocks: list[float]
) -> None:
    service.delete(working["missing"])
    seen = cli.ok("status", "missing", "-o", "json")
    assert seen.phases() == {"missing": "Settling"}
    assert "not confirmed yet" in seen.json["jobs"][0]["reason"]
    assert cli("apply", "--yes").code == 4
    assert cli.ok("status", "missing", "-o", "json").phases() == {"missing": "Failed"}
    assert service.creates == 3
    stack.write_job("missing", lifecycle={"onMissing": "recreate"})
    cli.ok("apply", "--yes")
    assert service.creates == 4
    assert [job["deleted"] for job in service.of("missing")] == [True, False]


@pytest.fixture
def finished(stack: StackFolder, cli: Cli, quick: list[float], service: Service) -> str:
    """One finished, collected job; gives its remote name."""
    stack.write_job("done")
    cli.ok("apply", "--yes", "--wait")
    name: str = service.of("done")[0]["name"]
    return name


def test_a_finished_job_that_vanished_is_drift_until_apply_takes_note(
    finished: str, cli: Cli, service: Service
) -> None:
    service.delete(finished)
    assert drift(cli) == (3, {"done": "Vanished"})
    applied = cli.ok("apply", "--yes", "--wait", "-o", "json")
    assert applied.actions() == {"done": "none"}
    assert drift(cli) == (0, {})
    assert service.creates == 1
    assert len(cli.ok("results", "done").rows) == 3


def test_finished_and_gone_before_it_was_collected_is_told_and_never_bought_again(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    stack.write_job("done")
    cli.ok("apply", "--yes")
    service.advance("1m")
    results = stack.path / "results"
    results.write_text("in the way of the results folder")
    assert cli("apply", "--yes").code == 1
    results.unlink()
    service.delete(service.of("done")[0]["name"])
    assert cli("watch").code == 4
    assert cli("status", "-o", "json").phases() == {"done": "ResultsLost"}
    lost = cli("results", "done")
    assert (lost.code, "ResultsLost" in lost.err) == (1, True)
    assert cli("apply", "--yes", "--wait").code == 4
    assert service.creates == 1


def test_a_job_cancelled_behind_our_back_is_retried_only_where_the_manifest_says_so(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    service.rules(SLOW)
    stack.write_job("plain", lifecycle={"backoffLimit": 1})
    stack.write_job("stubborn", lifecycle={"backoffLimit": 1, "retryOn": ["CANCELLED"]})
    cli.ok("apply", "--yes")
    service.rules(SOON)
    for name in ("plain", "stubborn"):
        service.cancel(service.of(name)[0]["name"])
    assert cli("watch").code == 4
    assert cli.ok("status", "-o", "json").phases() == {"plain": "Cancelled", "stubborn": "Succeeded"}
    assert len(service.of("plain")) == 1
    assert len(service.of("stubborn")) == 2


def _foreign(service: Service, tmp_path: Path, cli: Cli) -> dict[str, Any]:
    """Jobs that are not ours: made by hand, another stack's, and one of a stack with our name but another uid."""
    made = {service.make("made by hand"), service.make("keep-me [bc1 shop/keep-me@1.0")}
    for name, uid in (("warehouse", "a1b2c3"), ("shop", "zzzzzz")):
        other = StackFolder(tmp_path / f"{name}-{uid}")
        other.write_stack(name=name, uid=uid)
        other.write_job("keep-me")
        cli.ok("apply", "--yes", "--config", str(other.path / "batchctl.yaml"))
    jobs = {job["name"]: job for job in service.jobs()}
    assert made < jobs.keys()
    assert len(jobs) == 4
    return jobs


@pytest.mark.parametrize(
    "command",
    [
        ["apply", "--yes"],
        ["apply", "--yes", "--prune-orphans", "--allow-empty", "--adopt-changed"],
        ["destroy", "--yes"],
        ["destroy", "--yes", "--wait"],
        ["cancel", "--all", "--yes"],
        ["watch", "--once", "--yes", "--prune-orphans"],
    ],
    ids=" ".join,
)
def test_what_is_not_ours_is_never_touched(
    stack: StackFolder, cli: Cli, service: Service, tmp_path: Path, quick: list[float], command: list[str]
) -> None:
    service.rules({"pending": "1000h", "running": "10m"})
    foreign = _foreign(service, tmp_path, cli)
    stack.write_job("keep-me")
    stack.write_job("ours")
    cli.ok("apply", "--yes")
    cli.ok(*command)
    now = {job["name"]: job for job in service.jobs() if job["name"] in foreign}
    assert now == foreign
    assert len(service.of("ours")) == 1


def test_unmanaged_jobs_are_drift_on_request(stack: StackFolder, cli: Cli, service: Service, tmp_path: Path) -> None:
    foreign = _foreign(service, tmp_path, cli)
    stack.write_job("ours")
    cli.ok("apply", "--yes")
    assert drift(cli) == (0, {})
    assert drift(cli, "--unmanaged") == (3, dict.fromkeys(foreign, "Unmanaged"))
    assert cli.ok("plan", "-o", "json").json["unmanaged"] == 4


def test_a_second_job_with_our_mark_is_drift_and_the_younger_is_cancelled(
    working: dict[str, str], cli: Cli, service: Service
) -> None:
    (original,) = service.of("left-alone")
    service.advance("5s")
    double = service.make(original["displayName"])
    assert drift(cli) == (3, {"left-alone": "Duplicate"})
    cli.ok("apply", "--yes")
    states = {job["name"]: job["state"] for job in service.of("left-alone")}
    assert states == {original["name"]: original["state"], double: "BATCH_STATE_CANCELLED"}


def _orphaned(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("orphan")
    stack.write_job("ours")
    cli.ok("apply", "--yes")
    stack.job_path("orphan").unlink()
    forget_state(stack)


def forget_state(stack: StackFolder) -> None:
    """Lose the state file, as a throw-away machine does."""
    for path in (stack.path / ".batchctl").iterdir():
        path.unlink()


def test_an_orphan_is_reported_and_removed_only_on_request(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    service.rules(SLOW)
    _orphaned(stack, cli)
    assert drift(cli) == (3, {"orphan": "Orphan"})
    assert cli.ok("apply", "--yes", "-o", "json").actions() == {"ours": "adopt"}
    assert service.of("orphan")[0]["state"] == "BATCH_STATE_PENDING"
    refused: Ran = cli("apply", "--prune-orphans", "--no-input")
    assert refused.code == 6
    assert service.of("orphan")[0]["state"] == "BATCH_STATE_PENDING"
    cli.ok("apply", "--prune-orphans", "--yes")
    cli.ok("apply", "--prune-orphans", "--yes")
    assert service.of("orphan")[0]["deleted"]
    assert not service.of("ours")[0]["deleted"]
    assert drift(cli) == (0, {})
