"""Ten thousand jobs: what a browser asks for first stays small, and is made once for a change. No times are asked."""

from __future__ import annotations

from collections import Counter

import pytest

from batchctl.model.plan import Plan
from batchctl.model.recorded import JobRow, RecordedJob
from batchctl.report.reports import StatusReport, StatusRow
from batchctl.server.documents import jobs, plan, summary, timeline
from batchctl.server.snapshot import Source
from tests.support.engine import job
from tests.support.values import replace
from tests.support.web import serving, snapshot_of

MANY = 10_000
FIRST = {
    "/": 20_000,
    "/api/summary": 30_000,
    "/api/jobs": 150_000,
    "/api/graph": 2_000_000,
    "/api/timeline": 100_000,
    "/api/plan": 400_000,
    "/api/rows-over-time": 10_000,
    "/api/events": 100_000,
}
"""The most bytes of each answer."""


@pytest.fixture(scope="module")
def many(still):
    """One job's decision under ten thousand names, each of which depends on the one before."""
    still.apply(job("job-0"))
    small = snapshot_of(still, job("job-0"))
    (decided,) = small.plan.jobs
    names = [f"job-{number:05}" for number in range(MANY)]
    manifests = tuple(
        replace(job("job-0"), name=name, depends_on=(before,) if before else ())
        for before, name in zip(["", *names], names, strict=False)
    )
    decisions = tuple(replace(decided, job=name) for name in names)
    recorded = {
        name: RecordedJob(replace(small.recorded.jobs["job-0"].row, name=name), small.recorded.jobs["job-0"].attempts)
        for name in names
    }
    assert isinstance(recorded[names[0]].row, JobRow)
    rows = tuple(StatusRow.of(one, model="gemini-2.5-flash", provider="here", clocks={}) for one in decisions)
    desired = replace(small.desired, jobs=manifests)
    record = replace(small.recorded, jobs=recorded)
    big = Plan("shop", decisions, forecast=small.plan.forecast)
    return replace(
        small, plan=big, desired=desired, recorded=record, status=StatusReport("shop", rows), source=Source.WATCH
    )


def test_the_first_answers_are_small_and_made_once(still, many, monkeypatch):
    calls: Counter[str] = Counter()

    def counting(module, name):
        made = getattr(module, name)

        def call(*arguments, **named):
            calls[name] += 1
            return made(*arguments, **named)

        monkeypatch.setattr(module, name, call)

    for module, name in ((summary, "_make"), (plan, "plan_document"), (timeline, "_rows_over_time"), (jobs, "_text")):
        counting(module, name)
    with serving(still, many) as site:
        for _ in range(2):
            for path, most in FIRST.items():
                answer = site.client.get(path)
                assert answer.status_code == 200, answer.text
                assert len(answer.content) <= most, (path, len(answer.content))
            assert site.get("/api/jobs", q="job-07")["matched"] == 1000
        with site.events() as messages:
            _, _, data = next(messages)
        assert (data["reset"], data["jobs"], data["summary"]["jobs"]) == (True, [], MANY)
        assert calls == {"_make": 1, "plan_document": 1, "_rows_over_time": 1, "_text": MANY}
        graph = site.get("/api/graph")
        assert (len(graph["nodes"]), graph["truncated"]) == (2000, True)
        assert max(node["rank"] for node in graph["nodes"]) == 1999
