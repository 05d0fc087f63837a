"""Runs one command of the user's for a notice: no shell, a time limit, the event on its standard input.

It runs with batchctl's own rights and environment, which is why only the operator can allow it. What it prints goes
nowhere: it keeps a log of its own if it wants one.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import HookUnusable, NotDelivered
from batchctl.model.notices import CommandHook, Notice


@dataclass(frozen=True)
class CommandRunner:
    """Runs commands in the stack's folder. Safe for threads."""

    folder: Path
    is_allowed: bool
    """Whether the operator lets the stack file name commands."""
    total: float = 30.0
    """Seconds after which a command is killed, with all that it started."""

    def send(self, hook: CommandHook, notice: Notice) -> None:
        """Run it to its end. Raises NotDelivered and HookUnusable."""
        self._require_allowed(hook)
        try:
            # A group of its own, so that all of it can be ended.
            running = subprocess.Popen(  # noqa: S603 - the operator allowed it
                hook.command,
                cwd=self.folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                process_group=0,
            )
        except (OSError, ValueError) as error:
            raise _not_started(hook, getattr(error, "strerror", None) or str(error)) from error
        with running:
            self._finish(running, hook, notice.body.encode())

    def check(self, hook: CommandHook) -> None:
        """Look whether it may run, and is there. Raises NotDelivered and HookUnusable."""
        self._require_allowed(hook)
        program = hook.command[0]
        # As the system does it: what has a slash starts from the folder, all else is looked for in PATH.
        if shutil.which(self.folder / program if "/" in program else program) is None:
            raise _not_started(hook, "there is no such program")

    def _require_allowed(self, hook: CommandHook) -> None:
        if not self.is_allowed:
            raise HookUnusable(
                f"the command {hook.command[0]} is not allowed to run",
                code=ErrorCode.COMMANDS_NOT_ALLOWED,
                hint="if you trust the stack file: BATCHCTL_ALLOW_COMMANDS=1",
            )

    def _finish(self, running: subprocess.Popen[bytes], hook: CommandHook, body: bytes) -> None:
        try:
            running.communicate(body, timeout=self.total)
        except subprocess.TimeoutExpired as error:
            message = f"the command {hook.command[0]} did not end within {self.total:g} seconds"
            raise NotDelivered(message, hint="let it hand the work on") from error
        finally:
            # Not after its end: its number may be another's by then.
            if running.returncode is None:
                os.killpg(running.pid, signal.SIGKILL)
        if running.returncode:
            message = f"the command {hook.command[0]} ended with {_status(running.returncode)}"
            raise NotDelivered(message, hint="run it by hand, with an event on its standard input")


def _not_started(hook: CommandHook, why: str) -> NotDelivered:
    message = f"the command {hook.command[0]} cannot be started: {why}"
    return NotDelivered(message, hint="paths start from the stack's folder")


def _status(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"status {code}"
