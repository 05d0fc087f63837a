"""What a command imports for the state: sqlite-utils is for migrations."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from pathlib import Path
from batchctl.model.writes import SaveJob
from batchctl.state.store import open_state
from tests.support.state_samples import HandClock, job

store = open_state(Path(sys.argv[1]), stack="demo", uid="abc123", clock=HandClock(), who="ada@host")
with store.lock() as session:
    session.commit([SaveJob(job())])
assert store.load().jobs
print("sqlite_utils" in sys.modules)
"""


def test_making_reading_and_writing_need_no_sqlite_utils(path: Path) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
