"""Commands in messages get the options of this run: pasted without them, they would act on another stack or target."""

from __future__ import annotations

import os
import re
import shlex
from typing import Any, TextIO, cast

from batchctl.cli.common import Common
from batchctl.model.errors import BatchctlError, UsageError
from batchctl.model.pattern import Pattern

_BEGIN = "`batchctl "
_COMMAND = Pattern(r"`(batchctl (?!emulator|init|schema|version|completion|help|-)[^`\n]+)`")


def aim(error: BatchctlError, common: Common) -> None:
    """Put the options into the commands of an error's hint."""
    error.hint = aimed(error.hint, common)


def aimed(text: str, common: Common) -> str:
    """A text whose commands have the options of this run, except for those that the environment gives the next one.

    The value of `--set` may be a part of a prompt, and so only its name is shown.
    """
    options = _options(common) if _BEGIN in text else ()
    if not options:
        return text

    def with_options(match: re.Match[str]) -> str:
        command = match[1]
        if " --help" in command:
            return match[0]
        words = command.split()
        missing = (f"{name} {value}" for name, value in options if name not in words)
        return f"`{' '.join((command, *missing))}`"

    return _COMMAND.sub(with_options, text)


def _options(common: Common) -> list[tuple[str, str]]:
    """The options that select the stack, as words of a shell."""
    given = (
        ("-C", common.chdir, "BATCHCTL_CHDIR"),
        ("--config", common.config, "BATCHCTL_CONFIG"),
        ("--state", common.state, "BATCHCTL_STATE"),
        ("--target", common.target, "BATCHCTL_TARGET"),
    )
    found = [
        (option, shlex.quote(value))
        for option, value, variable in given
        if value is not None and value != os.environ.get(variable)
    ]
    return found + [("--set", f"{text.partition('=')[0]}=…") for text in common.set_values]


def refuse_stack_options(common: Common, command: str) -> None:
    """Raise UsageError for a given option that selects a stack, for a command that reads none."""
    given = [name for name, _ in _options(common) if name != "-C"]
    if given:
        raise UsageError(f"{command} reads no stack, so {given[0]} has no effect", hint="leave it out")


class AimedStream:
    """A text stream that puts the options of this run into the commands that are written to it."""

    def __init__(self, stream: TextIO, common: Common) -> None:
        self._stream, self._common = stream, common

    def write(self, text: str) -> int:
        """Write a text."""
        return self._stream.write(aimed(text, self._common))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        return getattr(self._stream, name)


def aimed_stream(stream: TextIO, common: Common) -> TextIO:
    """The stream, or one that puts the options of this run into commands."""
    return cast("TextIO", AimedStream(stream, common)) if _options(common) else stream
