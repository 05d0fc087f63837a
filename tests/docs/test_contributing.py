"""What contributors read names files, sessions, symbols and commands that are here."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import click
import pytest
import yaml

from batchctl.cli.commands import batchctl

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md", ".github/pull_request_template.md")
FORMS = tuple(sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")))
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
LISTS = CONTRIBUTING + (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
HELD_HERE = re.compile(r"^(batchctl|tests|docs|schemas|specs|\.github)/[\w./-]+$|^[\w.-]+\.(md|toml|txt|py)$")


def _spans(name: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", (ROOT / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", PAGES)
def test_each_path_is_there(name: str) -> None:
    paths = {span for span in _spans(name) if HELD_HERE.match(span)}
    links = {link for link in re.findall(r"\]\(([^)#:]+)\)", (ROOT / name).read_text(encoding="utf-8")) if link}
    assert paths | links
    here = (ROOT / name).parent
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []
    assert [link for link in sorted(links) if not (here / link).exists()] == []


def test_each_script_and_session_is_there() -> None:
    commands = re.findall(r"python ([\w/]+\.py)", CONTRIBUTING)
    assert commands
    assert [script for script in commands if not (ROOT / script).is_file()] == []
    noxfile, lanes = (ROOT / "noxfile.py").read_text(), importlib.import_module("tests.check").LANES
    sessions = {*re.findall(r"^def ([a-z]+)\(session", noxfile, re.MULTILINE), *lanes}
    assert {session for session in re.findall(r"nox -s (\w+)", CONTRIBUTING) if session not in sessions} == set()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("batchctl.model.steps", "Create"),
        ("batchctl.reconcile.table", "RULES"),
        ("batchctl.model.reasons", "Reason"),
        ("batchctl.model.keys", "Api"),
        ("batchctl.model.ports.providers", "Provider"),
        ("batchctl.model.codes", "ErrorCode"),
    ],
)
def test_what_is_to_be_extended_is_where_the_lists_say(module: str, name: str) -> None:
    assert hasattr(importlib.import_module(module), name)
    assert f"`{module.replace('.', '/')}.py`" in LISTS


def test_every_part_of_reconcile_that_holds_decisions_is_named() -> None:
    assert {"batchctl/reconcile/rules", "batchctl/reconcile/decide", "batchctl/reconcile/table.py"} <= set(
        _spans("CONTRIBUTING.md")
    )


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_a_form_asks_for_commands_that_exist(path: Path) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    if path.name == "config.yml":
        assert form["blank_issues_enabled"] in {True, False}
        return
    assert {"name", "description", "body"} <= form.keys()
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert len({field["id"] for field in fields}) == len(fields)
    for field in fields:
        named = re.match(r"batchctl (?:--)?([a-z]+)", field["attributes"]["label"])
        assert named is None or named[1] in batchctl.list_commands(click.Context(batchctl)), field["id"]


def test_a_bug_report_asks_for_what_a_maintainer_needs() -> None:
    text = (ROOT / ".github" / "ISSUE_TEMPLATE" / "bug.yml").read_text(encoding="utf-8")
    for asked in ("batchctl --version", "batchctl plan -o json", "batchctl doctor", "SECURITY.md"):
        assert asked in text
