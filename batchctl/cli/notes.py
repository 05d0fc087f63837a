"""Sentences on standard error beside a command's result: text, or a line of the log with `--log-format json`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from batchctl.cli.common import Invocation

if TYPE_CHECKING:  # for logs in JSON alone
    from batchctl.report.log import JsonLog


def note(message: str, job: str | None = None) -> None:
    """Something that was done, or is waited for."""
    _say("info", "note", message, job)


def warn(message: str, job: str | None = None) -> None:
    """Something that a person should look at."""
    _say("warning", "warning", message, job)


def json_log() -> JsonLog | None:
    """The log of this process; None if it is text."""
    invocation = Invocation.current
    if invocation is None or invocation.common is None or invocation.common.log_format != "json":
        return None
    if invocation.log is None:
        from batchctl.engine.clock import SystemClock
        from batchctl.report.log import JsonLog, LogHead

        head = LogHead(invocation.run, invocation.command)
        invocation.log = JsonLog(sys.stderr, SystemClock().now, head)
    return invocation.log


def name_stack(name: str) -> None:
    """Let later lines of the log have the name of the stack."""
    log = json_log()
    if log is not None:
        log.head.stack = name


def _say(level: str, event: str, message: str, job: str | None) -> None:
    log = json_log()
    if log is not None:
        from batchctl.report.log import Level

        log.write(Level(level), event, message, job=job)
        return
    from batchctl.report.escape import terminal

    prefix = "warning: " if level == "warning" else ""
    click.echo(f"{prefix}{terminal(message)}", err=True)
