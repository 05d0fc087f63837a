"""Runs a command; every error becomes one clear message and its exit code."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

import click

from batchctl.cli import commands
from batchctl.cli.common import Invocation
from batchctl.cli.start_signals import leaving_while_importing


def run(arguments: Sequence[str]) -> int:
    """Run one command line and give its exit code."""
    invocation = Invocation()
    for stream in (sys.stdout, sys.stderr):
        # Outside text can have characters that the terminal's encoding does not have.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
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
