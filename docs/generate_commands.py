"""Writes docs/commands.md from the command line itself: `python docs/generate_commands.py`. A test holds it current."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from batchctl.cli.commands import batchctl
from batchctl.cli.common import Common

PAGE = Path(__file__).with_name("commands.md")
_COMMON = frozenset(Common._fields)
_HEAD = """\
# Commands

Generated from `batchctl --help` by `python docs/generate_commands.py`; do not edit it by hand.

Every command accepts the common options, before or after its name. Data goes to standard output, everything else to
standard error: see [output.md](output.md).

Commands that take names of jobs take `-f` and `-l`, too. They narrow each other: `describe -l team=search -f jobs/ads`
shows the jobs below `jobs/ads` that have the label. A removed job is found by its recorded path and labels.

Commands and options of kubectl and Terraform, such as `get`, `logs`, `taint`, `-auto-approve` and `-target=`, are
answered with the command of batchctl to paste (exit 64). They are never carried out.
"""
_EXITS = """\
## Exit codes

| exit | meaning |
| --- | --- |
| 0 | done; nothing pending |
| 1 | error |
| 2 | changes: an action is pending (`plan --detailed-exitcode`), or a manifest differs (`diff --exit-code`) |
| 3 | drift found (`drift`) |
| 4 | a job in scope failed or cannot go on (`watch`, `wait`, every `apply`; 0 with `--allow-failed`) |
| 5 | the state is locked |
| 6 | refused by a guard (also in `plan`) |
| 7 | not yet: `--timeout` expired, results are not there, or a create call was not sent or has no known outcome |
| 64 | wrong usage |
| 65 | invalid manifest or stack file |
| 130 | interrupted; the state is consistent |

If several apply, the first of these counts: 130, 64, 65, 5, 6, 1, 4, 7, 3, 2. Each error line on standard error stands
for one of them, and the last line for the one that counts.

**4** depends on the phases of the jobs after the run, so it is the same in every run, not only in the one that finds
the failure: `Failed`, `Expired`, `Rejected`, `ResultsLost`, `Cancelled`, and `Blocked`, which waits for such a job. A
job that `batchctl cancel` stopped counts only for commands that wait for the end of jobs: `watch` and `apply --wait`. A
create call that the API refuses for good also gives 4. 1 is for errors that a later run may not have.

**7** means that a later run continues: the API had no quota for a job (429), the account of a job that has to be
created cannot be read (together with 1), or the outcome of a create call is not known yet.
"""


def commands_page() -> str:
    """The whole page."""
    root = click.Context(batchctl, info_name="batchctl", color=False)
    sections = [_HEAD, _section("Common options", _options(root, of_common=True))]
    sections += [_command(command, context) for command, context in _walk(batchctl, root)]
    return "\n".join([*sections, _EXITS])


def _walk(group: click.Group, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """All commands that do something, in the order of the help, those of groups included."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, parent=context, info_name=name, color=False)
        if isinstance(command, click.Group):
            yield from _walk(command, inner)
        else:
            yield command, inner


def _command(command: click.Command, context: click.Context) -> str:
    usage = command.get_usage(context).removeprefix("Usage: ")
    about = "\n\n".join(" ".join(part.split()) for part in (command.help or "").split("\n\n"))
    body = f"    {' '.join(usage.split())}\n\n{about}\n"
    options = _options(context, of_common=False)
    return _section(f"`{context.command_path}`", f"{body}\n{options}" if options else body)


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}"


def _options(context: click.Context, *, of_common: bool) -> str:
    options = [option for option in context.command.params if isinstance(option, click.Option)]
    records = [(option, option.get_help_record(context)) for option in options if (option.name in _COMMON) is of_common]
    rows = [
        f"| `{_cell(record[0])}` | {_cell(record[1])}{_environment(option)} |\n" for option, record in records if record
    ]
    if not rows:
        return ""
    return "".join(["| option | meaning |\n| --- | --- |\n", *rows])


def _environment(option: click.Option) -> str:
    return f" Environment: `{option.envvar}`." if option.envvar else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(commands_page(), encoding="utf-8")
