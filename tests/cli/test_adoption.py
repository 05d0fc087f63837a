"""The state file is lost: the marks on the remote jobs bring it back, and nothing is bought twice."""

from __future__ import annotations

import shutil

import pytest

from tests.support.command_line import Cli, Service, StackFolder

JOBS = ("classify", "summarise", "translate")


@pytest.fixture
def lost(stack: StackFolder, cli: Cli, quick: list[float]) -> StackFolder:
    """Three finished jobs, collected; their state file is gone."""
    for name in JOBS:
        stack.write_job(name)
    cli.ok("apply", "--yes", "--wait")
    shutil.rmtree(stack.path / ".batchctl")
    return stack


def test_all_jobs_are_adopted_and_none_is_created(lost: StackFolder, cli: Cli, service: Service) -> None:
    plan = cli("plan", "--detailed-exitcode", "-o", "json")
    assert (plan.code, plan.actions()) == (2, dict.fromkeys(JOBS, "adopt"))
    applied = cli.ok("apply", "--yes", "--wait", "-o", "json")
    assert applied.actions() == dict.fromkeys(JOBS, "adopt")
    assert set(applied.results().values()) == {"done"}
    assert service.creates == len(JOBS)
    assert cli.ok("status", "-o", "json").phases() == dict.fromkeys(JOBS, "Succeeded")
    assert len(cli.ok("results", "translate").rows) == 3
    assert cli.ok("plan", "--detailed-exitcode").code == 0


def test_adopting_needs_nobodys_consent(lost: StackFolder, cli: Cli) -> None:
    applied = cli.ok("apply", "--no-input", "-o", "json")
    assert set(applied.results().values()) == {"done"}


def test_after_an_adoption_an_edit_works_as_ever(lost: StackFolder, cli: Cli, service: Service) -> None:
    cli.ok("apply", "--yes", "--wait")
    lost.write_job("translate", model="gemini-2.5-pro")
    plan = cli.ok("plan", "-o", "json")
    assert plan.actions() == {"classify": "none", "summarise": "none", "translate": "replace"}
    assert plan.changes("translate") == ["spec.model"]
    cli.ok("apply", "--yes", "--wait")
    assert service.creates == len(JOBS) + 1
    assert [job["deleted"] for job in service.of("translate")] == [True, False]


def test_an_edit_while_the_state_is_lost_replaces_only_with_a_flag(
    lost: StackFolder, cli: Cli, service: Service
) -> None:
    lost.write_job("translate", model="gemini-2.5-pro")
    refused = cli("apply", "--yes", "--wait", "-o", "json")
    assert refused.code == 6
    assert refused.actions() == dict.fromkeys(JOBS, "adopt")
    assert "--adopt-changed" in refused.out
    assert service.creates == len(JOBS)
    assert not any(job["deleted"] for job in service.jobs())
    again = cli("apply", "--yes", "--wait")
    assert again.code == 6
    assert service.creates == len(JOBS)
    cli.ok("apply", "--yes", "--wait", "--adopt-changed")
    assert service.creates == len(JOBS) + 1
    assert [job["deleted"] for job in service.of("translate")] == [True, False]
    assert cli.ok("plan", "--detailed-exitcode").code == 0


def test_active_jobs_are_adopted_and_followed_to_their_end(stack: StackFolder, cli: Cli, service: Service) -> None:
    service.rules({"pending": "10m", "running": "10m"})
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    shutil.rmtree(stack.path / ".batchctl")
    assert cli.ok("apply", "--yes", "-o", "json").results() == {"translate": "done"}
    service.advance("1h")
    cli.ok("apply", "--yes")
    assert len(cli.ok("results", "translate").rows) == 3
    assert service.creates == 1
