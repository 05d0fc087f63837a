"""The program on a real pseudo-terminal, whose bytes a terminal emulator shows: keys, another size, signals."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.support.command_line import LONG, Cli, Service, StackFolder
from tests.support.held_calls import held
from tests.support.patience import PATIENCE
from tests.support.terminal_emulator import TerminalEmulator

CTRL_C = b"\x03"
_PROGRAM = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); from batchctl.cli import main; main()"
"""The program with this terminal as that of its session: Ctrl-C reaches it and nobody else."""


class Session:
    """A program on a terminal, from its start to its end."""

    def __init__(self, arguments: tuple[str, ...], columns: int, lines: int) -> None:
        self.terminal = TerminalEmulator(columns, lines)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._master, slave = pty.openpty()
        self._set_size(columns, lines)
        fixed = {"COLUMNS", "LINES", "NO_COLOR", "CI"}
        env = {name: value for name, value in os.environ.items() if name not in fixed} | {"TERM": "xterm-256color"}
        self._child = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=env,
            start_new_session=True,
        )
        os.close(slave)

    def close(self) -> None:
        self._child.kill()
        self._child.wait()
        os.close(self._master)

    def press(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def resize(self, columns: int, lines: int) -> None:
        """Another size, as a window manager gives it."""
        self.terminal.screen.resize(lines, columns)
        self._set_size(columns, lines)

    def _set_size(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def see(self, holds: Callable[[str], bool]) -> str:
        """The screen as soon as something holds of it."""
        deadline = time.monotonic() + PATIENCE
        while not holds(self.terminal.text()):
            assert time.monotonic() < deadline, self.terminal.text()
            assert self._read(0.2), f"it ended: {self.terminal.text()}"
        return self.terminal.text()

    def end(self) -> int:
        """The exit code; what is left is read."""
        deadline = time.monotonic() + PATIENCE
        while self._read(0.2):
            assert time.monotonic() < deadline, self.terminal.text()
        return self._child.wait(PATIENCE)

    def _read(self, seconds: float) -> bool:
        """Show what comes; whether there may be more."""
        if not select.select([self._master], [], [], seconds)[0]:
            return True
        try:
            found = os.read(self._master, 65536)
        except OSError:
            # Linux: the last process that had the terminal has ended.
            return False
        # The driver of the terminal has made CR LF already.
        self.terminal.feed(self._decoder.decode(found))
        return bool(found)


@contextmanager
def on_terminal(*arguments: str, columns: int = 100, lines: int = 24) -> Iterator[Session]:
    session = Session(arguments, columns, lines)
    try:
        yield session
    finally:
        session.close()


def test_watch_follows_the_window_and_ctrl_c_leaves_a_clean_terminal(
    stack: StackFolder, cli: Cli, service: Service
) -> None:
    service.rules(LONG)
    for name in ("translate-fr", "translate-de"):
        stack.write_job(name)
    cli.ok("apply", "--yes")
    with on_terminal("watch") as session:
        wide = session.see(lambda screen: "next check in" in screen)
        assert "REASON" in wide
        assert not session.terminal.is_restored
        session.resize(40, 24)
        narrow = session.see(lambda screen: "REASON" not in screen)
        assert narrow.count("translate-de") == narrow.count("PHASE") == 1
        session.press(CTRL_C)
        assert session.end() == 130
        assert session.terminal.is_restored
        assert "PHASE" not in session.terminal.text().split("Stack ")[0]
        assert "interrupted; the state is consistent" in session.terminal.text()
        assert "error" not in session.terminal.text()


def test_a_second_ctrl_c_gives_the_terminal_back_too(stack: StackFolder, cli: Cli, service: Service) -> None:
    service.rules(LONG)
    stack.write_job("translate-fr")
    service.faults(held("batches.create", "after"))
    with on_terminal("watch", "--yes") as session:
        session.see(lambda screen: "batches.create at" in screen)
        session.press(CTRL_C)
        session.see(lambda screen: "stopping: finishing what is in flight" in screen)
        session.press(CTRL_C)
        assert session.end() == 130
        assert session.terminal.is_restored


def test_status_stays_on_the_screen(stack: StackFolder, cli: Cli, service: Service) -> None:
    service.rules(LONG)
    stack.write_job("translate-fr")
    cli.ok("apply", "--yes")
    with on_terminal("status", "-w") as session:
        session.see(lambda screen: "next check in" in screen)
        session.press(CTRL_C)
        assert session.end() == 130
        assert session.terminal.is_restored
        assert "  translate-fr  Active" in session.terminal.text()
        assert "^C" not in session.terminal.text()


def test_a_refusal_is_said_once(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
    stack.write_job("translate-fr")
    cli.ok("apply", "--yes", "--wait")
    words = "translate-fr cannot be retried"
    piped = cli("retry", "translate-fr", "--yes")
    assert (piped.code, piped.out.count(words), piped.err.count(f"error: RetryRefused {words}")) == (6, 1, 1)
    with on_terminal("retry", "translate-fr") as session:
        assert session.end() == 6
        assert session.terminal.text().count(words) == 1
