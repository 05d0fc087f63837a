"""Runs a command, and prints what it took and what it printed, as JSON: a small process beside the command.

    python benchmarks/measured_run.py COMMAND…

The most memory of a process counts that of the one which starts it, so a large benchmark cannot start what it measures.
The output of the command is read to its end, as the next program of a pipe does: its lines are counted, and its ends
are kept, so that the benchmark can see that the command did its work.
"""

from __future__ import annotations

import json
import os
import sys
import time

_PIECE = 2**20
_KEPT = 2**16
"""Bytes of the output that are kept, at its start and at its end."""


def main(command: list[str]) -> None:
    """Run the command."""
    reading, writing = os.pipe()
    to_pipe = (os.POSIX_SPAWN_DUP2, writing, 1)
    begun = time.monotonic()
    process = os.posix_spawnp(command[0], command, os.environ, file_actions=[to_pipe])
    os.close(writing)
    lines, start, end = read_all(reading)
    _, status, usage = os.wait4(process, 0)
    found = {
        "wall": time.monotonic() - begun,
        "cpu": usage.ru_utime + usage.ru_stime,
        "kib": usage.ru_maxrss,
        "begun": begun,
        "switches": usage.ru_nvcsw + usage.ru_nivcsw,
        "code": os.waitstatus_to_exitcode(status),
        "lines": lines,
        "start": start.decode(errors="replace"),
        "end": end.decode(errors="replace"),
    }
    print(json.dumps(found))


def read_all(handle: int) -> tuple[int, bytes, bytes]:
    """Read to the end; gives the number of lines, and the first and the last bytes."""
    lines, start, end = 0, b"", b""
    while piece := os.read(handle, _PIECE):
        lines += piece.count(b"\n")
        if len(start) < _KEPT:
            start = (start + piece)[:_KEPT]
        end = (end + piece)[-_KEPT:]
    return lines, start, end


if __name__ == "__main__":
    main(sys.argv[1:])
