"""The state file is lost: the marks on the remote jobs bring it back, and nothing is bought twice."""

from __future__ import annotations

import shutil

import pytest

from tests.support.command_line import ROWS, Cli, Service, StackFolder

JOBS = ("classify", "summarise", "translate")
OTHER_ROWS = [*ROWS[:-1], {**ROWS[-1], "text": "another text"}]


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


AGAIN = "rows that did not change may be bought again"


def lose_a_short_list(stack: StackFolder, cli: Cli) -> None:
    """A job ends at the API; its state, which alone has the list of its rows, is lost before they are collected."""
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    shutil.rmtree(stack.path / ".batchctl")


def test_a_change_while_the_state_is_lost_says_that_rows_may_be_bought_again(
    stack: StackFolder, cli: Cli, service: Service
) -> None:
    lose_a_short_list(stack, cli)
    service.advance("1h")
    stack.write_job("translate", src=OTHER_ROWS)
    plan, applied = cli("plan", "-o", "json"), cli("apply", "--yes", "-o", "json")
    assert (plan.code, applied.code) == (6, 6)
    assert all(AGAIN in ran.json["guards"][0]["message"] for ran in (plan, applied))
    assert service.creates == 1
    ordered = cli.ok("apply", "--yes", "--adopt-changed", "-o", "json")
    assert AGAIN in ordered.json["actions"][0]["reason"]
    assert [job["rows"] for job in service.of("translate")] == [len(OTHER_ROWS)] * 2


def test_a_change_after_an_adoption_says_that_rows_may_be_bought_again(
    stack: StackFolder, cli: Cli, service: Service
) -> None:
    lose_a_short_list(stack, cli)
    cli.ok("apply", "--yes")
    stack.write_job("translate", src=OTHER_ROWS)
    (action,) = cli.ok("plan", "-o", "json").json["actions"]
    assert (action["action"], AGAIN in action["reason"]) == ("replace", True)
    assert "1 of 3 rows changed: three" in str(action["changes"]), "the rows of the manifest are recorded"
    stack.write_job("translate", model="gemini-2.5-pro")
    (action,) = cli.ok("plan", "-o", "json").json["actions"]
    assert (action["action"], AGAIN in action["reason"]) == ("replace", False), "another model: all rows are new"


def test_a_change_that_is_undone_until_results_are_collected_buys_only_changed_rows(
    stack: StackFolder, cli: Cli, service: Service
) -> None:
    lose_a_short_list(stack, cli)
    service.advance("1h")
    stack.write_job("translate", src=OTHER_ROWS)
    (guard,) = cli("plan", "-o", "json").json["guards"]
    assert "undo the change before the next `apply`" in guard["message"]
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    stack.write_job("translate", src=OTHER_ROWS)
    (action,) = cli.ok("apply", "--yes", "-o", "json").json["actions"]
    assert (action["action"], AGAIN in action["reason"]) == ("replace", False)
    assert [job["rows"] for job in service.of("translate")] == [len(OTHER_ROWS), 1]


@pytest.mark.parametrize(
    "spec", [{"rows": {"reuse": False}}, {"src": [{"key": f"k{n}", "text": "t"} for n in range(99)]}]
)
def test_nothing_is_said_of_rows_that_are_bought_anew_anyway_or_have_their_list_in_a_file(
    stack: StackFolder, cli: Cli, service: Service, spec: dict[str, object]
) -> None:
    lose_a_short_list(stack, cli)
    stack.write_job("translate", **{"src": OTHER_ROWS, **spec})
    assert AGAIN not in cli("plan").out
