"""Changed settings: an `update` in every form of the plan, written down by `apply` without leave, and bought by nobody."""

from __future__ import annotations

import pytest

from tests.support.command_line import LONG, Cli, Service, StackFolder, check_schema

BEFORE = {"lifecycle": {"protect": True}, "priority": 1, "webhookConfig": {"uris": ["https://example.org/?key=s3cret"]}}
AFTER = {
    "lifecycle": {"backoffLimit": 2, "ttlAfterFinished": "7d"},
    "priority": 9,
    "displayName": "Shown",
    "dependsOn": ["first"],
    "webhookConfig": {"uris": ["https://example.org/?key=0ther"]},
}
PATHS = [
    "metadata.labels.team",
    "spec.dependsOn",
    "spec.displayName",
    "spec.lifecycle.backoffLimit",
    "spec.lifecycle.protect",
    "spec.lifecycle.ttlAfterFinished",
    "spec.priority",
    "spec.webhookConfig.uris",
]


@pytest.fixture
def edited(stack: StackFolder, cli: Cli, service: Service) -> Cli:
    """A job that runs, and whose settings have all changed since."""
    service.rules(LONG)
    stack.write_job("first")
    stack.write_job("translate", labels={"team": "search"}, **BEFORE)
    cli.ok("apply", "--yes")
    stack.write_job("translate", labels={"team": "ads"}, **AFTER)
    return cli


def test_every_form_of_the_plan_names_the_settings(edited: Cli) -> None:
    ran = edited("plan", "-o", "json", "--detailed-exitcode")
    assert (ran.code, ran.actions()) == (2, {"first": "wait", "translate": "update"})
    assert ran.json["summary"]["update"] == 1
    assert ran.changes("translate") == PATHS
    check_schema("plan", ran.json)
    diff = edited.ok("diff", "translate", "-o", "json").json
    assert ([change["path"] for change in diff["changes"]], diff["reasonCode"]) == (PATHS, "SettingsChanged")
    text, page = edited.ok("plan").out, edited.ok("plan", "-o", "markdown").out
    assert "Plan: 1 to update, 1 waiting." in text
    for path in PATHS:
        assert path in text
        assert path in page
    for told in (text, page, ran.out, edited.ok("describe", "translate").out):
        assert "s3cret" not in told
        assert "0ther" not in told


def test_apply_writes_the_settings_down_without_leave(edited: Cli, service: Service) -> None:
    ran = edited.ok("apply", "--no-input", "-o", "json")
    assert ran.results() == {"first": "pending", "translate": "done"}
    check_schema("apply", ran.json)
    assert edited.ok("plan", "-o", "json", "--detailed-exitcode").actions() == {"first": "wait", "translate": "wait"}
    assert service.creates == 2
    recorded = edited.ok("describe", "translate", "-o", "json").json["recorded"]
    assert (recorded["priority"], recorded["dependsOn"], recorded["labels"]) == (9, ["first"], {"team": "ads"})


def test_apply_names_the_settings_for_people(edited: Cli) -> None:
    told = edited.ok("apply", "--yes").out
    assert "done     update  translate  settings changed; running" in told
    assert "~ spec.priority: 1 -> 9" in told
