"""Stand-ins for input that is not on this machine, and buckets and tables for output, as a seed of the emulator."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.json_value import Json
from batchctl.model.keys import Account
from batchctl.model.recorded import Recorded
from batchctl.model.sources import RemoteSource, UploadedFile

STAND_IN_ROWS = 100
"""Rows of an input whose number is not known."""
MOST_STAND_IN_ROWS = 1000


class StandIns(Struct, frozen=True):
    """The seed of one account, and the jobs whose input is not the real one."""

    seed: Json
    jobs: tuple[str, ...]


def stand_ins(account: Account, desired: DesiredStack, recorded: Recorded) -> StandIns:
    """Everything that has to exist at an account before the first call."""
    jobs = [job for job in desired.jobs if job.account == account]
    made = _Seed()
    for config in desired.stack.providers.values():
        if config.staging_bucket is not None:
            made.bucket(config.staging_bucket)
    for job in jobs:
        if job.dest is not None:
            made.destination(job.dest)
        for name in _sources(job):
            made.source(name, _rows_of(job, recorded))
    return StandIns(made.document(), tuple(sorted(job.name for job in jobs if _sources(job))))


def _sources(job: DesiredJob) -> tuple[str, ...]:
    match job.source:
        case RemoteSource(uris=uris):
            return uris
        case UploadedFile(name=name):
            return (name,)
        case _:
            return ()


def _rows_of(job: DesiredJob, recorded: Recorded) -> int:
    """The rows of an input: what an earlier attempt counted, else an assumed number."""
    record = recorded.jobs.get(job.name)
    known = [one.rows.total for one in ([] if record is None else record.attempts) if one.rows.total]
    return min(known[-1] if known else STAND_IN_ROWS, MOST_STAND_IN_ROWS)


class _Seed:
    """A seed in the making."""

    def __init__(self) -> None:
        self._buckets: dict[str, dict[str, Json]] = defaultdict(dict)
        self._tables: dict[str, Json] = {}
        self._datasets: set[str] = set()
        self._files: dict[str, Json] = {}

    def bucket(self, url: str) -> None:
        _ = self._buckets[url.removeprefix("gs://").partition("/")[0]]

    def destination(self, url: str) -> None:
        if url.startswith("gs://"):
            self.bucket(url)
        elif url.startswith("bq://"):
            self._datasets.add(".".join(url.removeprefix("bq://").split(".")[:2]))

    def source(self, name: str, rows: int) -> None:
        if name.startswith("gs://"):
            bucket, _, path = name.removeprefix("gs://").partition("/")
            path = path.replace("*", "0").replace("?", "0") or "0"
            self._buckets[bucket][path] = {"lines": [{"request": one} for one in _requests(rows)]}
        elif name.startswith("bq://"):
            table = name.removeprefix("bq://")
            self._tables[table] = {"rows": [{"request": one} for one in _requests(rows)]}
        elif name.startswith("files/"):
            lines = [{"key": f"row-{number}", "request": one} for number, one in enumerate(_requests(rows))]
            self._files[name] = lines

    def document(self) -> Json:
        found: dict[str, Any] = {
            "buckets": {name: {"objects": dict(objects)} for name, objects in self._buckets.items()},
            "tables": self._tables,
            "datasets": sorted(self._datasets),
            "files": [{"name": name, "lines": lines} for name, lines in self._files.items()],
        }
        return {name: value for name, value in found.items() if value}


def _requests(rows: int) -> Iterable[Json]:
    for number in range(rows):
        yield {"contents": [{"role": "user", "parts": [{"text": f"stand-in {number}"}]}]}
