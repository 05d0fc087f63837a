"""`status`: its columns, its order, and `-o name` of a plan beside it."""

from __future__ import annotations

import pytest

from tests.support.command_line import Cli, Service, StackFolder


@pytest.fixture
def shop(stack: StackFolder, cli: Cli, service: Service, moved_clocks: list[float]) -> StackFolder:
    """A job that runs, created earlier than another one, and a new one. No age grows between two commands."""
    stack.write_job("b")
    cli.ok("apply", "--yes")
    service.advance("1m")
    stack.write_job("a", model="gemini-2.5-pro")
    cli.ok("apply", "--yes")
    stack.write_job("c")
    return stack


def test_wide_is_text_with_provider_and_remote_name(shop: StackFolder, cli: Cli, service: Service) -> None:
    wide = cli.ok("status", "-o", "wide").out
    verbose = cli.ok("status", "-v").out
    assert wide == verbose
    assert "REMOTE" in wide
    assert service.of("a")[0]["name"] in wide
    assert "rule  new:" in cli.ok("plan", "-o", "wide").out


@pytest.mark.parametrize(
    ("key", "jobs"),
    [("createTime", "bac"), (".createTime", "bac"), ("{.createtime}", "bac"), ("age", "abc"), ("model", "bac")],
)
def test_it_is_sorted_in_every_format(shop: StackFolder, cli: Cli, key: str, jobs: str) -> None:
    if key == "model":
        jobs = "bca"
    words = ("status", "--sort-by", key)
    assert cli.ok(*words, "-o", "name").out.split() == list(jobs)
    assert [one["job"] for one in cli.ok(*words, "-o", "json").json["jobs"]] == list(jobs)
    assert [line[0] for line in cli.ok(*words).out.splitlines()[1:4]] == list(jobs)


def test_an_unknown_key_names_those_that_there_are(shop: StackFolder, cli: Cli) -> None:
    ran = cli("status", "--sort-by=.metadata.uid")
    assert (ran.code, "is not one of job, phase" in ran.err) == (64, True)


def test_names_of_a_plan_are_the_jobs_with_an_action(shop: StackFolder, cli: Cli) -> None:
    assert cli.ok("plan", "-o", "name").out == "c\n"
    assert cli.ok("apply", "--dry-run", "-o", "name").out == "c\n"
    assert cli.ok("apply", "--yes", "-o", "name").out == "c\n"
    assert cli.ok("plan", "-o", "name").out == ""
