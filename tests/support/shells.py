"""An interactive shell on a terminal of its own, in which tests type and press the Tab key."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

_DEADLINE = 60
"""Seconds without a byte after which a test fails."""
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>()][A-Z0-9]?|\r|\x07|\x0f")


class Shell:
    """A shell that reads from a terminal. It prints `READY` when it waits for a line."""

    def __init__(self, command: Sequence[str], folder: Path, env: Mapping[str, str]) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, cwd=folder, env={**env}, start_new_session=True
        )
        os.close(slave)
        self._seen = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def type(self, text: str) -> None:
        """Type characters."""
        os.write(self._master, text.encode())

    def until(self, pattern: str) -> str:
        """Wait until the screen shows this, and give what was shown since the last wait."""
        while not (found := re.search(pattern, self._seen)):
            ready, _, _ = select.select([self._master], [], [], _DEADLINE)
            assert ready, f"{pattern!r} did not appear: {self._seen!r}"
            data = os.read(self._master, 65536).decode(errors="replace")
            self._seen += _CONTROL.sub("", data)
        shown, self._seen = self._seen[: found.end()], self._seen[found.end() :]
        return shown

    def complete(self, line: str, expected: str) -> None:
        """Type a line, press Tab, and wait for the line that the shell has then. It is removed again."""
        self.type(line + "\t")
        self.until(re.escape(expected))
        self.type("\x15")
