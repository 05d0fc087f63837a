"""Runs a command, and prints what it took as JSON: a small process between the benchmark and the command.

    python benchmarks/measured_run.py COMMAND…

The most memory of a process counts that of the one which starts it, so a large benchmark cannot start what it measures.
"""

from __future__ import annotations

import json
import os
import sys
import time


def main(command: list[str]) -> None:
    """Run the command with its output discarded."""
    to_nowhere = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
    begun = time.monotonic()
    process = os.posix_spawnp(command[0], command, os.environ, file_actions=[to_nowhere])
    _, status, usage = os.wait4(process, 0)
    found = {
        "wall": time.monotonic() - begun,
        "cpu": usage.ru_utime + usage.ru_stime,
        "kib": usage.ru_maxrss,
        "begun": begun,
        "switches": usage.ru_nvcsw + usage.ru_nivcsw,
        "code": os.waitstatus_to_exitcode(status),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
