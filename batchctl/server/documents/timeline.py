"""`/api/timeline`: when each attempt and shard was queued, ran and ended; `/api/rows-over-time`: rows by verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.recorded import RecordedJob
from batchctl.model.times import rfc3339
from batchctl.model.verdicts import RowVerdict
from batchctl.reconcile import attempt_on_record
from batchctl.report.job_document import row_counts
from batchctl.server.documents import jobs
from batchctl.server.paging import Page, Query, cut, whole
from batchctl.server.view import Document, View

PARAMETERS: Final = jobs.PARAMETERS
MOST_POINTS: Final = 200


def timeline_document(view: View, query: Query) -> Document:
    """A page of jobs with their spans. Raises UsageError."""
    found = jobs.sort_rows(jobs.find_jobs(view, query).rows, query.one("sort"))
    return _document(view, found, cut(found, len(view.rows), query))


def whole_timeline(view: View) -> Document:
    """The document with all jobs."""
    return _document(view, view.rows, whole(view.rows, len(view.rows)))


def spans_of(view: View, name: str) -> list[Document]:
    """The attempts and shards of a job, in their order."""
    recorded = view.snapshot.recorded.jobs.get(name)
    return [] if recorded is None else [_span(attempt) for attempt in recorded.attempts]


def _document(view: View, matched: Sequence[Document], page: Page) -> Document:
    if len(matched) == len(view.rows):
        begin, end = view.once("bounds", lambda: _bounds(view, view.rows))
    else:
        begin, end = _bounds(view, matched)
    items = [{"job": row["job"], "phase": row["phase"], "spans": spans_of(view, row["job"])} for row in page.items]
    return {**view.head, "from": begin, "to": end, **page.members, "items": items}


def _bounds(view: View, matched: Iterable[Document]) -> tuple[str | None, str | None]:
    recorded = view.snapshot.recorded.jobs
    names = (row["job"] for row in matched)
    moments = [time for name in names if name in recorded for time in _moments(recorded[name])]
    return (rfc3339(min(moments)), rfc3339(max(moments))) if moments else (None, None)


def _moments(job: RecordedJob) -> Iterator[datetime]:
    for attempt in job.attempts:
        yield from filter(None, (_queued(attempt), attempt.start_time, attempt.end_time))


def _queued(attempt: RecordedAttempt) -> datetime | None:
    """The time of the create call; by the local clock while it has no answer."""
    return attempt.create_time or (None if attempt.intent is None else attempt.intent.time)


def _span(attempt: RecordedAttempt) -> Document:
    sent = attempt.sent
    return {
        "attempt": attempt.key.attempt,
        "shard": attempt.key.shard,
        "shards": None if sent is None else sent.shards,
        "canary": attempt.is_canary,
        "reused": attempt.is_reused,
        "state": attempt.state,
        "remote": attempt.remote,
        "rows": row_counts(attempt.rows),
        "queued": rfc3339(_queued(attempt)),
        "started": rfc3339(attempt.start_time),
        "ended": rfc3339(attempt.end_time),
        "error": None if attempt.error is None else attempt.error.message,
    }


def rows_over_time(view: View) -> Document:
    """The rows of collected attempts by verdict, summed up to each time at which an attempt ended."""
    return {**view.head, **view.once("rows over time", lambda: _rows_over_time(view))}


def _rows_over_time(view: View) -> Document:
    counts: dict[str, int] = {}
    last: dict[str, dict[str, int]] = {}
    points: list[Document] = []
    for time, name, verdicts in sorted(_ends(view), key=lambda end: end[:2]):
        # The results of a later attempt have the answers of the earlier ones, so they take their place.
        before = last.get(name, {})
        for code in before.keys() | verdicts.keys():
            counts[code] = counts.get(code, 0) + verdicts.get(code, 0) - before.get(code, 0)
        last[name] = verdicts
        points.append({"time": rfc3339(time), "rows": {code: number for code, number in counts.items() if number}})
    codes = sorted(counts, key=lambda code: (code != RowVerdict.OK, code))
    return {"verdicts": codes, "points": _thinned(points)}


def _ends(view: View) -> Iterator[tuple[datetime, str, dict[str, int]]]:
    for name, job in view.snapshot.recorded.jobs.items():
        if name not in view.row_of:
            continue
        for number in sorted({attempt.key.attempt for attempt in job.attempts}):
            attempt = attempt_on_record(job, number)
            if attempt is not None and attempt.end_time is not None and attempt.rows.verdicts:
                yield attempt.end_time, name, dict(attempt.rows.verdicts)


def _thinned(points: Sequence[Document]) -> list[Document]:
    """At most `MOST_POINTS` points, evenly, with the last one."""
    if len(points) <= MOST_POINTS:
        return list(points)
    step = (len(points) - 1) / (MOST_POINTS - 1)
    return [points[round(number * step)] for number in range(MOST_POINTS)]
