"""Every command with `-o json`, `yaml` or lines of JSON writes what its published schema describes, and nothing else.

The table is held against the command line itself, so a new command or format has to be added here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from batchctl.cli.commands import batchctl
from tests.cli.test_docs import all_commands
from tests.support.closed_schemas import check_closed
from tests.support.command_line import SOON, Cli, Service, StackFolder

FORMATS = ("json", "yaml", "jsonl", "ndjson")

LOOKS = {
    "validate": "",
    "plan": "",
    "diff": "a",
    "status": "",
    "wait": "--all --timeout 0s",
    "describe": "bad",
    "explain": "bad",
    "replay": "{bundle}",
    "rehearse": "--weather calm --runs 1 --seed 1",
    "events": "",
    "results": "a --join",
    "drift": "--unmanaged",
    "state list": "",
    "state lock show": "",
    "state show": "a",
    "prices list": "",
    "config view": "--show-origin",
    "doctor": "",
    "version": "",
}
"""Commands that only look, with their arguments."""

LISTS = {"diff": "", "describe": "-f .", "explain": "-l team=search", "state show": "a bad"}
"""The same with several jobs."""

FIELDS = {"explain": "spec.lifecycle"}

WHY_NOT = {"explain": "bad --why-not retry", "replay": "{bundle} --job c --why-not cancel"}
"""The same with another question."""

ACTS = {
    "retry": "bad --yes",
    "apply": "--yes",
    "watch": "--once",
    "cancel": "c",
    "import": "{by-hand} --as by-hand",
    "state rebuild": "--force",
    "destroy": "--yes --max-delete 10",
}
"""Commands that act, in an order in which each has work."""


def formats() -> dict[str, list[str]]:
    """The machine-readable formats of each command that has any."""
    found: dict[str, list[str]] = {}
    for path, command in all_commands(batchctl):
        choices = [
            one.type.choices for one in command.params if one.name == "output" and isinstance(one.type, click.Choice)
        ]
        names = [name for name in FORMATS if choices and name in choices[0]]
        if names:
            found[path] = names
    return found


def check(ran_out: str, form: str) -> list[Any]:
    """Hold an output against the schemas of its documents; gives these."""
    if form in {"jsonl", "ndjson"} or "\n{" in ran_out:
        documents = [json.loads(line) for line in ran_out.splitlines()]
    else:
        documents = [json.loads(ran_out) if form == "json" else yaml.safe_load(ran_out)]
    for document in documents:
        check_one(document)
    return documents


def check_one(document: Any) -> None:
    named = "error" if "error" in document and "format" not in document and "key" not in document else "results-row"
    check_closed(document["format"].split("/")[1] if "format" in document else named, document)
    for item in document.get("items", []) if document.get("format") == "batchctl/job-list/v1" else []:
        check_one(item)


@pytest.fixture
def shop(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> StackFolder:
    """A job that has succeeded, one that failed, one that runs, and one that somebody made by hand."""
    service.rules(
        {"match": {"displayName": "*/bad@*"}, "pending": "0s", "running": "1s", "fate": "fail"},
        {"match": {"displayName": "*/c@*"}, "pending": "0s", "running": "1000h"},
        SOON,
    )
    for name in ("a", "bad"):
        stack.write_job(name, labels={"team": "search"})
    cli("apply", "--yes", "--wait")
    stack.write_job("c")
    cli("apply", "--yes")
    return stack


def test_the_tables_have_every_command_with_such_a_format() -> None:
    assert formats().keys() == LOOKS.keys() | ACTS.keys()


def test_every_document_of_commands_that_look(shop: StackFolder, cli: Cli) -> None:
    cli("plan", "--record", "box")
    (bundle,) = Path("box").iterdir()
    for table in (LOOKS, LISTS, FIELDS, WHY_NOT):
        for command, given in table.items():
            arguments = given.replace("{bundle}", str(bundle))
            found = {
                form: check(cli(*command.split(), *arguments.split(), "-o", form).out, form)
                for form in formats()[command]
            }
            assert all(found.values()), command
            if "json" in found and "yaml" in found:
                assert found["json"][0].keys() == found["yaml"][0].keys(), command


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_every_document_of_commands_that_act(shop: StackFolder, cli: Cli, service: Service, form: str) -> None:
    by_hand = service.make("made by hand")
    for command, arguments in ACTS.items():
        words = arguments.replace("{by-hand}", by_hand).split()
        (document,) = check(cli(*command.split(), *words, "-o", form).out, form)
        assert "error" not in document, (command, document)


@pytest.mark.parametrize("command", formats())
def test_a_wrong_command_line_gives_the_document_of_an_error(stack: StackFolder, cli: Cli, command: str) -> None:
    ran = cli(*command.split(), "--no-such-option", "-o", "json")
    assert ran.code == 64
    (document,) = check(ran.out, "json")
    assert document["error"]["code"] == "Usage"
