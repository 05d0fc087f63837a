"""A storm of SIGKILLs against real processes while a job in shards is created, uploaded, collected and merged.

`BATCHCTL_SEED` is the first seed, `BATCHCTL_STORMS` the number of storms on each API.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.apis import APIS, GEMINI, STACK, UID, ApiCase
from tests.support.command_line import PROGRAM, ROOT, StackFolder
from tests.support.long_mode import effort
from tests.support.patience import PATIENCE
from tests.support.storm import serve_emulator
from tests.support.workplace import Caller

SEED = int(os.environ.get("BATCHCTL_SEED", "1"))
STORMS = int(os.environ.get("BATCHCTL_STORMS", effort("1", "5")))
KILLS = effort(2, 25)
ROWS = effort(40, 200)
MOST_RUNS = 6
"""After the storm, so many runs may be needed until one comes to its end."""
PASSING = {"share": 0.2, "by": "content", "times": 1, "error": {"code": 14, "message": "try later"}}
RULE = {"pending": "0s", "running": "1s", "order": "shuffled", "rowOutcomes": [PASSING]}
LIMITS = {"concurrency": 4, "createTimeout": "2s", "settleGrace": "3s"}
EXPIRES = {
    "gemini": {"displayName": "*@2.1 *"},
    "vertex": {"labels": {"batchctl-attempt": "2", "batchctl-shard": "1"}},
}


@dataclass(frozen=True)
class Place:
    """A stack with one job, and its service."""

    folder: Path
    service: Caller
    api: ApiCase

    def begin(self) -> None:
        """A canary of four rows, and the others in shards, of which one expires with a part of its rows done."""
        self.service.reset()
        if self.api.seed:
            self.service.seed(buckets={"demo-out": {}, "demo-in": {}})
        self.service.rules({**RULE, "match": EXPIRES[self.api.name], "fate": "expire", "done": 0.6}, RULE)
        self.service.faults({"method": f"{self.api.methods}.list", "kind": "listLag", "delay": "1s"})
        stack = StackFolder(self.folder)
        stack.write_stack(name=STACK, uid=UID, providers={"main": dict(self.api.provider)}, limits=LIMITS)
        lines = (json.dumps({"key": f"k{number}", "text": f"say {number}"}) + "\n" for number in range(ROWS))
        (self.folder / "jobs" / "rows.jsonl").write_text("".join(lines))
        spec: dict[str, Any] = {
            **self.api.spec("rows"),
            "src": {"file": "rows.jsonl"},
            "sharding": {"maxRows": ROWS // 5},
            "canary": {"rows": 4, "maxFailedRows": "100%"},
            "lifecycle": {"retryOn": ["ROWS"]},
        }
        stack.write_job("rows", **spec)

    def start(self, *words: str) -> subprocess.Popen[str]:
        env = {
            "BATCHCTL_EMULATOR": self.service.url,
            "HOME": str(self.folder),
            "LOGNAME": "tester",
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
        }
        command = [*PROGRAM, "-C", str(self.folder), *words]
        return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finish(self) -> bytes:
        """Run the command until it comes to its end; gives the merged results."""
        for _ in range(MOST_RUNS):
            self.service.advance("20s")
            process = self.start("apply", "--yes", "--wait", "--timeout", "60s", "--lock-timeout", "20s")
            _, said = process.communicate(timeout=240)
            assert "Traceback" not in said
            if process.returncode == 0:
                return (self.folder / "results" / "rows" / "current" / "results.jsonl").read_bytes()
        raise AssertionError(f"it does not come to its end: {said}")

    def printed(self) -> str:
        return self.start("results", "rows").communicate(timeout=PATIENCE)[0]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("api", effort((GEMINI,), APIS), ids=lambda api: api.name)
def test_a_storm_of_kills_ends_with_the_same_bytes(tmp_path: Path, api: ApiCase) -> None:
    with serve_emulator(_made(tmp_path / "service")) as service:
        calm = Place(_made(tmp_path / "calm"), service, api)
        calm.begin()
        undisturbed, printed = calm.finish(), calm.printed()
        assert undisturbed.count(b"\n") == ROWS
        for seed in range(SEED, SEED + STORMS):
            place = Place(_made(tmp_path / f"storm{seed}"), service, api)
            place.begin()
            killed = rage(place, random.Random(seed))
            assert place.finish() == undisturbed, f"seed {seed}"
            assert place.printed() == printed, f"seed {seed}"
            record = service.sent_rows()
            assert (record["distinct"], record["answered"], record["sentAfterAnswer"]) == (ROWS, ROWS, 0), (
                f"seed {seed}"
            )
            made = [api.read(view).attempt for view in service.jobs()]
            assert len(made) == len(set(made)), f"seed {seed}: a shard was created twice: {made}"
            print(f"{api.name}, seed {seed}: {killed} processes killed, {len(made)} remote jobs, {record['sent']} rows")


def rage(place: Place, chance: random.Random) -> int:
    """Kill one process after the other, some at their start, most in their work."""
    killed = 0
    for _ in range(KILLS):
        process = place.start("apply", "--yes", "--wait", "--timeout", "60s", "--lock-timeout", "20s")
        time.sleep(chance.uniform(0.2, 3.0))
        killed += process.poll() is None
        process.send_signal(signal.SIGKILL)
        _, said = process.communicate(timeout=PATIENCE)
        assert "Traceback" not in said
    return killed


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
