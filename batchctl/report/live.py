"""Progress on a terminal: lines, above a table of jobs that is kept up to date.

Implements `Progress`. Redraws on each event, without a thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from batchctl.model.plan import JobPlan, Plan
from batchctl.model.ports import Clock
from batchctl.model.states import ENDED_PHASES, FAILED_PHASES, Phase
from batchctl.report.activity import Busy, busy_words
from batchctl.report.console import is_terminal
from batchctl.report.display_times import age, clock_time
from batchctl.report.fit import Column, fit
from batchctl.report.layout import count, outside, write_line
from batchctl.report.log import JsonLog
from batchctl.report.progress import JsonLinesProgress, PlainProgress, ProgressBase, QuietProgress
from batchctl.report.waits import timer_words
from batchctl.report.words import PHASE_STYLES, phase_summary, plan_summary, rows_text, state_text

FOOT_LINES = 4
"""Lines beside the jobs: the header, the number of omitted jobs, the current work, the counts."""

_STAYING = FAILED_PHASES | {Phase.BLOCKED}
"""Phases that need a person: these jobs come first and stay in the table."""

_HEADER = ("JOB", "PHASE", "STATE", "ROWS", "MODEL", "AGE", "REASON")


class LiveProgress(ProgressBase):
    """A table of the jobs that failed or have not ended. It is redrawn on every event, and removed at the end.

    It takes at most two thirds of the screen. States, counts and ages are those of the last plan.
    """

    def __init__(self, console: Console, clock: Clock) -> None:
        super().__init__()
        self._console = console
        self._clock = clock
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._jobs: dict[str, JobPlan] = {}
        self._going: list[JobPlan] = []
        """The jobs of the table and the counts of all jobs; they change with each plan, not with each event."""
        self._phases = "no jobs"
        self._news: dict[str, str] = {}
        self._next = ""
        self._last_plan = ""
        self._busy: Sequence[Busy] = ()

    def __enter__(self) -> Self:
        self._live.start()
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self._live.stop()

    def planned(self, plan: Plan) -> None:
        with self._lock:
            self._take({job.job: job for job in plan.jobs})
            self._news = {}
            self._next = ""
            summary = plan_summary(plan)
            if summary != self._last_plan:
                self._last_plan = summary
                self._say(Text(summary, style="bold"))
            self._draw()

    def step(self, job: str, message: str, attempt: int | None = None) -> None:  # noqa: ARG002 - the message names it
        with self._lock:
            self._news[job] = message
            self._say(Text.assemble(outside(job, "bold"), ": ", outside(message)))
            self._draw()

    def warn(self, message: str) -> None:
        with self._lock:
            self._say(Text.assemble(("warning", "yellow"), ": ", outside(message)))
            self._draw()

    def waiting(self, jobs: Sequence[JobPlan], seconds: float) -> None:
        with self._lock:
            self._take(self._jobs | {job.job: job for job in jobs})
            timers = timer_words(jobs)
            self._next = f"{'; ' if timers else ''}{timers}; next check in {seconds:.0f}s"
            self._draw()

    def busy(self, things: Sequence[Busy]) -> None:
        with self._lock:
            self._busy = things
            self._draw()

    def _take(self, jobs: dict[str, JobPlan]) -> None:
        self._jobs = jobs
        failed = [job for job in jobs.values() if job.phase in _STAYING]
        going = [job for job in jobs.values() if job.phase not in ENDED_PHASES | _STAYING]
        self._going = failed + going
        self._phases = phase_summary(job.phase for job in jobs.values()) or "no jobs"

    def _say(self, text: Text) -> None:
        write_line(self._console, (clock_time(self._clock.now()), "dim"), " ", text)

    def _draw(self) -> None:
        self._live.update(self._picture(), refresh=True)

    def _picture(self) -> RenderableType:
        going = self._going
        shown = going[: max(1, self._console.height * 2 // 3 - FOOT_LINES)]
        rest = [Text(f"and {count(len(going) - len(shown), 'more job')}", "dim")] if len(going) > len(shown) else []
        busy = [outside(busy_words(self._busy), "dim")] if self._busy else []
        return Group(*self._table(shown), *rest, *busy, Text(f"{self._phases}{self._next}", "bold"))

    def _table(self, jobs: Sequence[JobPlan]) -> list[Text]:
        if not jobs:
            return []
        cells = zip(*(self._cells(job) for job in jobs), strict=True)
        columns = [Column(title, column) for title, column in zip(_HEADER, cells, strict=True)]
        return fit(columns, self._console.width)

    def _cells(self, job: JobPlan) -> tuple[Text, ...]:
        attempt = job.attempt
        return (
            outside(job.job, "bold"),
            Text(job.phase.value, PHASE_STYLES[job.phase]),
            outside(state_text(attempt.state if attempt else None)),
            Text(rows_text(attempt.rows) if attempt else "-"),
            outside(job.size.model or "-"),
            Text(age(attempt.create_time if attempt else None, self._clock.now())),
            outside(self._news.get(job.job, job.reason)),
        )


Lines = PlainProgress | JsonLinesProgress | QuietProgress
AnyProgress = LiveProgress | Lines
"""Every kind implements `Progress` and is a context manager."""


def make_progress(
    console: Console,
    stream: TextIO,
    clock: Clock,
    env: Mapping[str, str],
    *,
    log: JsonLog | None,
    quiet: bool,
) -> AnyProgress:
    """The progress for these options: JSON if there is a log, else quiet, else live on a terminal, else plain lines.

    `console` writes to `stream`, which is standard error.
    """
    if log is not None or quiet or not is_terminal(stream, env):
        return make_lines(stream, clock, log=log, quiet=quiet)
    return LiveProgress(console, clock)


def make_lines(stream: TextIO, clock: Clock, *, log: JsonLog | None, quiet: bool) -> Lines:
    """The progress without a table."""
    if log is not None:
        return JsonLinesProgress(log, clock)
    return QuietProgress(stream) if quiet else PlainProgress(stream, clock)
