"""Measures a shared state in a bucket and in PostgreSQL: what a commit sends, and the time of reads and of passes.

    python benchmarks/shared_state.py [--jobs N] [--port N] [--folder DIR] [--database URL]

The state has one attempt for each job, as `apply` leaves it. The bucket is in an emulator in another process, so the
processor time is the client's alone; `seconds` include the server's work. PostgreSQL is measured with `--database`,
in a schema of its own, which is deleted before and after.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent))
from many_jobs import STACK, UID, make_many
from timing import machine
from world import serve_emulator

from batchctl.engine.clock import SystemClock
from batchctl.model.stack import Limits
from batchctl.model.state_objects import ABSENT
from batchctl.model.writes import SaveJob
from batchctl.providers.cloud.state_objects import BucketObjects, open_bucket_objects
from batchctl.providers.google_credentials import StaticToken
from batchctl.providers.wire import Place, Wire
from batchctl.state.migrations import Identity
from batchctl.state.shared.bucket import BucketPlace
from batchctl.state.shared.store import SharedState
from batchctl.state.store import open_state

_ADDRESS = "gs://bench/state.db"
_SCHEMA = "batchctl_bench"


def main() -> int:
    """Run the cases and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=100_000, help="recorded jobs (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port of the emulator (default: a free one)")
    parser.add_argument("--folder", type=Path, help="where the state is written (default: the system's)")
    parser.add_argument("--database", help="postgresql://… without a schema: measures PostgreSQL, too")
    asked = parser.parse_args()
    print(", ".join(f"{name}: {value}" for name, value in machine().items()))
    with tempfile.TemporaryDirectory(prefix="batchctl-bench-", dir=asked.folder) as name:
        folder = Path(os.path.realpath(name))
        state = make_many(folder / "stack", asked.jobs) / ".batchctl" / "state.db"
        with serve_emulator(folder / "emulator", asked.port) as url:
            _measure_bucket(state, folder / "copy.db", url)
        if asked.database:
            _measure_database(state, asked.database)
    return 0


def _measure_bucket(state: Path, copy: Path, url: str) -> None:
    print("a bucket")
    clock = SystemClock()
    open_state(state, stack=STACK, uid=UID, clock=clock, who="bench").copy_to(copy)
    with _objects(url, clock) as objects:
        _make_bucket(url)
        with copy.open("rb") as stream, _timed("first push"):
            assert objects.put("", stream, ABSENT) is not None
        _measure_passes(SharedState(BucketPlace(objects), Identity(STACK, UID), clock, "bench"))
    print(f"a push has {copy.stat().st_size:,} bytes")


def _measure_database(state: Path, server: str) -> None:
    import psycopg

    from batchctl.state.postgres.place import PostgresPlace

    print("PostgreSQL")
    clock = SystemClock()
    local = open_state(state, stack=STACK, uid=UID, clock=clock, who="bench")
    place = PostgresPlace(f"{server}{'&' if '?' in server else '?'}schema={_SCHEMA}", clock.sleep)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {_SCHEMA} CASCADE")

        def sent() -> int:
            row = connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'").fetchone()
            assert row is not None
            return int(row[0])

        content = local.content()
        shared = SharedState(place, Identity(STACK, UID), clock, "bench")
        with _timed("first push", sent), shared.lock() as session:
            session.replace_content(content)
        _measure_passes(SharedState(place, Identity(STACK, UID), clock, "bench"), sent)
        place.close()
        connection.execute(f"DROP SCHEMA {_SCHEMA} CASCADE")


def _measure_passes(shared: SharedState, sent: Callable[[], int] | None = None) -> None:
    with _timed("read", sent):
        recorded = shared.load()
    with _timed("first pass of a process", sent), shared.lock():
        pass
    with _timed("pass without changes", sent), shared.lock() as session:
        session.load()
    jobs = iter(recorded.jobs.values())
    with _timed("pass with one commit", sent), shared.lock() as session:
        session.load()
        with _timed("  its commit", sent):
            session.commit([SaveJob(next(jobs).row)])
    with shared.lock() as session, _timed("a commit of 1,000 jobs", sent):
        session.commit([SaveJob(job.row) for job, _ in zip(jobs, range(1000), strict=False)])
    print(f"{len(recorded.jobs):,} jobs")


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
def _timed(name: str, sent: Callable[[], int] | None = None) -> Iterator[None]:
    """Print the times of a block; with `sent`, also by how many bytes PostgreSQL's log has grown."""
    before = sent() if sent is not None else 0
    cpu, wall = time.process_time(), time.monotonic()
    yield
    words = f"{name:28} {time.process_time() - cpu:7.2f} CPU s {time.monotonic() - wall:7.2f} s"
    print(words if sent is None else f"{words} {sent() - before:14,} bytes of the server's log", flush=True)


if __name__ == "__main__":
    sys.exit(main())
