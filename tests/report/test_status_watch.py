"""The lines of `status -w` where there is no terminal."""

from __future__ import annotations

import io

from batchctl.model.observed import RowCounts
from batchctl.model.states import Phase
from batchctl.report.reports import StatusReport, StatusRow
from batchctl.report.status_watch import StatusLines
from tests.report.test_progress import StandingClock
from tests.support.report_samples import HOSTILE
from tests.support.sample_plan import STATUS


def job(name: str, phase: Phase, reason: str = "", **more: object) -> StatusRow:
    return StatusRow(name, phase, reason=reason, **more)  # type: ignore[arg-type]


def test_lines_have_the_facts_that_are_known_and_are_escaped() -> None:
    out, warnings = io.StringIO(), io.StringIO()
    view = StatusLines(out, warnings, StandingClock())
    rows = (
        job("a", Phase.WAITING),
        job("b", Phase.ACTIVE, HOSTILE, state="JOB_STATE_RUNNING", attempt=2, rows=RowCounts(10, 4, 1)),
    )
    view.show(StatusReport("s", rows), in_order=False)
    view.show(StatusReport("s", rows[:1]), in_order=False)
    view.waiting((), 5)
    lines = out.getvalue().splitlines()
    assert lines[0] == "10:31:07Z a: Waiting"
    assert lines[1].startswith("10:31:07Z b: Active, RUNNING, attempt 2, 4/10, 1 failed: quota\\x1b[2J\\n::error")
    assert lines[2:] == ["10:31:07Z b: removed"]
    assert warnings.getvalue() == ""


def test_the_lines_of_the_sample() -> None:
    out = io.StringIO()
    StatusLines(out, out, StandingClock()).show(STATUS, in_order=False)
    assert len(out.getvalue().splitlines()) == len(STATUS.jobs)
