"""A day of `watch --serve` on a clock that tests move, with pages open: neither side of the server grows.

One page reads every message, and one is connected and never reads. In the gate it is an hour with few jobs; with
`BATCHCTL_LONG=1` 24 hours with 50.
"""

from __future__ import annotations

import gc
import os
import socket
import threading
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from batchctl.engine.loop.drive import Around, Until, drive
from batchctl.engine.passes import PassReport
from batchctl.model.admission import AdmissionLimits
from batchctl.model.stack import Limits
from batchctl.reconcile import Options
from batchctl.server.snapshot import Snapshot, Source
from tests.reliability.test_endurance import Silent
from tests.support.engine import World, job
from tests.support.long_mode import effort
from tests.support.patience import PATIENCE
from tests.support.web import Site, serving, status_of

JOBS = effort(20, 50)
SPAN = effort(timedelta(hours=1), timedelta(hours=24))
SETTLED = SPAN / 3
GROWTH = effort(1, 4) * 2**20
"""Bytes of Python's own memory that caches may come to need."""
HEADROOM = effort(24, 16) * 2**20
"""The same for the whole process, whose allocator keeps pieces."""


@pytest.fixture
def endless(place: Path) -> Iterator[World]:
    world = World(place / "page", limits=Limits(max_create=JOBS, admission=AdmissionLimits(active=JOBS)))
    yield world
    world.close()


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def follow(site: Site, numbers: list[int]) -> threading.Thread:
    """A page that reads: it keeps the number of the last message, and asks for the jobs as a browser does."""

    def read() -> None:
        try:
            with site.events() as messages:
                for event, number, data in messages:
                    if event == "change":
                        numbers[0] = int(number.rpartition("-")[2])
                        assert data["summary"]["jobs"] == JOBS
                        site.get("/api/jobs")
        except httpx.TransportError:
            # The server ended between the message and the question.
            assert site.feed.is_over

    thread = threading.Thread(target=read)
    thread.start()
    return thread


def sleep_on(site: Site) -> socket.socket:
    """A page that is connected and does not read, with room for little."""
    sleeper = socket.socket()
    sleeper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sleeper.connect(("127.0.0.1", int(site.url.rpartition(":")[2])))
    sleeper.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return sleeper


def test_a_day_with_pages_open_leaves_no_trace(endless: World) -> None:
    world = endless
    world.here.rules(
        {"match": {"displayName": "*/job-*0@*"}, "pending": "1m", "running": f"{int(SPAN.total_seconds() / 10)}s"},
        {"pending": "1m", "running": "30h"},
    )
    wanted = [job(f"job-{number}", pending_deadline=timedelta(hours=1)) for number in range(JOBS)]
    begin = world.time.now()
    sizes: list[tuple[int, int, int]] = []
    passes = 0

    def during(_number: int) -> None:
        world.log.clear()
        world.boundaries.passed.clear()
        world.clock.sleeps.clear()
        # A look of the page between two passes, as somebody who comes and goes.
        site.get("/api/summary")
        at = world.time.now() - begin
        if at >= SETTLED + len(sizes) * (SPAN - SETTLED) / 4:
            gc.collect()
            sizes.append((tracemalloc.get_traced_memory()[0], resident(), threading.active_count()))
        if at >= SPAN:
            world.clock.stop()

    def witness(done: PassReport) -> None:
        nonlocal passes
        passes += 1

        def make() -> Snapshot:
            after = done.after
            status = status_of(after.desired, after.recorded, after.next_plan)
            return Snapshot(after.next_plan, after.desired, after.recorded, after.begun, Source.WATCH, status, str)

        site.feed.publish(make)

    numbers = [0]
    with serving(world, heartbeat=1.0) as site, sleep_on(site), world.process(progress=Silent()) as tools:
        reader = follow(site, numbers)
        world.clock.during = during
        tracemalloc.start()
        try:
            reload = lambda: world.desired(*wanted)  # noqa: E731
            drive(Around(reload, witness=witness), Options(), Until(ended=True, forever=True), tools)
        finally:
            tracemalloc.stop()
            # The page hears of the end before its client, which is closed first, is taken from it.
            site.feed.end()
            reader.join(PATIENCE)
    print(f"{JOBS} jobs, {SPAN}, {passes} passes; (Python, process, threads): {sizes}")
    assert len(sizes) >= 4
    assert passes - 3 < numbers[0] <= passes, "the page that reads has seen nearly all"
    assert site.warnings == []
    first, last = sizes[0], sizes[-1]
    assert last[0] - first[0] <= GROWTH
    assert last[1] - first[1] <= HEADROOM
    assert last[2] <= first[2]
