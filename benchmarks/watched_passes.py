"""Runs `batchctl watch` in this process without its pauses, and prints what each pass has cost.

    python benchmarks/watched_passes.py FOLDER PASSES

The command ends as after a first Ctrl-C. One line of JSON for each pass: its processor seconds.
"""

from __future__ import annotations

import json
import signal
import sys
import time

from batchctl.engine.clock import SystemClock


class NoPauses:
    """Takes the place of the clock's `sleep`."""

    def __init__(self, passes: int) -> None:
        self._left = passes
        self._begun = time.process_time()

    def sleep(self, _: float) -> None:
        """The end of a pass."""
        now = time.process_time()
        print(json.dumps({"cpu": now - self._begun}), file=sys.stderr, flush=True)
        self._left -= 1
        if self._left == 0:
            signal.raise_signal(signal.SIGINT)
        self._begun = time.process_time()


if __name__ == "__main__":
    from batchctl.cli import main

    pauses = NoPauses(int(sys.argv[2]))
    SystemClock.sleep = pauses.sleep  # type: ignore[method-assign]
    sys.argv = ["batchctl", "watch", "--quiet", "-C", sys.argv[1]]
    main()
