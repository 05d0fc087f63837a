"""The jobs in the store: what is stored, and queries for it. The services define how a job appears in replies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field
from msgspec.structs import asdict, replace

from batchctl.emulator.lifecycle import Progress, Timeline, progress
from batchctl.emulator.rules import Course
from batchctl.emulator.settings import Settings
from batchctl.emulator.store import Store


class Job(Struct, frozen=True):
    """One batch job as stored. Times are in nanoseconds since 1970."""

    api: str
    """The service of the job, such as `gemini`."""
    name: str
    """The full resource name."""
    kind: str
    """`generate` or `embed`."""
    model: str
    display_name: str | None
    input_file: str | None
    """The name of the input file; None for inline requests."""
    input_blob: str
    """JSON lines: the bytes of the file, the inline items, or the rows that a Vertex job has imported."""
    request_count: int
    failed_count: int
    """The number of rows that will have failed when all rows are processed."""
    created: int
    updated: int
    """The time of the last change by a call; changes of the state are not included."""
    course: Course
    labels: Mapping[str, str] = field(default_factory=dict)
    priority: str | None = None
    results_blob: str | None = None
    """JSON lines of results from a seed, which replace computed answers."""
    cancelled: int | None = None
    """The time when a cancel takes effect."""
    served: int | None = None
    """The number of rows that were processed before the cancel took effect."""
    served_failed: int | None = None
    deleted: int | None = None
    parent: str = ""
    """Vertex: the project, by its number, and the location; `projects/1/locations/l`."""
    body: Mapping[str, Any] = field(default_factory=dict)
    """Vertex: members of the resource that the caller sent and that are only echoed.

    Gemini: members that each answer has in addition.
    """
    asked: int | None = None
    """Vertex: the time of the cancel request; the job is CANCELLING until it ends."""
    due: int | None = None
    """Vertex: when the input is due to be imported or, once `input_blob` is set, the output to be written."""
    output: Mapping[str, Any] = field(default_factory=dict)
    """Vertex: members of the resource that result from the job's work, such as `outputInfo`."""
    seq: int = 0
    """The sequence number in the store; later jobs have higher numbers."""

    @property
    def short(self) -> str:
        """The last part of the name."""
        return self.name.rpartition("/")[2]

    @property
    def state_prefix(self) -> str:
        """The prefix of state names in the job's API. Source: reference 5."""
        return "JOB_STATE_" if self.parent else "BATCH_STATE_"

    def existed(self, as_of: int | None) -> bool:
        """Whether the job existed at this moment; None means now."""
        return as_of is None or self.created <= as_of

    def is_deleted(self, as_of: int | None) -> bool:
        """Whether the job was deleted by this moment; None means now."""
        return self.deleted is not None and (as_of is None or self.deleted <= as_of)

    def timeline(self, settings: Settings) -> Timeline:
        """The values that determine the job's state over time."""
        course = self.course
        return Timeline(
            self.created,
            course.pending,
            course.running,
            settings.expire_after,
            course.fate,
            self.cancelled,
            course.limits,
            self.asked,
            course.fixed_state,
        )

    def progress(self, settings: Settings, now: int) -> Progress:
        """The job's progress now; a deleted job keeps the progress that it had."""
        return progress(self.timeline(settings), now if self.deleted is None else min(now, self.deleted))


_COLUMNS = (
    "seq, api, name, kind, model, display_name, labels, priority, input_file, input_blob, results_blob, request_count,"
    " failed_count, created, updated, course, cancelled, served, served_failed, deleted, parent, body, asked, due,"
    " output"
)
_JSON = frozenset({"labels", "body", "output"})


class Where(Struct, frozen=True):
    """A condition on jobs: SQL written by this program, and the values of its parameters."""

    sql: str = "TRUE"
    values: tuple[object, ...] = ()


EVERY = Where()
_FOR_EVER = 2**63 - 1


def add_job(store: Store, job: Job) -> Job:
    """Store a new job, whose name must be free; returns it with its number."""
    values = {**_stored(asdict(job)), "short": job.short}
    del values["seq"]
    with store.transaction():
        store.insert("jobs", values)
        return replace(job, seq=store.rows("SELECT last_insert_rowid()")[0][0])


def find_job(store: Store, api: str, name: str) -> Job | None:
    """The job of this name, even if it is deleted."""
    found = store.rows(f"SELECT {_COLUMNS} FROM jobs WHERE api = ? AND name = ?", api, name)  # noqa: S608  constants
    return _job(found[0]) if found else None


def find_short(store: Store, api: str, parent: str, short: str) -> Job | None:
    """The job of this id below this parent, even if it is deleted."""
    sql = f"SELECT {_COLUMNS} FROM jobs WHERE api = ? AND parent = ? AND short = ?"  # noqa: S608  constants
    found = store.rows(sql, api, parent, short)
    return _job(found[0]) if found else None


def all_jobs(store: Store) -> list[Job]:
    """Every job ever created, oldest first."""
    return [_job(row) for row in store.rows(f"SELECT {_COLUMNS} FROM jobs ORDER BY seq")]  # noqa: S608  constants


def next_due(store: Store, now: int) -> Job | None:
    """The job whose work is overdue for longest; None if no work is due by `now`."""
    sql = f"SELECT {_COLUMNS} FROM jobs WHERE due <= ? ORDER BY due, seq LIMIT 1"  # noqa: S608  constants
    found = store.rows(sql, now)
    return _job(found[0]) if found else None


def newest_jobs(
    store: Store,
    api: str,
    after: tuple[int, int] | None,
    born_by: int,
    most: int,
    *,
    as_of: int | None = None,
    parent: str = "",
    where: Where = EVERY,
) -> list[Job]:
    """The jobs created no later than `born_by`, newest first, after the list position `after`.

    Deleted jobs are left out, except those deleted after `as_of`.
    """
    deleted_after = _FOR_EVER if as_of is None else as_of
    created, seq = after or (_FOR_EVER, 0)
    sql = (
        f"SELECT {_COLUMNS} FROM jobs WHERE api = ? AND parent = ? AND created <= ?"  # noqa: S608
        f" AND (deleted IS NULL OR deleted > ?) AND (created < ? OR (created = ? AND seq < ?)) AND ({where.sql})"
        " ORDER BY created DESC, seq DESC LIMIT ?"
    )
    return [
        _job(row)
        for row in store.rows(sql, api, parent, born_by, deleted_after, created, created, seq, *where.values, most)
    ]


def change_job(store: Store, job: Job, changes: Mapping[str, object]) -> Job:
    """Change fields of a stored job; returns the changed job. The keys are field names of `Job`."""
    stored = _stored(changes)
    names = ", ".join(f"{name} = ?" for name in stored)
    store.change(f"UPDATE jobs SET {names} WHERE seq = ?", *stored.values(), job.seq)  # noqa: S608  constants
    return replace(job, **changes)


def _stored(fields: Mapping[str, object]) -> dict[str, object]:
    """Fields as column values: JSON for types that SQLite does not have."""
    stored = dict(fields)
    for name in _JSON & fields.keys():
        stored[name] = json.dumps(fields[name])
    course = fields.get("course")
    return {**stored, "course": course.to_json()} if isinstance(course, Course) else stored


def _job(row: tuple[object, ...]) -> Job:
    values = dict(zip(_COLUMNS.split(", "), row, strict=True))
    for name in _JSON:
        values[name] = json.loads(str(values[name]))
    values["course"] = Course.from_json(str(values["course"]))
    return Job(**values)  # type: ignore[arg-type]  # the columns are the fields
