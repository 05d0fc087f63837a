"""`explain NAME --why-not ACTION`: the rule in the way, and a change that leads to the action when it is made."""

from __future__ import annotations

import json

import pytest

from tests.support.command_line import Cli, Service, StackFolder, check_schema


@pytest.fixture(autouse=True)
def one_after_the_other(stack: StackFolder) -> None:
    stack.write_job("first")
    stack.write_job("second", dependsOn=["first"], lifecycle={"suspend": True})


def test_the_rule_in_the_way_and_what_leads_to_the_action(
    cli: Cli, service: Service, stack: StackFolder, quick: list[float]
) -> None:
    cli.ok("apply", "--yes")
    shown = cli.ok("explain", "second", "--why-not", "create").out
    assert "Answer:  no rule decided `create`; the plan has `wait`\n" in shown
    assert "  when first has succeeded and lifecycle.suspend: false  comes by itself, manifest  rule new" in shown
    # What it says is true.
    cli.ok("watch", "--until", "first=Succeeded")
    stack.write_job("second", dependsOn=["first"])
    assert "nothing is in the way: the plan has `create`" in cli.ok("explain", "second", "--why-not", "create").out
    cli.ok("apply", "--yes")
    assert service.creates == 2


def test_several_jobs_are_a_list(cli: Cli, service: Service) -> None:
    document = json.loads(cli.ok("explain", "-f", ".", "--why-not", "delete", "-o", "json").out)
    check_schema("job-list", document)
    assert [one["job"] for one in document["items"]] == ["first", "second"]
    for one in document["items"]:
        check_schema("why-not", one)


def test_a_field_has_no_actions(cli: Cli) -> None:
    ran = cli("explain", "spec.lifecycle", "--why-not", "create")
    assert (ran.code, "--why-not is for a job" in ran.err) == (64, True)


def test_an_action_that_nothing_leads_to(cli: Cli, service: Service) -> None:
    shown = cli.ok("explain", "first", "--why-not", "adopt").out
    assert "changes that were tried leads to `" in shown
