"""`batchctl watch --forever` in a process that may open few files, on a clock that lets no sleep last.

`watch_child.py HANDLES PASSES SHORTAGE LOG ARGUMENT…`: between the passes named in SHORTAGE (`20-30`) somebody else takes
all handles that are left. After each pass a line of JSON goes to LOG: the pass, and how many handles and threads there are.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
from contextlib import suppress
from pathlib import Path

from batchctl.cli.main import run
from batchctl.engine.clock import SystemClock

HANDLES, PASSES = int(sys.argv[1]), int(sys.argv[2])
FIRST, LAST = (int(number) for number in sys.argv[3].split("-"))
REAL_SLEEP = SystemClock.sleep


def open_handles() -> int:
    """How many files and sockets are open, but for the folder that is read to tell."""
    return len(list(Path("/proc/self/fd").iterdir())) - 1


class Watching:
    def __init__(self, log: Path) -> None:
        # Opened before there is a limit, and kept open.
        self._log = log.open("a")
        self._passes = 0
        self._taken: list[int] = []

    def sleep(self, clock: SystemClock, seconds: float) -> None:
        if threading.current_thread() is not threading.main_thread():
            # A worker waits before it tries a call again.
            REAL_SLEEP(clock, min(seconds, 0.01))
            return
        self._passes += 1
        self._give_back()
        now = {
            "pass": self._passes,
            "handles": open_handles(),
            "threads": threading.active_count(),
        }
        self._log.write(json.dumps(now) + "\n")
        self._log.flush()
        if self._passes >= PASSES:
            clock.stop()
        elif FIRST <= self._passes < LAST:
            self._take()
        # The service's own clock goes on, and so do its jobs.
        REAL_SLEEP(clock, 0.01)

    def _take(self) -> None:
        with suppress(OSError):
            while True:
                self._taken.append(os.open(os.devnull, os.O_RDONLY))

    def _give_back(self) -> None:
        while self._taken:
            os.close(self._taken.pop())


def main() -> int:
    watching = Watching(Path(sys.argv[4]))

    def sleep(clock: SystemClock, seconds: float) -> None:
        watching.sleep(clock, seconds)

    SystemClock.sleep = sleep  # type: ignore[method-assign]
    resource.setrlimit(resource.RLIMIT_NOFILE, (HANDLES, HANDLES))
    return run(sys.argv[5:])


if __name__ == "__main__":
    sys.exit(main())
