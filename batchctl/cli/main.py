"""Runs a command; every error becomes one clear message and its exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

import click

from batchctl.cli import commands
from batchctl.cli.common import Invocation
from batchctl.cli.start_signals import leaving_while_importing

_HELP = "help"
"""The first word that other command lines have for `--help`: `help plan` is `plan --help`."""

_LEAST_LONG_OPTION = 4
"""Characters of the shortest option with one dash that is no short option with its value."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line and give its exit code."""
    invocation = Invocation.current = Invocation()
    if "_BATCHCTL_COMPLETE" in os.environ:
        import batchctl.cli.shells  # noqa: F401 - registers itself
    for stream in (sys.stdout, sys.stderr):
        # Outside text can have characters that the terminal's encoding does not have.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if list(arguments[:1]) == [_HELP]:
        arguments = [*arguments[1:], "--help"]
    try:
        _require_own_options(arguments)
        code = commands.batchctl.main(list(arguments), "batchctl", standalone_mode=False, obj=invocation)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        # The help has several lines, which an error line would escape.
        sys.stderr.write(f"{error.format_message()}\n")
        return 64
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - a bug is raised again
        # What reports an error is imported only for one.
        with leaving_while_importing():
            from batchctl.cli.failures import report

        return report(error, arguments, invocation)
    return code if isinstance(code, int) else 0


def _require_own_options(arguments: Sequence[str]) -> None:
    """Raise UsageError for Terraform's options with one dash, some of which would be read as `-f` or `-l`."""
    if any(word[:1] == "-" and word[1:2] != "-" and len(word) >= _LEAST_LONG_OPTION for word in arguments):
        with leaving_while_importing():
            from batchctl.cli.translation import answer, is_foreign
        error = answer(arguments) if is_foreign(arguments) else None
        if error is not None:
            raise error
