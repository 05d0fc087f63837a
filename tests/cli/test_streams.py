"""Data goes to standard output, everything else to standard error; formats, colours and logs."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from tests.support.command_line import Cli, Ran, Service, StackFolder, check_schema

ESCAPE = "\x1b["


@pytest.fixture
def three(stack: StackFolder) -> StackFolder:
    for name in ("classify", "summarise", "translate"):
        stack.write_job(name)
    return stack


LOOKS = {
    "plan": ["plan"],
    "apply": ["apply", "--yes"],
    "watch": ["watch"],
    "status": ["status"],
    "drift": ["drift"],
    "cancel": ["cancel", "--all", "--yes"],
    "destroy": ["destroy", "--yes"],
    "validate": ["validate"],
    "describe": ["describe", "classify"],
    "explain": ["explain", "classify"],
    "diff": ["diff", "classify"],
    "version": ["version"],
    "doctor": ["doctor"],
}
SCHEMAS = {"watch": "apply", "cancel": "apply", "destroy": "apply"}


@pytest.mark.parametrize("name", LOOKS)
def test_json_and_yaml_are_one_document_that_fits_its_schema(
    three: StackFolder, cli: Cli, quick: list[float], name: str
) -> None:
    cli.ok("apply", "--yes", "--wait", "-q")
    schema = SCHEMAS.get(name, name)
    ran = cli.ok(*LOOKS[name], "-o", "json")
    check_schema(schema, ran.json)
    assert ran.json["format"] == f"batchctl/{schema}/v1"
    assert ran.out.isascii()
    spelt = yaml.safe_load(cli.ok(*LOOKS[name], "-o", "yaml").out)
    assert spelt.keys() == ran.json.keys()


@pytest.mark.parametrize("command", [["plan"], ["apply", "--yes"], ["status"], ["validate"]], ids=" ".join)
def test_names_are_one_job_a_line(three: StackFolder, cli: Cli, command: list[str]) -> None:
    assert cli.ok(*command, "-o", "name").out == "classify\nsummarise\ntranslate\n"


@pytest.mark.parametrize("command", [["plan"], ["apply", "--yes"], ["status"], ["drift"]], ids=" ".join)
def test_markdown_has_no_bare_markup_of_ours(three: StackFolder, cli: Cli, command: list[str]) -> None:
    out = cli.ok(*command, "-o", "markdown").out
    assert "shop" in out
    assert ESCAPE not in out


def test_progress_is_on_standard_error(three: StackFolder, cli: Cli, quick: list[float]) -> None:
    ran = cli.ok("apply", "--yes", "--wait", "-o", "json")
    check_schema("apply", ran.json)
    assert re.search(r"^\d\d:\d\d:\d\dZ translate: created batches/\S+ \(attempt 1\)$", ran.err, re.MULTILINE)
    assert "results collected: 3 rows ok, 0 failed" in ran.err
    text = cli.ok("apply", "--yes")
    assert "Nothing to do." in text.out
    assert "Nothing to do." not in text.err


def test_quiet_leaves_the_result_and_nothing_else(three: StackFolder, cli: Cli, quick: list[float]) -> None:
    ran = cli.ok("apply", "--yes", "--wait", "-q")
    assert ran.err == ""
    assert "3 done" in ran.out
    assert cli.ok("-q", "plan").err == ""


def test_quiet_still_tells_errors(three: StackFolder, cli: Cli) -> None:
    assert "JobNotFound" in cli("plan", "nothing", "-q").err


def test_json_logs_are_one_object_a_line(three: StackFolder, cli: Cli, quick: list[float]) -> None:
    ran = cli.ok("apply", "--yes", "--wait", "--log-format", "json", "-o", "name")
    lines = [json.loads(line) for line in ran.err.splitlines()]
    assert all({"time", "level", "event", "message"} <= line.keys() for line in lines)
    assert {"planned", "step", "waiting"} == {line["event"] for line in lines}
    assert ran.out == "classify\nsummarise\ntranslate\n"


@pytest.mark.parametrize(
    ("arguments", "env", "coloured"),
    [
        ([], {}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colours(
    three: StackFolder,
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    env: dict[str, str],
    coloured: bool,
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    plan: Ran = cli.ok("plan", *arguments)
    assert (ESCAPE in plan.out) is coloured
    assert (ESCAPE in cli("plan", "nothing", *arguments).err) is coloured
    assert ESCAPE not in cli.ok("plan", "-o", "json", *arguments).out


def test_verbose_says_more(three: StackFolder, cli: Cli, service: Service) -> None:
    cli.ok("apply", "--yes")
    assert "classify" not in cli.ok("diff", "translate").out
    plain, verbose = cli.ok("status").out, cli.ok("status", "-v").out
    remote = service.of("classify")[0]["name"]
    assert remote not in plain
    assert remote in verbose


def test_text_from_outside_cannot_act_on_a_terminal(stack: StackFolder, cli: Cli, service: Service) -> None:
    nasty = "\x1b]0;owned\x07 ::error::x"
    stack.write_job("translate", extraBody={"priority": nasty})
    ran = cli("apply", "--yes", "-v")
    assert ran.code == 4
    assert "\x1b" not in ran.out + ran.err
    assert "\x07" not in ran.out + ran.err
    assert not re.search(r"^::", ran.out + ran.err, re.MULTILINE)
