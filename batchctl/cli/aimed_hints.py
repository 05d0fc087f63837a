"""Commands in hints get the `--target` of this run: pasted without it, they would act on the default target."""

from __future__ import annotations

import os
import re
import shlex

from batchctl.cli.common import Common
from batchctl.model.errors import BatchctlError

_COMMAND = re.compile(r"`(batchctl (?!emulator|init|schema|version|completion|help|-)[^`]+)`")


def aim(error: BatchctlError, common: Common) -> None:
    """Put the target into the commands of an error's hint, unless the environment has it for the next command, too."""
    target = common.target
    if target is None or target == os.environ.get("BATCHCTL_TARGET"):
        return

    def aimed(match: re.Match[str]) -> str:
        command = match[1]
        has_it = " --target" in command or " --help" in command
        return match[0] if has_it else f"`{command} --target {shlex.quote(target)}`"

    error.hint = _COMMAND.sub(aimed, error.hint)
