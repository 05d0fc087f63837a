"""The table and the lines of `status -w`."""

from __future__ import annotations

import io
import re

from batchctl.model.observed import RowCounts
from batchctl.model.states import Phase
from batchctl.report.console import make_console
from batchctl.report.reports import StatusReport, StatusRow
from batchctl.report.status_watch import LiveStatus, StatusLines, by_attention
from tests.report.test_progress import ENV, StandingClock
from tests.support.report_samples import HOSTILE, Terminal
from tests.support.sample_plan import STATUS

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


def job(name: str, phase: Phase, reason: str = "", **more: object) -> StatusRow:
    return StatusRow(name, phase, reason=reason, **more)  # type: ignore[arg-type]


def test_jobs_that_need_a_person_come_first() -> None:
    phases = (Phase.SUCCEEDED, Phase.ACTIVE, Phase.FAILED, Phase.PARTIALLY_SUCCEEDED, Phase.BLOCKED, Phase.WAITING)
    rows = tuple(job(str(number), phase) for number, phase in enumerate(phases))
    assert "".join(row.job for row in by_attention(StatusReport("s", rows)).jobs) == "241503"


def test_the_table_takes_the_lines_of_the_screen_and_stays_at_the_end() -> None:
    stream = Terminal()
    rows = tuple(job(f"job-{number:02}", Phase.ACTIVE, "running") for number in range(30))
    env = {**ENV, "LINES": "10", "COLUMNS": "80"}
    with LiveStatus(make_console(stream, "never", env), StandingClock(), verbose=False) as view:
        view.show(StatusReport("shop", rows))
        view.warn("the list failed\n")
    shown = CONTROL.sub("", stream.getvalue())
    lines = shown.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("job-")][:6] == [f"job-{n:02}" for n in range(6)]
    assert "and 24 more jobs" in lines
    assert "30 jobs in stack shop: 30 Active." in lines
    assert "10:31:07Z warning: the list failed\\n\n" in shown
    assert any(line.startswith("as of 10:31:07Z; Ctrl-C ends") for line in lines)


def test_a_stack_without_jobs() -> None:
    stream = Terminal()
    with LiveStatus(make_console(stream, "never", ENV), StandingClock(), verbose=False) as view:
        view.show(StatusReport("shop", ()))
    assert "0 jobs in stack shop." in stream.getvalue()


def test_lines_have_the_facts_that_are_known_and_are_escaped() -> None:
    out, warnings = io.StringIO(), io.StringIO()
    view = StatusLines(out, warnings, StandingClock())
    rows = (
        job("a", Phase.WAITING),
        job("b", Phase.ACTIVE, HOSTILE, state="JOB_STATE_RUNNING", attempt=2, rows=RowCounts(10, 4, 1)),
    )
    view.show(StatusReport("s", rows))
    view.show(StatusReport("s", rows[:1]))
    view.waiting((), 5)
    lines = out.getvalue().splitlines()
    assert lines[0] == "10:31:07Z a: Waiting"
    assert lines[1].startswith("10:31:07Z b: Active, RUNNING, attempt 2, 4/10, 1 failed: quota\\x1b[2J\\n::error")
    assert lines[2:] == ["10:31:07Z b: removed"]
    assert warnings.getvalue() == ""


def test_the_lines_of_the_sample() -> None:
    out = io.StringIO()
    StatusLines(out, out, StandingClock()).show(STATUS)
    assert len(out.getvalue().splitlines()) == len(STATUS.jobs)
