"""What a command imports for the state: sqlite-utils is for migrations and new files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from batchctl.model.recorded import SaveAttempt, SaveJob
from batchctl.state.store import FileState
from tests.support.state_samples import attempt, job

PROGRAM = """
import sys
from pathlib import Path
from batchctl.model.recorded import SaveJob
from batchctl.state.store import open_state
from tests.support.state_samples import HandClock, job

store = open_state(Path(sys.argv[1]), stack="demo", uid="abc123", clock=HandClock(), who="ada@host")
assert store.load().jobs
with store.lock() as session:
    session.commit([SaveJob(job())])
print("sqlite_utils" in sys.modules)
"""


def test_reading_and_writing_need_no_sqlite_utils(store: FileState, path: Path) -> None:
    with store.lock() as session:
        session.commit([SaveJob(job()), SaveAttempt(attempt())])
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
