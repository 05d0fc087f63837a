"""Each guard refuses with exit 6 and does nothing; its flag lifts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import LONG, SOON, Cli, Ran, Service, StackFolder

SLOW = {"pending": "10m", "running": "10m"}


def codes(ran: Ran) -> set[str]:
    """The codes of the guards that were met."""
    return {guard["code"] for guard in ran.json["guards"]}


def refused(cli: Cli, service: Service, code: str, flag: str, *command: str) -> None:
    """The command ends with 6 for this reason, names the flag, and changes nothing remote."""
    before = service.jobs()
    ran = cli(*command, "-o", "json")
    assert (ran.code, codes(ran)) == (6, {code})
    assert flag in {guard["flag"] for guard in ran.json["guards"]}
    assert "skipped" in ran.results().values()
    text = cli(*command)
    assert text.code == 6
    assert flag in text.out + text.err
    assert service.jobs() == before


def test_consent(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("translate")
    refused(cli, service, "ConsentNeeded", "--yes", "apply")
    refused(cli, service, "ConsentNeeded", "--yes", "apply", "--no-input")
    refused(cli, service, "ConsentNeeded", "--yes", "watch")
    assert service.creates == 0
    cli.ok("apply", "--yes")
    refused(cli, service, "ConsentNeeded", "--yes", "destroy")
    refused(cli, service, "ConsentNeeded", "--yes", "cancel", "--all")
    assert service.creates == 1


def test_nothing_is_desired_any_more(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
    service.rules(LONG)  # no state of the remote job changes between two readings, however slow the machine is
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    stack.job_path("translate").unlink()
    refused(cli, service, "NothingDesired", "--allow-empty", "apply", "--yes")
    cli.ok("apply", "--yes", "--wait", "--allow-empty")
    assert service.live() == []


def test_too_many_creates(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_stack(limits={"maxCreate": 1})
    stack.write_job("classify")
    stack.write_job("translate")
    refused(cli, service, "TooManyCreates", "--max-create 2", "apply", "--yes")
    assert service.creates == 0
    cli.ok("apply", "--yes", "--max-create", "2")
    assert service.creates == 2
    stack.write_job("another")
    refused(cli, service, "TooManyCreates", "--max-create 1", "apply", "--yes", "--max-create", "0")


def test_too_many_replaces(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
    stack.write_stack(limits={"maxReplace": 1})
    for name in ("classify", "translate"):
        stack.write_job(name)
    cli.ok("apply", "--yes", "--wait")
    for name in ("classify", "translate"):
        stack.write_job(name, runId="2")
    refused(cli, service, "TooManyReplaces", "--max-replace 2", "apply", "--yes")
    cli.ok("apply", "--yes", "--max-replace", "2", "--wait")
    assert service.creates == 4


def test_too_many_deletes(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
    stack.write_stack(limits={"maxDelete": 1})
    for name in ("classify", "stays", "translate"):
        stack.write_job(name)
    cli.ok("apply", "--yes", "--wait")
    for name in ("classify", "translate"):
        stack.job_path(name).unlink()
    refused(cli, service, "TooManyDeletes", "--max-delete 2", "apply", "--yes")
    cli.ok("apply", "--yes", "--max-delete", "2")
    assert len(service.live()) == 1


def test_destroy_without_a_terminal_takes_the_number_too(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    stack.write_stack(limits={"maxDelete": 1})
    for name in ("classify", "translate"):
        stack.write_job(name)
    cli.ok("apply", "--yes", "--wait")
    refused(cli, service, "TooManyDeletes", "--max-delete 2", "destroy", "--yes")
    refused(cli, service, "TooManyDeletes", "--max-delete 2", "destroy", "--yes", "--max-delete", "1")
    ran = cli.ok("destroy", "--yes", "--max-delete", "2", "-o", "json")
    assert {(one["reason"], one["reasonCode"]) for one in ran.json["actions"]} == {
        ("destroy was requested", "DestroyOrdered")
    }
    assert service.live() == []


def test_protected_jobs(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
    service.rules(SLOW)
    stack.write_job("kept", lifecycle={"protect": True})
    stack.write_job("other")
    cli.ok("apply", "--yes")
    refused(cli, service, "Protected", "--allow-protected", "cancel", "kept")
    refused(cli, service, "Protected", "--allow-protected", "destroy", "kept", "--yes")
    stack.write_job("kept", runId="2", lifecycle={"protect": True})
    refused(cli, service, "Protected", "--allow-protected", "apply", "--yes")
    stack.job_path("kept").unlink()
    refused(cli, service, "Protected", "--allow-protected", "apply", "--yes")
    cli.ok("apply", "--yes", "--allow-protected")
    cli.ok("apply", "--yes", "--allow-protected")
    assert service.of("kept")[0]["deleted"]
    assert not service.of("other")[0]["deleted"]


def test_a_protected_job_blocks_no_other(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
    stack.write_job("kept", lifecycle={"protect": True})
    stack.write_job("translate")
    cli.ok("apply", "--yes", "--wait")
    assert cli("destroy", "--yes").code == 6
    assert [job["deleted"] for job in service.of("kept")] == [False]
    assert [job["deleted"] for job in service.of("translate")] == [True]
    cli.ok("destroy", "--yes", "--allow-protected")
    assert service.live() == []


def test_a_guard_blocks_no_other_kind_of_action(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_stack(limits={"maxDelete": 0})
    stack.write_job("classify")
    cli.ok("apply", "--yes")
    stack.job_path("classify").unlink()
    stack.write_job("translate", runId="other work")
    assert cli("apply", "--yes").code == 6
    assert [job["deleted"] for job in service.of("translate")] == [False]
    assert [job["deleted"] for job in service.of("classify")] == [False]


def test_on_change_fail_is_lifted_by_the_manifest_alone(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("translate", lifecycle={"onChange": "fail"})
    cli.ok("apply", "--yes")
    stack.write_job("translate", runId="2", lifecycle={"onChange": "fail"})
    ran = cli("apply", "--yes", "-o", "json")
    assert (ran.code, codes(ran)) == (6, {"OnChangeFail"})
    assert service.creates == 1


def test_uncollected_results_block_a_delete(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float], tmp_path: Path
) -> None:
    stack.write_stack(results="outside/results")
    stack.write_job("stays")
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    (stack.path / "outside").write_text("a file where a folder has to be")
    service.advance("1m")
    stack.job_path("translate").unlink()
    blocked = cli("apply", "--yes", "-o", "json")
    assert blocked.code == 1
    assert blocked.results() == {"stays": "failed", "translate": "failed"}
    assert not service.of("translate")[0]["deleted"]
    assert cli("apply", "--yes", "--discard-results").code == 1
    assert service.of("translate")[0]["deleted"]
    assert not service.of("stays")[0]["deleted"]


@pytest.mark.parametrize("flag", ["--allow-empty", "--allow-protected", "--adopt-changed", "--prune-orphans"])
def test_a_flag_that_is_not_needed_changes_nothing(stack: StackFolder, cli: Cli, service: Service, flag: str) -> None:
    stack.write_job("translate")
    cli.ok("apply", "--yes", flag)
    assert cli.ok("apply", "--yes", flag, "-o", "json").actions() == {"translate": "wait"}
    assert service.creates == 1


@pytest.mark.parametrize(("change", "flag"), [("replace", "--max-replace"), ("delete", "--max-delete")])
def test_what_was_agreed_to_is_finished_without_the_flag(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float], change: str, flag: str
) -> None:
    """Jobs that take long to cancel: the flag was given when that began."""
    stack.write_stack(limits={"maxReplace": 1, "maxDelete": 1})
    service.rules({"fate": "cancelSlow", "pending": "0s", "running": "30s"})
    names = {"a", "b", "c"}
    for name in names | {"other"}:
        stack.write_job(name)
    cli.ok("apply", "--yes")
    service.rules(SOON)
    for name in names:
        if change == "replace":
            stack.write_job(name, runId="2")
        else:
            stack.job_path(name).unlink()
    assert cli("apply", "--yes").code == 6
    cli.ok("apply", "--yes", flag, "3")
    service.advance("1h")
    cli.ok("apply", "--yes", "--wait")
    assert {job["state"] for name in names for job in service.of(name)[:1]} == {"BATCH_STATE_CANCELLED"}
    assert {len(service.of(name)) for name in names} == {2 if change == "replace" else 1}


def test_a_plan_that_a_guard_refuses_ends_with_6(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_stack(limits={"maxCreate": 1})
    for name in ("a", "b"):
        stack.write_job(name)
    for command in (["plan"], ["plan", "--detailed-exitcode"], ["apply", "--dry-run"]):
        ran = cli(*command, "-o", "json")
        assert (ran.code, codes(ran)) == (6, {"TooManyCreates"})
    assert cli("plan", "--max-create", "2").code == 0
    assert cli("plan", "--max-create", "2", "--detailed-exitcode").code == 2
