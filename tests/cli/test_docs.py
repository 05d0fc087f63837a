"""The pages about the command line say what the command line is."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator

import click
import pytest

from batchctl.cli.commands import batchctl
from tests.support.command_line import ROOT, Cli, StackFolder

PAGE = ROOT / "docs" / "commands.md"
COMMANDS = batchctl.list_commands(click.Context(batchctl))


def of(name: str) -> click.Command:
    found = batchctl.get_command(click.Context(batchctl), name)
    assert found is not None
    return found


def all_commands(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """The commands of a group and of its groups, each with its path."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from all_commands(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


def test_the_page_of_commands_is_current() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "generate_commands.py"))["commands_page"]()
    assert PAGE.read_text(encoding="utf-8") == page, "run python docs/generate_commands.py"


def test_every_command_of_the_help_has_its_section(cli: Cli) -> None:
    listed = re.findall(r"^  ([a-z]+)  ", cli.ok("--help").out.partition("Commands:")[2], re.MULTILINE)
    assert listed == COMMANDS
    sections = re.findall(r"^## `batchctl ([a-z]+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert list(dict.fromkeys(sections)) == COMMANDS


@pytest.mark.parametrize(
    "group", [[], ["state"], ["state", "lock"], ["emulator"]], ids=lambda group: " ".join(group) or "batchctl"
)
def test_no_summary_of_a_command_is_cut_at_80_columns(cli: Cli, group: list[str]) -> None:
    listed = cli.ok(*group, "--help").out.partition("Commands:")[2]
    assert listed
    assert [line for line in listed.splitlines() if line.endswith("...")] == []


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 5, 6, 7, 64, 65, 130])
def test_every_exit_code_is_on_the_page(code: int) -> None:
    assert f"\n| {code} | " in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_every_option_has_a_help_text(cli: Cli, command: str) -> None:
    shown = cli.ok(command, "--help")
    assert shown.out.startswith(f"Usage: batchctl {command}")
    found = of(command)
    assert found.help
    options = [option for option in found.params if isinstance(option, click.Option)]
    assert all(option.help for option in options)


@pytest.mark.parametrize("page", ["README.md", "docs/guide.md", "docs/from-a-script.md"])
def test_pages_use_commands_and_options_that_there_are(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for command, rest in re.findall(r"^batchctl ([a-z]+)([^#\n]*)", text, re.MULTILINE):
        assert command in COMMANDS
        known = {name for option in of(command).params for name in option.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known, command


@pytest.mark.parametrize("target", ["dev", "prod"])
def test_the_stack_file_of_its_page_is_valid(stack: StackFolder, cli: Cli, target: str) -> None:
    page = (ROOT / "docs" / "stack-file.md").read_text(encoding="utf-8")
    shown = page.partition("```yaml\n")[2].partition("```")[0]
    stack.write_job("classify-tickets", provider="local")
    (stack.path / "batchctl.yaml").write_text(re.sub("(?m)^  prices:.*\n", "", shown), encoding="utf-8")
    assert "ok: 1 job in stack support-" in cli.ok("validate", "--target", target).out


def test_no_option_of_a_command_takes_the_place_of_a_common_one() -> None:
    common = {option.name for option in batchctl.params}
    for path, command in all_commands(batchctl):
        names = [option.name for option in command.params]
        assert len(names) == len(set(names)), path
        assert common - {"version"} <= set(names), path
