"""The events of a run when nobody reads them, or they cannot be written."""

from __future__ import annotations

import io
import json

from batchctl.model.plan import Plan
from batchctl.report import run_events
from batchctl.report.run_events import BothProgress, RunEvents
from tests.support.report_samples import NOW
from tests.support.sample_plan import APPLY, PLAN


class Full(io.StringIO):
    """A disk without space after the first line."""

    def write(self, text: str) -> int:
        if self.tell():
            raise OSError(28, "No space left on device")
        return super().write(text)


def test_without_a_file_nothing_is_made(monkeypatch) -> None:
    def refuse(_plan: Plan) -> None:
        raise AssertionError("the digest of each pass takes time")

    monkeypatch.setattr(run_events.PlanDigest, "of", refuse)
    failed: list[OSError] = []
    events = RunEvents(None, lambda: NOW, failed.append)
    events.started("watch", "0.1.0")
    events.planned(PLAN)
    events.results(PLAN, APPLY.outcomes)
    events.ended(0)
    assert (events.is_written, failed) == (False, [])


def test_a_full_disk_is_reported_once_and_ends_nothing() -> None:
    stream, failed = Full(), []
    events = RunEvents(stream, lambda: NOW, failed.append)
    both = BothProgress(events, RunEvents(io.StringIO(), lambda: NOW, failed.append))
    events.started("watch", "0.1.0")
    both.planned(PLAN)
    both.step("a", "created")
    both.warn("slow")
    both.waiting(PLAN.jobs, 1.0)
    assert [error.strerror for error in failed] == ["No space left on device"]
    assert json.loads(stream.getvalue())["event"] == "started"
    assert not events.is_written


def test_a_long_wait_names_some_jobs_and_counts_all() -> None:
    stream = io.StringIO()
    RunEvents(stream, lambda: NOW, lambda _error: None).waiting(PLAN.jobs * 20, 1.0)
    event = json.loads(stream.getvalue())
    assert (event["count"], len(event["jobs"])) == (len(PLAN.jobs) * 20, run_events.MOST_WAITING)
