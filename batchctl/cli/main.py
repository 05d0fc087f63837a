"""Runs a command and turns every error into one clear message and its exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

import click

from batchctl.cli import commands
from batchctl.cli.common import Common, Invocation
from batchctl.cli.output import stderr_console
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError, StoppedError, UsageError
from batchctl.model.exhaustion import exhausted
from batchctl.report.documents import to_json, to_yaml
from batchctl.report.error_document import error_document
from batchctl.report.error_text import write_error
from batchctl.report.workflow import error_annotations


def run(arguments: Sequence[str]) -> int:
    """Run one command line and give its exit code."""
    invocation = Invocation()
    for stream in (sys.stdout, sys.stderr):
        # Outside text can have characters that the terminal's encoding does not have.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run(arguments, invocation)
    except MemoryError as error:
        return _report(exhausted(error) or BatchctlError(str(error)), invocation)
    except OSError as error:
        problem = exhausted(error)
        if problem is not None:
            return _report(problem, invocation)
        # Otherwise Python writes the rest when it closes standard output, and fails again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            # The reader has closed the pipe, as `| head` does.
            return 1
        where = f" ({error.filename})" if error.filename else ""
        failure = BatchctlError(
            f"{error.strerror or error}{where}", code=ErrorCode.SYSTEM, hint="free disk space, or fix the permissions"
        )
        write_error(failure, stderr_console(invocation.common or Common()))
        return failure.exit_code


def _run(arguments: Sequence[str], invocation: Invocation) -> int:
    try:
        code = commands.batchctl.main(list(arguments), "batchctl", standalone_mode=False, obj=invocation)
    except click.exceptions.NoArgsIsHelpError as error:
        # The help has several lines, which an error line would escape.
        sys.stderr.write(f"{error.format_message()}\n")
        return UsageError.exit_code
    except click.UsageError as error:
        invocation.output = _output_named(arguments)
        return _report(_usage(error), invocation)
    except click.ClickException as error:
        return _report(UsageError(error.format_message()), invocation)
    except (click.Abort, KeyboardInterrupt):
        return _report(StoppedError("interrupted", hint="run the command again"), invocation)
    except BatchctlError as error:
        return _report(error, invocation)
    sys.stdout.flush()
    return code if isinstance(code, int) else 0


def _usage(error: click.UsageError) -> UsageError:
    command = error.ctx.command_path if error.ctx else "batchctl"
    return UsageError(error.format_message(), hint=f"`{command} --help` shows its usage")


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
    if invocation.output == "json":
        sys.stdout.write(to_json(error_document(error)))
    elif invocation.output == "yaml":
        sys.stdout.write(to_yaml(error_document(error)))
    write_error(error, stderr_console(common), verbose=common.verbose)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        sys.stderr.write("".join(f"{line}\n" for line in error_annotations(error)))
    return error.exit_code
