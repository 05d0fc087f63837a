"""Known work, renames and `--rerun`, as a user meets them."""

from __future__ import annotations

import shutil

import pytest

from tests.support.command_line import LONG, Cli, Service, StackFolder, check_schema


@pytest.fixture
def done(stack: StackFolder, cli: Cli, quick: list[float]) -> StackFolder:
    stack.write_job("translate")
    cli.ok("apply", "--yes", "--wait")
    return stack


def test_a_manifest_that_is_removed_and_comes_back(done: StackFolder, cli: Cli, service: Service) -> None:
    rows = cli.ok("results", "translate").out
    done.job_path("translate").unlink()
    cli.ok("apply", "--yes", "--allow-empty")
    done.write_job("translate")
    plan = cli.ok("plan", "-o", "json")
    check_schema("plan", plan.json)
    assert (plan.actions(), plan.json["summary"]["reuse"], plan.json["total"]["jobs"]) == ({"translate": "reuse"}, 1, 0)
    assert "nothing is bought (translate/" in cli.ok("plan").out
    assert "1 to reuse" in cli.ok("plan").out
    assert "| reuse | translate |" in cli.ok("plan", "-o", "markdown").out
    assert cli("plan", "--detailed-exitcode").code == 2
    # Free: nobody has to agree.
    assert cli.ok("apply", "--no-input", "-o", "json").results() == {"translate": "done"}
    assert cli.ok("results", "translate").out == rows
    assert cli.ok("plan", "-o", "json").actions() == {"translate": "none"}
    assert service.creates == 1


def test_after_destroy_a_plan_says_what_is_bought_again(done: StackFolder, cli: Cli, service: Service) -> None:
    service.rules(LONG)
    done.write_job("classify", runId="2")
    cli.ok("apply", "--yes")
    cli("destroy", "--yes", "--wait", "--max-delete", "9")
    plan = cli.ok("plan", "-o", "json")
    assert plan.actions() == {"classify": "create", "translate": "reuse"}
    assert plan.json["total"]["jobs"] == 1
    cli.ok("apply", "--yes")
    assert len(cli.ok("results", "translate").rows) == 3
    assert service.creates == 3


def test_a_lost_state_buys_nothing_of_which_results_are_here(done: StackFolder, cli: Cli, service: Service) -> None:
    service.delete(service.of("translate")[0]["name"])
    shutil.rmtree(done.path / ".batchctl")
    assert cli.ok("plan", "-o", "json").actions() == {"translate": "reuse"}
    cli.ok("apply", "--yes")
    assert cli.ok("status", "-o", "json").phases() == {"translate": "Succeeded"}
    assert service.creates == 1


def test_rerun_buys_it_again(done: StackFolder, cli: Cli, service: Service) -> None:
    plan = cli.ok("plan", "--rerun", "translate", "-o", "json")
    assert (plan.actions(), plan.json["actions"][0]["reasonCode"]) == ({"translate": "retry"}, "RerunOrdered")
    assert cli("apply", "--rerun", "translate", "--no-input").code == 6
    cli.ok("apply", "--rerun", "translate", "--yes", "--wait")
    assert service.creates == 2
    cli.ok("apply", "--yes", "--wait")
    assert service.creates == 2
    cli.ok("watch", "--rerun", "translate", "--yes")
    assert service.creates == 3
    unknown = cli("apply", "--rerun", "translte", "--yes")
    assert (unknown.code, "did you mean translate?" in unknown.err) == (1, True)


def test_a_rename_without_an_entry_is_shown_and_refused(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("old", runId="same")
    cli.ok("apply", "--yes")
    stack.job_path("old").unlink()
    stack.write_job("new", runId="same")
    plan = cli("plan", "-o", "json")
    check_schema("plan", plan.json)
    assert plan.json["renames"] == [{"from": "old", "to": "new"}]
    assert "\n  - {from: old, to: new}\n" in cli("plan").out
    assert "```yaml\n- {from: old, to: new}\n```" in cli("plan", "-o", "markdown").out
    refused = cli("apply", "--yes", "-o", "json")
    check_schema("apply", refused.json)
    assert (refused.code, refused.results()) == (6, {"new": "skipped", "old": "skipped"})
    assert (service.creates, service.calls("batches.cancel")) == (1, 0)
    stack.write_stack(moved=[{"from": "old", "to": "new"}])
    cli.ok("apply", "--yes")
    assert service.creates == 1
    assert cli.ok("status", "-o", "json").phases() == {"new": "Active"}


def test_a_rename_that_was_carried_out_by_reuse_and_delete_is_no_longer_advised(done: StackFolder, cli: Cli) -> None:
    done.job_path("translate").unlink()
    done.write_job("new", runId="translate")
    assert "Likely renames" in cli.ok("plan").out
    ran = cli.ok("apply", "--yes", "-o", "json")
    assert (ran.actions(), ran.json["renames"]) == ({"new": "reuse", "translate": "delete"}, [])


@pytest.mark.parametrize("output", ["text", "markdown"])
def test_the_report_of_such_a_run_does_not_advise_it_either(done: StackFolder, cli: Cli, output: str) -> None:
    done.job_path("translate").unlink()
    done.write_job("new", runId="translate")
    assert "Likely renames" not in cli.ok("apply", "--yes", "-o", output).out


def test_a_rename_may_be_meant_as_a_new_job(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("old", runId="same")
    cli.ok("apply", "--yes")
    stack.job_path("old").unlink()
    stack.write_job("new", runId="same")
    cli.ok("apply", "--yes", "--yes-rename-as-new")
    assert (service.creates, service.calls("batches.cancel")) == (2, 1)


def test_the_same_work_under_two_names(done: StackFolder, cli: Cli, service: Service) -> None:
    done.write_job("twin", runId="translate")
    ran = cli.ok("apply", "--yes", "-o", "json")
    assert ran.actions() == {"translate": "none", "twin": "reuse"}
    assert cli.ok("results", "twin").out == cli.ok("results", "translate").out.replace('"translate"', '"twin"')
    described = cli.ok("describe", "twin", "-o", "json")
    assert described.json["phase"] == "Succeeded"
    for command in (("explain", "twin"), ("diff", "twin"), ("status",), ("drift",), ("state", "show", "twin")):
        cli.ok(*command)
    assert cli("retry", "twin", "--yes").code == 0
    assert service.creates == 2


def test_a_rebuilt_state_knows_reused_results(done: StackFolder, cli: Cli, service: Service) -> None:
    done.write_job("twin", runId="translate")
    cli.ok("apply", "--yes")
    cli.ok("state", "rebuild", "--force")
    assert cli.ok("plan", "-o", "json").actions() == {"translate": "none", "twin": "none"}
    assert service.creates == 1


def test_a_rerun_of_an_uploaded_file_that_a_quota_puts_off_is_bought(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    name = service.upload('{"key": "a", "request": {"contents": [{"parts": [{"text": "x"}]}]}}\n')
    stack.write_job("a", src=name)
    cli.ok("apply", "--yes", "--wait")
    service.faults({"method": "batches.create", "kind": "status", "status": 429, "count": 1})
    cli("apply", "--yes", "--rerun", "a")
    assert len(service.jobs()) == 1
    cli.ok("apply", "--yes", "--wait")
    assert len(service.jobs()) == 2
    assert cli.ok("plan", "-o", "json").actions() == {"a": "none"}
