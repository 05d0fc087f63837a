"""`status -w`: a table that is kept up to date on a terminal, a line for each change elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self, TextIO, cast

from msgspec.structs import replace
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from batchctl.model.plan import JobPlan
from batchctl.model.ports import Clock
from batchctl.model.states import ENDED_PHASES, NO_GOOD_PHASES
from batchctl.report.display_times import clock_time
from batchctl.report.escape import terminal
from batchctl.report.fit import fit
from batchctl.report.layout import count, outside, write_line
from batchctl.report.progress import PlainProgress, QuietProgress
from batchctl.report.reports import StatusReport, StatusRow
from batchctl.report.status_text import status_columns, status_summary
from batchctl.report.words import rows_text, state_text

_FOOT_LINES = 4
"""Lines beside the jobs: the header, the number of omitted jobs, the counts, the time of the next look."""


class LiveStatus(QuietProgress):
    """The table of `status`, as many jobs as the screen has lines for. The last one stays on the screen."""

    def __init__(self, console: Console, clock: Clock, *, verbose: bool) -> None:
        super().__init__(cast(TextIO, console.file))
        self._console = console
        self._clock = clock
        self._verbose = verbose
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.start()
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self._live.stop()

    def warn(self, message: str) -> None:
        with self._lock:
            warning = Text.assemble(("warning", "yellow"), ": ", outside(message))
            write_line(self._console, (clock_time(self._clock.now()), "dim"), " ", warning)

    def show(self, report: StatusReport) -> None:
        """Show the jobs as they are now, in the order of the report."""
        now = self._clock.now()
        room = max(1, self._console.height - _FOOT_LINES)
        shown = replace(report, jobs=report.jobs[:room])
        lines = fit(status_columns(shown, now, verbose=self._verbose), self._console.width) if shown.jobs else []
        more = len(report.jobs) - len(shown.jobs)
        rest = [Text(f"and {count(more, 'more job')}", "dim")] if more else []
        summary = Text(status_summary(report), "bold")
        foot = Text(f"as of {clock_time(now)}; Ctrl-C ends", "dim")
        with self._lock:
            self._live.update(Group(*lines, *rest, summary, foot), refresh=True)


class StatusLines(PlainProgress):
    """A line for each job and then for each change: `10:31:07Z translate-fr: Active, RUNNING, ?/3: running`.

    Warnings go to `warnings`, so that the lines stay alone.
    """

    def __init__(self, stream: TextIO, warnings: TextIO, clock: Clock) -> None:
        super().__init__(warnings, clock)
        self._lines = stream
        self._last: dict[str, str] = {}

    def waiting(self, jobs: Sequence[JobPlan], seconds: float) -> None:
        """Ignore it: a change is reported when it is seen."""

    def show(self, report: StatusReport) -> None:
        """Write what has changed since the last report."""
        now = {row.job: status_line(row) for row in report.jobs}
        changed = [f"{job}: {line}" for job, line in now.items() if self._last.get(job) != line]
        gone = [f"{job}: removed" for job in self._last if job not in now]
        self._last = now
        for line in (*changed, *gone):
            self._lines.write(f"{clock_time(self._clock.now())} {terminal(line)}\n")
        self._lines.flush()


def by_attention(report: StatusReport) -> StatusReport:
    """First the jobs that need a person, then those that have not ended, then the others; each by name."""
    ended = [row for row in report.jobs if row.phase in ENDED_PHASES - NO_GOOD_PHASES]
    failed = [row for row in report.jobs if row.phase in NO_GOOD_PHASES]
    going = [row for row in report.jobs if row.phase not in ENDED_PHASES | NO_GOOD_PHASES]
    return replace(report, jobs=(*failed, *going, *ended))


def status_line(row: StatusRow) -> str:
    """One job on one line, without its name. Not escaped."""
    facts = [row.phase.value]
    facts += [state_text(row.state)] if row.state else []
    facts += [f"attempt {row.attempt}"] if row.attempt is not None and row.attempt > 1 else []
    rows = rows_text(row.rows, row.part_of)
    facts += [rows] if rows != "-" else []
    return f"{', '.join(facts)}: {row.reason}" if row.reason else ", ".join(facts)
