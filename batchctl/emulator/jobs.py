"""The jobs in the store: what is kept of one, and how it is found. What a job answers is the services' affair."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

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
    """JSON lines: the file's bytes, or the inline items."""
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
    seq: int = 0
    """The store's own number; later jobs have higher ones."""

    def timeline(self, settings: Settings) -> Timeline:
        """What decides its state over time."""
        course = self.course
        return Timeline(
            self.created, course.pending, course.running, settings.expire_after, course.fate, self.cancelled
        )

    def progress(self, settings: Settings, now: int) -> Progress:
        """Its standing now; a deleted job stands still."""
        return progress(self.timeline(settings), now if self.deleted is None else min(now, self.deleted))


_COLUMNS = (
    "seq, api, name, kind, model, display_name, labels, priority, input_file, input_blob, results_blob, request_count,"
    " failed_count, created, updated, course, cancelled, served, served_failed, deleted"
)


def add_job(store: Store, job: Job) -> None:
    """Store a new job; its name must be free."""
    values = {**vars(job), "labels": json.dumps(dict(job.labels)), "course": job.course.to_json()}
    del values["seq"]
    store.insert("jobs", values)


def find_job(store: Store, api: str, name: str) -> Job | None:
    """The job of that name, deleted ones too."""
    found = store.rows(f"SELECT {_COLUMNS} FROM jobs WHERE api = ? AND name = ?", api, name)  # noqa: S608  own names
    return _job(found[0]) if found else None


def all_jobs(store: Store) -> list[Job]:
    """Every job ever created, oldest first."""
    return [_job(row) for row in store.rows(f"SELECT {_COLUMNS} FROM jobs ORDER BY seq")]  # noqa: S608  own names


def newest_jobs(store: Store, api: str, after: tuple[int, int] | None, born_by: int, most: int) -> list[Job]:
    """The undeleted jobs created no later than `born_by`, newest first, those past the position `after`."""
    created, seq = after or (2**63 - 1, 0)
    sql = (
        f"SELECT {_COLUMNS} FROM jobs WHERE api = ? AND deleted IS NULL AND created <= ?"  # noqa: S608  own names
        " AND (created < ? OR (created = ? AND seq < ?)) ORDER BY created DESC, seq DESC LIMIT ?"
    )
    return [_job(row) for row in store.rows(sql, api, born_by, created, created, seq, most)]


def change_job(store: Store, job: Job, changes: Mapping[str, object]) -> None:
    """Overwrite columns of a stored job. The keys are the program's own names."""
    names = ", ".join(f"{name} = ?" for name in changes)
    store.change(f"UPDATE jobs SET {names} WHERE seq = ?", *changes.values(), job.seq)  # noqa: S608  own names


def _job(row: tuple[object, ...]) -> Job:
    values = dict(zip(_COLUMNS.split(", "), row, strict=True))
    values["labels"] = json.loads(str(values["labels"]))
    values["course"] = Course.from_json(str(values["course"]))
    return Job(**values)  # type: ignore[arg-type]  # the columns are the fields
