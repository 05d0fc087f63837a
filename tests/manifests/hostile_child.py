"""Loads hostile inputs in a separate process with limits; one JSON line each with name, cost and errors.

python tests/manifests/hostile_child.py NAME...     those of `hostile_inputs.ALL`; `all` for all of them
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support.broken_manifests import complaints, found_faults
from tests.support.hostile_inputs import ALL

MEMORY = 1024**3
SECONDS = 600
"""A safety margin around the tests' own limits."""


def main(names: list[str]) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    for name in list(ALL) if names == ["all"] else names:
        with tempfile.TemporaryDirectory() as folder:
            for file, data in ALL[name]().items():
                (Path(folder) / file).write_bytes(data)
            start = time.process_time()
            faults = found_faults(Path(folder) / "batchctl.yaml")
            seconds = time.process_time() - start
            wrong = [complaint for fault in faults[:2] for complaint in complaints(fault, Path(folder))]
        # The peak of all inputs so far, their making included.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        found = {"name": name, "seconds": seconds, "megabytes": peak, "faults": len(faults), "complaints": wrong}
        found["first"] = str(faults[0]).replace(f"{folder}/", "")[:200] if faults else ""
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
