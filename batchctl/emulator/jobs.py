"""The jobs in the store: what is kept of one, and how it is found. What a job answers is the services' affair."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from batchctl.emulator.lifecycle import Progress, Timeline, progress
from batchctl.emulator.rules import Course
from batchctl.emulator.settings import Settings
from batchctl.emulator.store import Store


@dataclass(frozen=True)
class Job:
    """One batch job as stored. Times in nanoseconds since 1970."""

    api: str
    """The service it belongs to, such as `gemini`."""
    name: str
    """The full resource name."""
    kind: str
    """`generate` or `embed`."""
    model: str
    display_name: str | None
    input_file: str | None
    """The file's name; None for inline requests."""
    input_blob: str
    """JSON lines: the file's bytes, or the inline items, or the rows that a Vertex job took in."""
    request_count: int
    failed_count: int
    """How many rows will have failed when all are answered."""
    created: int
    updated: int
    """The last change by a call; state changes count on top."""
    course: Course
    labels: Mapping[str, str] = field(default_factory=dict)
    priority: str | None = None
    results_blob: str | None = None
    """JSON lines given by a seed, in place of computed answers."""
    cancelled: int | None = None
    """When a cancel takes effect."""
    served: int | None = None
    """How many rows were answered before the cancel took effect."""
    served_failed: int | None = None
    deleted: int | None = None
    parent: str = ""
    """Vertex: the project, by its number, and the location; `projects/1/locations/l`."""
    body: Mapping[str, Any] = field(default_factory=dict)
    """Vertex: the resource's members that only go from the caller back to the caller. Elsewhere: what each answer has
    besides."""
    asked: int | None = None
    """Vertex: when a cancel was asked for; the job is CANCELLING until it ends."""
    due: int | None = None
    """Vertex: when its input is to be taken in or, once `input_blob` is not empty, its output to be written."""
    output: Mapping[str, Any] = field(default_factory=dict)
    """Vertex: the resource's members that came out of its work, such as `outputInfo`."""
    seq: int = 0
    """The store's own number; later jobs have higher ones."""

    @property
    def short(self) -> str:
        """The last part of the name."""
        return self.name.rpartition("/")[2]

    @property
    def state_prefix(self) -> str:
        """What its API puts before a state's name. Source: reference 5."""
        return "JOB_STATE_" if self.parent else "BATCH_STATE_"

    def is_born(self, as_of: int | None) -> bool:
        """Whether it was there at a moment; None: now, and then it was."""
        return as_of is None or self.created <= as_of

    def is_deleted(self, as_of: int | None) -> bool:
        """Whether it was deleted by a moment; None: by now."""
        return self.deleted is not None and (as_of is None or self.deleted <= as_of)

    def timeline(self, settings: Settings) -> Timeline:
        """What decides its state over time."""
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
            course.stands,
        )

    def progress(self, settings: Settings, now: int) -> Progress:
        """Its standing now; a deleted job stands still."""
        return progress(self.timeline(settings), now if self.deleted is None else min(now, self.deleted))


_COLUMNS = (
    "seq, api, name, kind, model, display_name, labels, priority, input_file, input_blob, results_blob, request_count,"
    " failed_count, created, updated, course, cancelled, served, served_failed, deleted, parent, body, asked, due,"
    " output"
)
_JSON = frozenset({"labels", "body", "output"})


@dataclass(frozen=True)
class Where:
    """A condition on jobs, in SQL of the program's own making, with the values for its question marks."""

    sql: str = "TRUE"
    values: tuple[object, ...] = ()


EVERY = Where()
_FOR_EVER = 2**63 - 1


def add_job(store: Store, job: Job) -> None:
    """Store a new job; its name must be free."""
    values = {**_stored(vars(job)), "short": job.short}
    del values["seq"]
    store.insert("jobs", values)


def find_job(store: Store, api: str, name: str) -> Job | None:
    """The job of that name, deleted ones too."""
    found = store.rows(f"SELECT {_COLUMNS} FROM jobs WHERE api = ? AND name = ?", api, name)  # noqa: S608  own names
    return _job(found[0]) if found else None


def find_short(store: Store, api: str, parent: str, short: str) -> Job | None:
    """The job of that id below that parent, deleted ones too."""
    sql = f"SELECT {_COLUMNS} FROM jobs WHERE api = ? AND parent = ? AND short = ?"  # noqa: S608  own names
    found = store.rows(sql, api, parent, short)
    return _job(found[0]) if found else None


def all_jobs(store: Store) -> list[Job]:
    """Every job ever created, oldest first."""
    return [_job(row) for row in store.rows(f"SELECT {_COLUMNS} FROM jobs ORDER BY seq")]  # noqa: S608  own names


def next_due(store: Store, now: int) -> Job | None:
    """The job whose work has been due for longest; None when no work is due by `now`."""
    sql = f"SELECT {_COLUMNS} FROM jobs WHERE due <= ? ORDER BY due, seq LIMIT 1"  # noqa: S608  own names
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
    """The jobs created no later than `born_by`, newest first, those past the position `after`.

    Deleted ones are left out, but for those that were deleted after `as_of`.
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
    """Overwrite fields of a stored job; gives the job as it is then. The keys are the program's own names."""
    stored = _stored(changes)
    names = ", ".join(f"{name} = ?" for name in stored)
    store.change(f"UPDATE jobs SET {names} WHERE seq = ?", *stored.values(), job.seq)  # noqa: S608  own names
    return replace(job, **changes)  # type: ignore[arg-type]  # the keys are the job's own fields


def _stored(fields: Mapping[str, object]) -> dict[str, object]:
    """Fields as columns: JSON where SQLite has no such thing."""
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
