"""`status -w` where there is no terminal: a line for each change. On a terminal it has the live screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from batchctl.model.plan import JobPlan
from batchctl.model.ports.surroundings import Clock
from batchctl.report.activity import Busy
from batchctl.report.display_times import clock_time
from batchctl.report.escape import terminal
from batchctl.report.log import JsonLog, Level
from batchctl.report.progress import PlainProgress
from batchctl.report.reports import StatusReport, StatusRow
from batchctl.report.words import rows_text, state_text


class StatusLines(PlainProgress):
    """A line for each job and then for each change: `10:31:07Z translate-fr: Active, RUNNING, ?/3: running`.

    Warnings go to `warnings`, or to a log in JSON, so that the lines stay alone.
    """

    def __init__(self, stream: TextIO, warnings: TextIO, clock: Clock, log: JsonLog | None = None) -> None:
        super().__init__(warnings, clock)
        self._log = log
        self._lines = stream
        self._last: dict[str, str] = {}

    def warn(self, message: str) -> None:
        if self._log is None:
            super().warn(message)
        else:
            self._log.write(Level.WARNING, "warning", message)

    def busy(self, things: Sequence[Busy]) -> None:
        if self._log is None:
            super().busy(things)

    def waiting(self, jobs: Sequence[JobPlan], seconds: float) -> None:
        """Ignore it: a change is reported when it is seen."""

    def show(self, report: StatusReport, *, in_order: bool) -> None:  # noqa: ARG002 - the same for each order
        """Write what has changed since the last report."""
        now = {row.job: status_line(row) for row in report.jobs}
        changed = [f"{job}: {line}" for job, line in now.items() if self._last.get(job) != line]
        gone = [f"{job}: removed" for job in self._last if job not in now]
        self._last = now
        for line in (*changed, *gone):
            self._lines.write(f"{clock_time(self._clock.now())} {terminal(line)}\n")
        self._lines.flush()


def status_line(row: StatusRow) -> str:
    """One job on one line, without its name. Not escaped."""
    facts = [row.phase.value]
    facts += [state_text(row.state)] if row.state else []
    facts += [f"attempt {row.attempt}"] if row.attempt is not None and row.attempt > 1 else []
    rows = rows_text(row.rows, row.part_of)
    facts += [rows] if rows != "-" else []
    return f"{', '.join(facts)}: {row.reason}" if row.reason else ", ".join(facts)
