"""Reports the error that ended a command: its message and its exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from batchctl.cli.aimed_hints import aim
from batchctl.cli.common import Common, Invocation
from batchctl.cli.github import annotate_error
from batchctl.cli.output import show_error, write_document
from batchctl.cli.start_signals import asks_for_json_log
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError, StoppedError, UsageError
from batchctl.model.exhaustion import exhausted


def report(error: BaseException, arguments: Sequence[str], invocation: Invocation) -> int:
    """Report an error and give its exit code. Raises it if it is a bug."""
    if asks_for_json_log(arguments):
        # It may have failed before its options were read.
        invocation.common = (invocation.common or Common())._replace(log_format="json")
    problem = _problem(error, arguments, invocation)
    try:
        if problem is not None:
            return _report(problem, invocation)
    except OSError as failed:
        # Standard output, which gets the document of an error, cannot be written.
        error = failed
    if isinstance(error, OSError):
        return _report_system_error(error, invocation)
    raise error


def _problem(error: BaseException, arguments: Sequence[str], invocation: Invocation) -> BatchctlError | None:
    """The error as one of ours; None if it is an error of the system or a bug."""
    match error:
        case BatchctlError():
            return _without_kinds(error, arguments)
        case click.UsageError():
            from batchctl.cli.translation import answer  # for a wrong command line

            invocation.output = _output_named(arguments)
            return answer(arguments) or _usage(error, arguments)
        case click.ClickException():
            return UsageError(error.format_message())
        case click.Abort() | KeyboardInterrupt():
            return StoppedError("interrupted", hint="the state is consistent: run the same command again")
        case MemoryError():
            return exhausted(error) or BatchctlError(str(error))
        case OSError():
            return exhausted(error)
        case _:
            return None


def _report_system_error(error: OSError, invocation: Invocation) -> int:
    # Otherwise Python writes the rest when it closes standard output, and fails again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        # The reader has closed the pipe, as `| head` does.
        return 1
    where = f" ({error.filename})" if error.filename else ""
    failure = BatchctlError(
        f"{error.strerror or error}{where}", code=ErrorCode.SYSTEM, hint="free disk space, or fix the permissions"
    )
    show_error(failure, invocation.common or Common())
    return failure.exit_code


def _without_kinds(error: BatchctlError, arguments: Sequence[str]) -> BatchctlError:
    """The error, with kubectl's `job NAME` and `job/NAME` put right."""
    if error.code != ErrorCode.JOB_NOT_FOUND:
        return error
    from batchctl.cli.translation import without_kinds

    command = without_kinds(arguments)
    return error if command is None else BatchctlError(error.message, code=error.code, hint=f"`{command}`")


def _usage(error: click.UsageError, arguments: Sequence[str]) -> UsageError:
    from batchctl.cli.translation import own_commands

    # An option without its value is found before there is a context.
    named = [word for word in arguments if word in own_commands()][:1]
    command = error.ctx.command_path if error.ctx else " ".join(["batchctl", *named])
    # click writes some messages over several lines.
    return UsageError(" ".join(error.format_message().split()), hint=f"`{command} --help` shows its usage")


def _output_named(arguments: Sequence[str]) -> str:
    """The `-o` of an invalid command line, so that its errors have the requested format."""
    for word, following in zip(arguments, [*arguments[1:], ""], strict=True):
        value = following if word in {"-o", "--output"} else word.removeprefix("--output=").removeprefix("-o")
        if word.startswith(("-o", "--output")) and value in {"json", "yaml"}:
            return value
    return "text"


def _report(error: BatchctlError, invocation: Invocation) -> int:
    """Report an error: text on standard error, a document on standard output, and annotations in a workflow."""
    common = invocation.common or Common()
    aim(error, common)
    if invocation.output in {"json", "yaml"}:
        from batchctl.report.error_document import error_document  # loaded before, see `batchctl.cli.common`

        write_document(invocation.output, error_document(error))
    show_error(error, common)
    annotate_error(error)
    return error.exit_code
