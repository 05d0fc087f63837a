"""The document inside a report: those of all addresses, complete, and the details of jobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from batchctl.model.events import Event
from batchctl.model.times import rfc3339
from batchctl.server.documents import timeline
from batchctl.server.documents.graph import graph_document
from batchctl.server.documents.job import job_document
from batchctl.server.documents.jobs import all_jobs_document
from batchctl.server.documents.plan import whole_plan_document
from batchctl.server.documents.summary import summary_document
from batchctl.server.history import History
from batchctl.server.paging import NO_QUERY
from batchctl.server.view import Document, View

FORMAT: Final = "batchctl/report/v1"
MOST_DETAILS: Final = 2000
"""The number of jobs with details, those that need a person first; of the others it has what `status` shows."""
_MOST_EVENTS: Final = 1000


def report_document(view: View, events: Sequence[Event], written: datetime) -> Document:
    """The document. `events` are those of the stack, oldest first."""
    history = History(lambda _limit: events)
    history.update(view.change)
    names = [row["job"] for row in view.rows[:MOST_DETAILS]]
    return {
        "format": FORMAT,
        "written": rfc3339(written),
        "documents": {
            "summary": summary_document(view, rows_shown=False, lock_holder=None),
            "jobs": all_jobs_document(view),
            "graph": graph_document(view, NO_QUERY),
            "timeline": timeline.whole_timeline(view),
            "rows-over-time": timeline.rows_over_time(view),
            "events": history.whole(view, _MOST_EVENTS),
            "plan": whole_plan_document(view),
        },
        "jobs": {name: job_document(view, name, history.of_job(name)) for name in names},
    }
