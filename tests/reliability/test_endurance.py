"""A day of `watch --forever` on a clock that tests move: neither the process nor its state grows.

In the gate an hour with few jobs; with `BATCHCTL_LONG=1` 24 hours with 500.
"""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from batchctl.engine.loop.drive import Around, Until, drive
from batchctl.model.admission import AdmissionLimits
from batchctl.model.stack import Limits
from batchctl.reconcile import Options
from batchctl.rows.results import ResultsFolder
from tests.support.engine import World, job, made
from tests.support.long_mode import effort

JOBS = effort(20, 500)
SPAN = effort(timedelta(hours=1), timedelta(hours=24))
SETTLED = SPAN / 3
"""From here on nothing new happens, and nothing may grow."""
SAMPLES = effort(4, 8)
STATE_GROWTH = 1.02
HEADROOM = effort(24, 16) * 2**20
"""Bytes of memory that an allocator and its caches may come to need."""


class Silent:
    """A Progress that keeps nothing."""

    def planned(self, plan: object) -> None: ...
    def step(self, job: str, message: str, attempt: int | None = None) -> None: ...
    def warn(self, message: str) -> None:
        # Jobs that run for a day among others that took hours.
        assert " is stuck: " in message, message

    def waiting(self, jobs: object, seconds: float) -> None: ...


@dataclass(frozen=True)
class Sample:
    """What the process holds at one moment."""

    at: timedelta
    memory: int
    objects: int
    state: int
    handles: int
    threads: int


@pytest.fixture
def endless(place: Path) -> Iterator[World]:
    world = World(place / "endurance", limits=Limits(max_create=JOBS, admission=AdmissionLimits(active=JOBS)))
    yield world
    world.close()


def measure(world: World, at: timedelta) -> Sample:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    size = sum(path.stat().st_size for path in world.folder.glob("state.db*"))
    handles = len(list(Path("/proc/self/fd").iterdir()))
    return Sample(
        at, pages * os.sysconf("SC_PAGE_SIZE"), len(gc.get_objects()), size, handles, threading.active_count()
    )


def test_a_day_of_watching_leaves_no_trace(endless: World) -> None:
    world = endless
    # A fifth ends in the first hours; all others work for longer than anybody looks on.
    world.here.rules(
        {"match": {"displayName": "*/job-*0@*"}, "pending": "1m", "running": f"{int(SPAN.total_seconds() / 10)}s"},
        {"match": {"displayName": "*/job-*5@*"}, "pending": "1m", "running": f"{int(SPAN.total_seconds() / 5)}s"},
        {"pending": "1m", "running": "30h"},
    )
    wanted = [job(f"job-{number}", pending_deadline=timedelta(hours=1)) for number in range(JOBS)]
    begin, real = world.time.now(), time.monotonic()
    samples: list[Sample] = []
    passes = 0

    def during(_number: int) -> None:
        nonlocal passes
        passes += 1
        # What the kit keeps for other tests is not the product's.
        world.log.clear()
        world.boundaries.passed.clear()
        world.clock.sleeps.clear()
        at = world.time.now() - begin
        if at >= SETTLED + len(samples) * (SPAN - SETTLED) / SAMPLES:
            samples.append(measure(world, at))
        if at >= SPAN:
            world.clock.stop()

    results = ResultsFolder(world.results)
    with world.process(progress=Silent(), state=world.state(), results=results) as tools:
        world.clock.during = during
        report = drive(Around(lambda: world.desired(*wanted)), Options(), Until(ended=True, forever=True), tools)
    took = time.monotonic() - real
    phases = [one.phase.value for one in report.last.jobs]
    assert (phases.count("Succeeded"), phases.count("Active")) == (JOBS // 5, JOBS - JOBS // 5)
    assert set(made(world.here).values()) == {1}
    assert len(list(world.results.glob("*/current"))) == JOBS // 5
    for one in samples:
        print(
            f"after {one.at}: memory {one.memory / 2**20:.1f} MiB, {one.objects} objects,"
            f" state {one.state / 1024:.0f} KiB, {one.handles} handles, {one.threads} threads"
        )
    print(f"{JOBS} jobs, {SPAN}, {passes} passes in {took:.0f} s")
    first, last = samples[0], samples[-1]
    assert len(samples) >= SAMPLES
    # Progress of jobs is written down, and a number more may need a page more.
    assert last.state <= first.state * STATE_GROWTH
    assert last.memory - first.memory < HEADROOM
    assert last.objects - first.objects < 2000
    assert last.handles <= first.handles
    assert last.threads <= first.threads
