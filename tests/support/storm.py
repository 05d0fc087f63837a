"""A kill storm: real processes of the command against a served emulator, while the manifests and the world change.

What happens is drawn from a seed; when exactly a signal strikes is the machine's affair. Judged is by what the service
says of its jobs and by the results folder alone: batchctl's own state is never asked.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.apis import APIS, STACK, UID, ApiCase
from tests.support.command_line import PROGRAM, ROOT
from tests.support.long_mode import effort
from tests.support.patience import PATIENCE
from tests.support.storm_stack import StormStack
from tests.support.storm_verdict import Figures, judge
from tests.support.workplace import Caller

LAG = "1s"
NAMES = tuple(f"job{number}" for number in range(effort(3, 12)))
MOST_AT_ONCE = 3
FLAGS = ("--yes", "--allow-empty", "--max-replace", "99", "--max-delete", "99", "--new-state")
COMMANDS = (
    ("apply", *FLAGS),
    ("apply", *FLAGS, "--lock-timeout", "5s"),
    ("apply", *FLAGS, "--wait", "--timeout", "15s"),
    ("watch", *FLAGS, "--timeout", "15s", "--poll-max", "1s", "--lock-timeout", "5s"),
    ("watch", *FLAGS, "--forever", "--poll-max", "1s"),
    ("watch", *FLAGS, "--once"),
    ("plan", "--allow-empty"),
    ("status",),
    ("drift",),
)
RENAME_FLAG = "--yes-rename-as-new"
RULES = [
    {"match": {"displayName": "*job0*"}, "pending": "0s", "running": "5s"},
    {"match": {"displayName": "*job1*"}, "pending": "2s", "running": "1s", "fate": "cancelSlow"},
    {"pending": "0s", "running": "2s"},
]


@contextmanager
def serve_emulator(folder: Path) -> Iterator[Caller]:
    """`batchctl emulator serve` as a process of its own."""
    command = [*PROGRAM, "emulator", "serve", "--port", "0", "--data", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    service = Caller(process.stdout.readline().strip().partition("=")[2])
    try:
        yield service
    finally:
        service.close()
        process.terminate()
        process.communicate(timeout=PATIENCE)


class Storm:
    """One storm over one stack."""

    def __init__(self, folder: Path, service: Caller, api: ApiCase, seed: int) -> None:
        self.folder = folder
        self.service = service
        self.api = api
        self.chance = random.Random(f"{seed} {api.name}")
        self.figures = Figures()
        self._names = iter(f"job{number}x" for number in range(10_000))
        self._stack = StormStack(folder, api)
        self._running: list[subprocess.Popen[bytes]] = []
        self._stopped: list[subprocess.Popen[bytes]] = []
        self._log = (folder / "stderr.log").open("ab")
        self._flags = (RENAME_FLAG,) if RENAME_FLAG in _help("apply") else ()
        self._kinds = _fault_kinds()

    def close(self) -> None:
        for process in [*self._running, *self._stopped]:
            process.kill()
            process.wait()
        self._log.close()

    # --- the course of a storm

    def begin(self) -> None:
        """A service with other people's jobs, and a stack whose manifests nobody has applied."""
        self.service.reset()
        if self.api.seed:
            self._seed()
        for stack, uid in (("", ""), (STACK, "zzzzzz"), ("shoe", UID)):
            self.service.send(*self.api.foreign(stack, uid))
        self.service.rules(*RULES)
        self._stack.begin(NAMES)
        self._weather()

    def rage(self, steps: int) -> None:
        """So many things happen, one after the other."""
        happenings: dict[Callable[[], None], int] = {
            self._start: 10,
            self._kill: 5,
            self._terminate: 1,
            self._stop: 2,
            self._go_on: 2,
            self._edit: 3,
            self._relabel: 1,
            self._remove: 1,
            self._bring_back: 1,
            self._rename: 2,
            self._move_clock: 1,
            self._weather: 1,
        }
        for _ in range(steps):
            (happening,) = self.chance.choices(list(happenings), list(happenings.values()))
            happening()
            time.sleep(self.chance.uniform(0.0, 0.6))
            self._reap()

    def come_to_rest(self) -> None:
        """No more signals and faults; the command is run until all has ended."""
        for process in self._stopped:
            process.send_signal(signal.SIGCONT)
        self._running += self._stopped
        self._stopped = []
        for process in self._running:
            process.terminate()
        for process in self._running:
            process.wait(timeout=120)
        self._reap()
        self.service.faults({"method": f"{self.api.methods}.list", "kind": "listLag", "delay": LAG})
        for _ in range(8):
            self.service.advance("30s")
            words = ("watch", *FLAGS, "--poll-max", "1s", "--timeout", "60s", "--lock-timeout", "20s")
            # What was deleted a moment ago may still have to be seen gone.
            if self._run(*words) == 0 and self._run("plan", "--allow-empty", "--detailed-exitcode") == 0:
                return
        self.figures.violations.append(f"it does not come to rest: {self._tail()}")

    # --- what happens

    def _start(self) -> None:
        if len(self._running) + len(self._stopped) < MOST_AT_ONCE:
            words = self.chance.choice(COMMANDS)
            extra = self._flags if words[0] == "apply" else ()
            self.figures.commands += 1
            self._running.append(self._open(*words, *extra))

    def _kill(self) -> None:
        self._strike(signal.SIGKILL, self._running)

    def _terminate(self) -> None:
        self._strike(signal.SIGTERM, self._running)

    def _stop(self) -> None:
        if (process := self._strike(signal.SIGSTOP, self._running)) is not None:
            self._running.remove(process)
            self._stopped.append(process)

    def _go_on(self) -> None:
        if (process := self._strike(signal.SIGCONT, self._stopped)) is not None:
            self._stopped.remove(process)
            self._running.append(process)

    def _strike(self, number: signal.Signals, among: list[subprocess.Popen[bytes]]) -> subprocess.Popen[bytes] | None:
        alive = [process for process in among if process.poll() is None]
        if not alive:
            return None
        process = self.chance.choice(alive)
        # A start-up takes up to a second, and what follows it as long: let it strike anywhere.
        time.sleep(self.chance.uniform(0.0, 2.5) if number == signal.SIGKILL else 0.0)
        process.send_signal(number)
        self.figures.signals[number.name] += 1
        return process

    def _edit(self) -> None:
        """Other work under a name: what runs is replaced."""
        if self._stack.wanted:
            self._stack.write(self._any_name())
            self.figures.changes["edits"] += 1

    def _relabel(self) -> None:
        """A change that buys nothing."""
        if self._stack.wanted:
            self._stack.label(self._any_name(), {"round": f"r{self.chance.randrange(9)}"})
            self.figures.changes["labels"] += 1

    def _remove(self) -> None:
        if len(self._stack.wanted) > 1:
            self._stack.remove(self._any_name())
            self.figures.changes["removals"] += 1

    def _bring_back(self) -> None:
        away = sorted(set(NAMES) - self._stack.wanted.keys() - {entry["from"] for entry in self._stack.moved})
        if away:
            self._stack.write(self.chance.choice(away))
            self.figures.changes["new manifests"] += 1

    def _rename(self) -> None:
        if self._stack.wanted:
            is_told = self.chance.random() < 0.6
            self._stack.rename(self._any_name(), next(self._names), is_told=is_told)
            self.figures.changes["renames told" if is_told else "renames untold"] += 1

    def _any_name(self) -> str:
        return self.chance.choice(sorted(self._stack.wanted))

    def _move_clock(self) -> None:
        self.service.advance(self.chance.choice(["3s", "30s", "2m", "10m"]))
        self.figures.changes["clock moves"] += 1

    def _weather(self) -> None:
        """Lists lag, replies are lost, the service is short of words; what a fault is not known to is left out."""
        methods, seed = self.api.methods, self.chance.randrange(10**6)
        faults: list[dict[str, Any]] = [
            {"method": f"{methods}.list", "kind": "listLag", "delay": LAG},
            {"method": f"{methods}.create", "kind": "cut", "when": "after", "probability": 0.15, "seed": seed},
            {"method": f"{methods}.create", "kind": "cut", "when": "before", "probability": 0.1, "seed": seed + 1},
            {
                "method": f"{methods}.create",
                "kind": "status",
                "status": 503,
                "when": "after",
                "probability": 0.1,
                "seed": seed,
            },
            {
                "method": f"{methods}.*",
                "kind": "status",
                "status": 429,
                "when": "before",
                "probability": 0.03,
                "seed": seed,
            },
            {"method": f"{methods}.list", "kind": "emptyPage", "probability": 0.2, "seed": seed},
        ]
        if "timeTravel" in self._kinds:
            faults.append(
                {"method": f"{methods}.list", "kind": "timeTravel", "delay": "10s", "probability": 0.2, "seed": seed}
            )
        self.service.faults(*self.chance.sample(faults, self.chance.randrange(2, len(faults) + 1)))
        self.figures.changes["weathers"] += 1

    def _seed(self) -> None:
        path = self.folder / "seed.yaml"
        path.write_text(self.api.seed)
        self.service._client.put("/_emulator/seed", content=path.read_bytes()).raise_for_status()

    # --- processes

    def _open(self, *words: str) -> subprocess.Popen[bytes]:
        env = {
            "BATCHCTL_ALLOW_OUTSIDE": "1",
            "BATCHCTL_EMULATOR": self.service.url,
            "HOME": str(self.folder),
            "LOGNAME": "tester",
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "TERM": "dumb",
        }
        command = [*PROGRAM, "-C", str(self._stack.path), *words]
        return subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._log)

    def _run(self, *words: str) -> int:
        self.figures.commands += 1
        return self._open(*words).wait(timeout=240)

    def _reap(self) -> None:
        self._running = [process for process in self._running if process.poll() is None]

    def _tail(self) -> str:
        return (self.folder / "stderr.log").read_text(errors="replace")[-1500:]

    def judge(self) -> Figures:
        """The verdict at rest."""
        apis = {api.name: api for api in APIS}
        found = [apis[view["api"]].read(view) for view in self.service.jobs()]
        judge(found, self._stack.results, self._stack.wanted, self.figures)
        if "Traceback" in (self.folder / "stderr.log").read_text(errors="replace"):
            self.figures.violations.append(f"a traceback: {self._tail()}")
        return self.figures


def _help(command: str) -> str:
    return subprocess.run([*PROGRAM, command, "--help"], capture_output=True, text=True, check=True).stdout


def _fault_kinds() -> list[str]:
    schema = json.loads((ROOT / "schemas" / "emulator-faults.schema.json").read_text())
    kinds: list[str] = schema["items"]["properties"]["kind"]["enum"]
    return kinds


if __name__ == "__main__":
    sys.exit("run it by `pytest tests/reliability/test_storm.py`, see docs/reliability.md")
