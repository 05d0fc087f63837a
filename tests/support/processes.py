"""Command lines as processes, forked from one that has batchctl imported already (`fork_server`)."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.bundles import replay_all
from tests.support.patience import PATIENCE

SERVER = Path(__file__).with_name("fork_server.py")


@dataclass(frozen=True)
class Death:
    """How a process is to end early: at which boundary, counted from 0, and by which signal: kill or stop."""

    at: int
    how: str = "kill"


@dataclass(frozen=True)
class Ended:
    """How a process ended, or that it stopped. `trace` are the boundaries that it crossed, or the ways out that it took."""

    code: int | None
    out: str
    err: str
    trace: tuple[str, ...]
    stopped: bool = False
    memory: int = 0
    """The most bytes that it had in memory."""

    @property
    def was_killed(self) -> bool:
        return self.code == -signal.SIGKILL


class Process:
    """One command line that runs."""

    def __init__(self, forks: Forks, pid: int, files: Mapping[str, Path]) -> None:
        self._forks = forks
        self.files = files
        self.pid = pid
        self.is_over = False

    def wait(self, *, crashes: bool = False) -> Ended:
        """Wait for its end, or for its stop. Only a process that `crashes` may show a traceback."""
        told = self._forks.ask("wait", self.pid)
        self.is_over = "stopped" not in told
        if self.is_over:
            replay_all(self.files["box"])
        code = told.get("code", -told["signal"] if "signal" in told else None)
        texts = {name: path.read_text() if path.exists() else "" for name, path in self.files.items() if name != "box"}
        assert crashes or "Traceback" not in texts["err"], texts["err"][-3000:]
        assert not code or code > 0 or code == -signal.SIGKILL, f"signal {-code}: {texts['err']}"
        trace, memory = tuple(texts["trace"].splitlines()), told.get("memory", 0)
        return Ended(code, texts["out"], texts["err"], trace, stopped=not self.is_over, memory=memory)

    def send(self, number: signal.Signals) -> None:
        self._forks.ask("send", [self.pid, number])

    def go_on(self) -> Ended:
        """Let a stopped process run to its end."""
        self.send(signal.SIGCONT)
        return self.wait()


class Forks:
    """The fork server. Its processes write to numbered files in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = subprocess.Popen(
            [sys.executable, SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._begun: list[Process] = []

    def ask(self, what: str, given: Any) -> Any:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps([what, given]) + "\n")
        self._server.stdin.flush()
        return json.loads(self._server.stdout.readline())

    def start(
        self,
        *arguments: str,
        cwd: Path,
        env: Mapping[str, str],
        clock: str | None = None,
        pace: float = 0.0,
        death: Death | None = None,
        logged: bool = False,
        bug: bool = False,
        recorded: bool = False,
        quick_leases: bool = False,
    ) -> Process:
        """Start a command line. `clock` is the emulator whose clock stands in for the real one; `logged` writes down
        whom it calls and what it starts, in place of its boundaries; with a `bug` its first call that has credentials raises;
        `recorded`: each decision is made again from its bundle when the process is over;
        `quick_leases` are of two seconds, for processes that sleep through them."""
        files = {name: self._folder / f"{len(self._begun)}.{name}" for name in ("out", "err", "trace", "box")}
        recording = ("--record", str(files["box"])) if recorded else ()
        case = {
            "args": (*arguments, *recording),
            "cwd": str(cwd),
            "env": dict(env),
            "out": str(files["out"]),
            "err": str(files["err"]),
            "trace": None if logged else str(files["trace"]),
            "log": str(files["trace"]) if logged else None,
            "at": death.at if death else None,
            "how": death.how if death else "kill",
            "bug": bug,
            "quickLeases": quick_leases,
            "clock": clock,
            "pace": pace,
        }
        process = Process(self, self.ask("run", case), files)
        self._begun.append(process)
        return process

    def end_all(self) -> None:
        """Kill what a failed test left running or stopped."""
        for process in self._begun:
            if not process.is_over:
                process.send(signal.SIGKILL)
                self.ask("wait", process.pid)
                process.is_over = True

    def close(self) -> None:
        self.end_all()
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.close()
        self._server.wait(PATIENCE)
        self._server.stdout.close()
