"""`watch --forever` over real sockets, in a process that may open few files: handles stay flat, and a shortage passes.

In the gate 60 passes with 40 handles; with `BATCHCTL_LONG=1` thousands.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.apis import ApiCase
from tests.support.long_mode import effort
from tests.support.workplace import Served, Site

CHILD = Path(__file__).with_name("watch_child.py")
HANDLES = 40
PASSES = effort(60, 3000)
JOBS = 6


@dataclass(frozen=True)
class Watched:
    """How a watcher went: what it had after each pass, and what it said."""

    samples: list[dict[str, int]]
    told: list[str]
    code: int

    def most(self, what: str, first: int, last: int) -> int:
        return max(sample[what] for sample in self.samples[first:last])


@pytest.fixture
def site(running: Served, make_site: Any, api: ApiCase) -> Site:
    made: Site = make_site(running, api)
    made.empty_service()
    made.service.rules({"pending": "0s", "running": "10h"})
    for number in range(JOBS):
        made.write_job(f"job-{number}")
    return made


def watch(site: Site, passes: int = PASSES, shortage: str = "0-0") -> Watched:
    log = site.path.parent / "handles.jsonl"
    words = ["-C", str(site.path), "watch", "--forever", "--yes", "--log-format", "json"]
    done = subprocess.run(
        [sys.executable, str(CHILD), str(HANDLES), str(passes), shortage, str(log), *words],
        env={**os.environ, **site.env},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert "Traceback" not in done.stderr, done.stderr[-3000:]
    news = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    told = [one["message"] for one in news if one["level"] == "warning"]
    samples = [json.loads(line) for line in log.read_text().splitlines()]
    return Watched(samples, told, done.returncode)


def check_jobs(site: Site) -> None:
    """All jobs are there once, and the watcher's record knows each."""
    ours = [job for job in site.jobs() if job.attempt is not None]
    assert len(ours) == JOBS
    assert all(job.lives for job in ours)
    recorded = site.recorded()
    assert {attempt.remote for job in recorded.jobs.values() for attempt in job.attempts} == {job.name for job in ours}
    assert {attempt.state for job in recorded.jobs.values() for attempt in job.attempts} == {"JOB_STATE_RUNNING"}


def test_handles_and_threads_stay_flat(site: Site) -> None:
    found = watch(site)
    assert (found.code, found.told) == (130, [])
    third = PASSES // 3
    assert found.most("handles", 2 * third, PASSES) <= found.most("handles", 0, third), found.samples
    # The thread that watched over the last call may still be on its way out.
    assert found.most("threads", 2 * third, PASSES) <= found.most("threads", 0, third) + 1, found.samples
    print(f"{PASSES} passes with {HANDLES} handles: at most {found.most('handles', 0, PASSES)} open")
    check_jobs(site)


def test_a_shortage_is_said_once_and_passes(site: Site) -> None:
    found = watch(site, 30, "10-15")
    assert found.code == 130
    assert [text for text in found.told if "limit of open files" in text], found.told
    # One message for a shortage, however many passes it lasts; it may begin at another file.
    assert len(found.told) <= 4, found.told
    assert "again" in found.told[-1], found.told
    assert found.most("handles", 20, 30) <= found.most("handles", 0, 10), found.samples
    check_jobs(site)
