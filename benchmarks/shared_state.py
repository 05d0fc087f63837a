"""Measures a shared state: the size of a push, and the time of a read and of passes with and without a commit.

    python benchmarks/shared_state.py [--jobs N] [--port N] [--folder DIR]

The state has one attempt for each job, as `apply` leaves it. The bucket is in an emulator in another process, so the
processor time is the client's alone; `seconds` include the emulator's work.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent))
from many_jobs import STACK, UID, make_many
from timing import machine
from world import serve_emulator

from batchctl.engine.clock import SystemClock
from batchctl.model.desired import Limits
from batchctl.model.recorded import SaveJob
from batchctl.model.state_objects import ABSENT
from batchctl.providers.cloud.state_objects import BucketObjects, open_bucket_objects
from batchctl.providers.google_credentials import StaticToken
from batchctl.providers.wire import Place, Wire
from batchctl.state.migrations import Identity
from batchctl.state.shared.bucket import BucketPlace
from batchctl.state.shared.store import SharedState
from batchctl.state.store import open_state

_ADDRESS = "gs://bench/state.db"


def main() -> int:
    """Run the cases and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=100_000, help="recorded jobs (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port of the emulator (default: a free one)")
    parser.add_argument("--folder", type=Path, help="where the state is written (default: the system's)")
    asked = parser.parse_args()
    print(", ".join(f"{name}: {value}" for name, value in machine().items()))
    with tempfile.TemporaryDirectory(prefix="batchctl-bench-", dir=asked.folder) as name:
        folder = Path(os.path.realpath(name))
        stack = make_many(folder / "stack", asked.jobs)
        with serve_emulator(folder / "emulator", asked.port) as url:
            _measure(stack / ".batchctl" / "state.db", folder / "copy.db", url)
    return 0


def _measure(state: Path, copy: Path, url: str) -> None:
    clock = SystemClock()
    open_state(state, stack=STACK, uid=UID, clock=clock, who="bench").copy_to(copy)
    with _objects(url, clock) as objects:
        _make_bucket(url)
        with copy.open("rb") as stream, _timed("first push"):
            assert objects.put("", stream, ABSENT) is not None
        shared = SharedState(BucketPlace(objects), Identity(STACK, UID), clock, "bench")
        with _timed("read"):
            recorded = shared.load()
        with _timed("first pass: probe and fence"), shared.lock():
            pass
        with _timed("pass without changes"), shared.lock() as session:
            session.load()
        with _timed("pass with one commit"), shared.lock() as session:
            session.load()
            session.commit([SaveJob(next(iter(recorded.jobs.values())).row)])
    print(f"{len(recorded.jobs):,} jobs: a push has {copy.stat().st_size:,} bytes")


@contextmanager
def _objects(url: str, clock: SystemClock) -> Iterator[BucketObjects]:
    wire = Wire(clock, lambda: 0.5)
    objects = open_bucket_objects(
        _ADDRESS, Place(url, url, url, is_emulator=True), wire, Limits(), StaticToken("bench")
    )
    try:
        yield objects
    finally:
        objects.close()


def _make_bucket(url: str) -> None:
    reply = httpx.put(f"{url}/_emulator/seed", json={"buckets": {"bench": {}}}, timeout=60)
    reply.raise_for_status()


@contextmanager
def _timed(name: str) -> Iterator[None]:
    cpu, wall = time.process_time(), time.monotonic()
    yield
    print(f"{name:28} {time.process_time() - cpu:7.2f} CPU s {time.monotonic() - wall:7.2f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
