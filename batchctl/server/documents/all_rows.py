"""The rows of a job over all its attempts, while one of them is at work on a part of them."""

from __future__ import annotations

from batchctl.model.keys import same_digest
from batchctl.model.observed import RowCounts
from batchctl.model.recorded import RecordedJob
from batchctl.report.job_document import row_counts
from batchctl.report.reports import part_of
from batchctl.server.view import Document, View


def rows_of_job(view: View, row: Document) -> Document:
    """The rows of a job. An attempt at work on a part of them changes what is known of all when it is collected."""
    attempt, recorded = view.plans[row["job"]].attempt, view.snapshot.recorded.jobs.get(row["job"])
    total = None if attempt is None else part_of(attempt)
    if attempt is None or total is None:
        counts: Document = row["rows"]
        return counts
    known = None if recorded is None else _known_before(recorded, attempt.key.attempt, attempt.digest)
    if known is not None and known.total == total:
        return row_counts(known)
    return {**row["rows"], "total": total}


def _known_before(recorded: RecordedJob, attempt: int, digest: str) -> RowCounts | None:
    """The rows of the job as the last attempt before this one left them; None if none was collected as a whole."""
    for one in reversed(recorded.attempts):
        is_earlier = recorded.row.rows_since <= one.key.attempt < attempt
        if not is_earlier or one.key.shard or not same_digest(one.digest, digest):
            continue
        if one.merged is not None:
            return one.merged.rows
        if one.results is not None and (one.sent is None or one.sent.shards == 1):
            return one.rows
    return None
