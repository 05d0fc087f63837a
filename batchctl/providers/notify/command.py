"""Runs a hook's command for an event: no shell, a time limit, the event on standard input.

The command has batchctl's own rights, so only the operator can allow it, and it gets no credentials. Its output is
discarded.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import HookUnusable, NotDelivered
from batchctl.model.notices import CommandHook, Notice

_PLAIN = frozenset({
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM", "NO_COLOR",
    "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
})  # fmt: skip
"""Variables that programs need and that contain no credentials."""
_PLAIN_PREFIX = "LC_"


@dataclass(frozen=True)
class CommandRunner:
    """Runs commands in the stack's folder. Thread-safe."""

    folder: Path
    is_allowed: bool
    """Whether the operator allows the stack file to run commands."""
    total: float = 30.0
    """Seconds after which a command is killed, together with its child processes."""
    env: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    """batchctl's environment. A command gets its harmless variables, and those that the hook names."""

    def send(self, hook: CommandHook, notice: Notice) -> None:
        """Run the command and wait for its end. Raises NotDelivered and HookUnusable."""
        self._require_allowed(hook)
        env = self._environment(hook)
        try:
            # A process group of its own, so that children can be killed too.
            running = subprocess.Popen(  # noqa: S603 - the operator allowed it
                hook.command,
                cwd=self.folder,
                env=env,
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
        """Check that the command exists and may run. Raises NotDelivered and HookUnusable."""
        self._require_allowed(hook)
        self._environment(hook)
        program = hook.command[0]
        # The system's rule: a path with a slash is relative to the folder, any other name is searched for in PATH.
        if shutil.which(self.folder / program if "/" in program else program) is None:
            raise _not_started(hook, "program not found")

    def _environment(self, hook: CommandHook) -> dict[str, str]:
        """The command's environment: no credentials, unless its hook names them. Raises HookUnusable."""
        missing = [name for name in hook.variables if name not in self.env]
        if missing:
            raise HookUnusable(
                f"{', '.join(missing)} is not set, but the command {hook.command[0]} needs it",
                code=ErrorCode.NO_HOOK_VARIABLE,
                hint="set it, or remove it from the hook's env in the stack file",
            )
        return {
            name: value
            for name, value in self.env.items()
            if name in _PLAIN or name.startswith(_PLAIN_PREFIX) or name in hook.variables
        }

    def _require_allowed(self, hook: CommandHook) -> None:
        if not self.is_allowed:
            raise HookUnusable(
                f"the command {hook.command[0]} is not allowed to run",
                code=ErrorCode.COMMANDS_NOT_ALLOWED,
                hint="if you trust the stack file, set BATCHCTL_ALLOW_COMMANDS=1",
            )

    def _finish(self, running: subprocess.Popen[bytes], hook: CommandHook, body: bytes) -> None:
        try:
            running.communicate(body, timeout=self.total)
        except subprocess.TimeoutExpired as error:
            message = f"the command {hook.command[0]} did not end within {self.total:g} seconds"
            raise NotDelivered(message, hint="let it start the work in the background") from error
        finally:
            # Not after its end: another process may have the number by then.
            if running.returncode is None:
                os.killpg(running.pid, signal.SIGKILL)
        if running.returncode:
            message = f"the command {hook.command[0]} ended with {_status(running.returncode)}"
            raise NotDelivered(message, hint="run it manually with an event on its standard input")


def _not_started(hook: CommandHook, why: str) -> NotDelivered:
    message = f"the command {hook.command[0]} cannot be started: {why}"
    return NotDelivered(message, hint="paths are relative to the stack's folder")


def _status(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"status {code}"
