"""An empty state where jobs may have run before: nothing is bought on its word alone."""

from __future__ import annotations

import shutil

import pytest

from tests.support.command_line import Cli, Service, StackFolder


@pytest.fixture
def in_ci(stack: StackFolder, monkeypatch: pytest.MonkeyPatch) -> StackFolder:
    """A run of CI, for a stack one of whose jobs is deleted after its end."""
    monkeypatch.setenv("CI", "true")
    stack.write_job("translate", lifecycle={"ttlAfterFinished": "1h"})
    stack.write_job("classify")
    return stack


def test_ci_without_a_state_is_refused_as_a_whole_and_again(in_ci: StackFolder, cli: Cli, service: Service) -> None:
    for command in ("apply", "watch", "apply"):
        ran = cli(command, "--yes", "-o", "json")
        assert ran.code == 6
        assert ran.json["error"]["code"] == "NewState"
        assert "--new-state" in ran.json["error"]["hint"]
        assert "translate has ttlAfterFinished" in ran.json["error"]["message"]
    assert service.creates == 0
    plan = cli("plan", "-o", "json")
    assert [guard["code"] for guard in plan.json["guards"]] == ["NewState"]


def test_the_flag_says_that_it_is_a_first_run(in_ci: StackFolder, cli: Cli, service: Service) -> None:
    cli.ok("apply", "--yes", "--new-state")
    assert service.creates == 2
    in_ci.write_job("third", lifecycle={"ttlAfterFinished": "1h"})
    cli.ok("apply", "--yes")
    assert service.creates == 3


def test_the_round_that_would_buy_again(
    in_ci: StackFolder, cli: Cli, service: Service, quick: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.ok("apply", "--yes", "--new-state", "--wait")
    service.advance("2h")
    quick.append(7200)
    cli.ok("apply", "--yes")
    assert [job["deleted"] for job in service.of("translate")] == [True]
    shutil.rmtree(in_ci.path / ".batchctl")
    shutil.rmtree(in_ci.path / "results")
    assert cli("apply", "--yes").code == 6
    assert service.creates == 2


def test_a_job_that_would_come_later_is_doubted_at_once(
    stack: StackFolder, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the first record of another job, nothing would tell any more that the state began empty."""
    monkeypatch.setenv("CI", "true")
    stack.write_job("first")
    stack.write_job("later", dependsOn=["first"], lifecycle={"ttlAfterFinished": "1h"})
    for words in (("apply", "-f", str(stack.job_path("first"))), ("apply", "--wait"), ("watch",)):
        ran = cli(*words, "--yes", "-o", "json")
        assert (ran.code, ran.json["error"]["code"]) == (6, "NewState"), words
    assert service.creates == 0


def test_a_mark_that_is_found_tells_enough(in_ci: StackFolder, cli: Cli, service: Service) -> None:
    cli.ok("apply", "--yes", "--new-state")
    shutil.rmtree(in_ci.path / ".batchctl")
    assert set(cli.ok("apply", "--yes", "-o", "json").actions().values()) == {"adopt"}
    assert service.creates == 2


def test_at_a_desk_the_person_looks(
    in_ci: StackFolder, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in ("", "false", "0"):
        monkeypatch.setenv("CI", value)
        assert cli.ok("plan", "-o", "json").json["guards"] == []
    monkeypatch.delenv("CI")
    cli.ok("apply", "--yes")
    assert service.creates == 2


def test_results_of_the_very_work_are_used_and_need_no_flag(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    stack.write_job("translate")
    cli.ok("apply", "--yes", "--wait")
    service.delete(service.of("translate")[0]["name"])
    shutil.rmtree(stack.path / ".batchctl")
    plan = cli.ok("plan", "-o", "json")
    assert (plan.actions(), plan.json["guards"]) == ({"translate": "reuse"}, [])
    cli.ok("apply", "--yes")
    stack.write_job("translate", runId="2")
    cli.ok("apply", "--yes")
    assert service.creates == 2


def test_results_of_the_very_work_that_are_not_whole_are_told_everywhere(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    stack.write_job("translate")
    cli.ok("apply", "--yes", "--wait")
    service.delete(service.of("translate")[0]["name"])
    shutil.rmtree(stack.path / ".batchctl")
    (manifest,) = stack.path.glob("results/translate/*-1/manifest.json")
    manifest.unlink()
    ran = cli("apply", "--yes")
    assert ran.code == 6
    assert "manifest.json is missing. They would be bought again" in " ".join(ran.err.split())
    assert cli("plan", "--new-state", "-o", "json").actions() == {"translate": "create"}
    assert service.creates == 1
