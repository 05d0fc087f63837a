"""The live screen: lines of progress, and below them the jobs, kept up to date. Implements `Progress`.

It is painted on events, and by the heartbeat while there are none, so that ages and waits go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import TracebackType

from msgspec.structs import replace

from batchctl.model.durations import in_units
from batchctl.model.events import Event
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.ports.surroundings import Clock
from batchctl.report.activity import Busy
from batchctl.report.console import Console
from batchctl.report.display_times import clock_time
from batchctl.report.layout import LEAST_WIDTH, outside
from batchctl.report.progress import STOPPING, ProgressBase
from batchctl.report.reports import StatusReport, plan_rows
from batchctl.report.rich_text import wrapped
from batchctl.report.screen.draw import draw
from batchctl.report.screen.overview import make_overview
from batchctl.report.screen.painter import RESTORE, Painter
from batchctl.report.screen.view import ScreenView
from batchctl.report.text import Text
from batchctl.report.waits import timer_words
from batchctl.report.words import plan_summary

LEAST_PAUSE = 0.1
"""Seconds between two paintings while one event follows the other."""
TICK = 1.0
"""Seconds after which the screen is painted without an event."""
ENDS = "Ctrl-C ends, the jobs continue"


class Screen(ProgressBase):
    """The screen of one command. Without a plan or a report, it is only lines and slow work."""

    def __init__(
        self,
        console: Console,
        clock: Clock,
        *,
        verbose: bool = False,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._console = console
        self._clock = clock
        self._elapsed = elapsed
        self._painter = Painter(console)
        self._view = ScreenView(clock.now(), verbose=verbose, is_unicode=console.encoding.startswith("utf"))
        self._news: dict[str, str] = {}
        self._lines: list[tuple[datetime, Text]] = []
        """Lines with their times, to write above the jobs at the next painting."""
        self._last_plan = ""
        self._next: datetime | None = None
        """When the next pass or look is."""
        self._painted: float | None = None
        self._has_changed = False
        self._is_stopping = False
        self._stays = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        with self._lock:
            if self._stays:
                self._paint(foot="")
                self._painter.leave()
                return
            if self._lines:
                self._paint()
            self._painter.erase()

    def planned(self, plan: Plan) -> None:
        with self._lock:
            self._news, self._next = {}, None
            self._view = replace(self._view, waits="")
            self._look_at(plan)
            summary = plan_summary(plan)
            if summary != self._last_plan:
                self._last_plan = summary
                self._say(Text(summary, style="bold"))
            self._event()

    def step(self, job: str, message: str, attempt: int | None = None) -> None:  # noqa: ARG002 - the message names it
        with self._lock:
            self._news[job] = message
            self._say(Text.assemble(outside(job, "bold"), ": ", outside(message)))
            self._event()

    def warn(self, message: str) -> None:
        with self._lock:
            self._say(Text.assemble(("warning", "yellow"), ": ", outside(message)))
            self._event()

    def waiting(self, jobs: Sequence[JobPlan], seconds: float) -> None:
        with self._lock:
            self._next = self._clock.now() + timedelta(seconds=seconds)
            self._view = replace(self._view, waits=timer_words(jobs))
            self._event()

    def passed(self, after: Callable[[], Plan]) -> None:
        with self._lock:
            # Nothing was done: the jobs are as planned.
            if self._news:
                self._look_at(after())
                self._event()

    def busy(self, things: Sequence[Busy]) -> None:
        with self._lock:
            if things or self._view.tasks:
                self._view = replace(self._view, tasks=tuple(things))
                self._has_changed = True
            is_due = self._painted is not None and self._elapsed() - self._painted >= TICK
            if self._has_changed or (is_due and self._view.overview is not None):
                self._paint()

    def looked(self, report: StatusReport) -> None:
        self._show(report, in_order=False)

    def show(self, report: StatusReport, *, in_order: bool) -> None:
        """Show the jobs as they are now; these stay on the screen at the end.

        `in_order`: in the order of the report, because a person chose it.
        """
        self._stays = True
        self._show(report, in_order=in_order)

    def _show(self, report: StatusReport, *, in_order: bool) -> None:
        with self._lock:
            now = self._clock.now()
            overview = make_overview(report.stack, report.jobs, now, report.forecast, in_order=in_order)
            self._view = replace(self._view, overview=overview)
            self._event()

    def happened(self, events: Sequence[Event]) -> None:
        """Write what other processes have done, with the times at which they did it."""
        with self._lock:
            for event in events:
                why = event.why if event.error_code is None else f"{event.error_code}: {event.why}"
                words = f"{event.what} {why}".rstrip()
                self._lines.append((event.time, Text.assemble(outside(event.job, "bold"), ": ", outside(words))))

    @contextmanager
    def aside(self) -> Iterator[None]:
        with self._lock:
            self._painter.erase()
            yield
            self._event()

    def stopping(self) -> bytes:
        # In a signal handler: the heartbeat shows it, because a painting may be under way.
        self._is_stopping = self._has_changed = True
        return b""

    def last_words(self) -> bytes:
        return f"\n{RESTORE}".encode()

    def _look_at(self, plan: Plan) -> None:
        overview = make_overview(plan.stack, plan_rows(plan), self._clock.now(), plan.forecast)
        self._view = replace(self._view, overview=overview)

    def _say(self, text: Text) -> None:
        self._lines.append((self._clock.now(), text))

    def _event(self) -> None:
        """Paint now, or soon, if that was a moment ago."""
        self._has_changed = True
        if self._painted is None or self._elapsed() - self._painted >= LEAST_PAUSE:
            self._paint()

    def _paint(self, foot: str | None = None) -> None:
        self._painted, self._has_changed = self._elapsed(), False
        now = self._clock.now()
        self._view = replace(self._view, now=now, news=self._news, foot=self._foot(now) if foot is None else foot)
        width, height = self._console.size
        above = [line for moment, text in self._lines for line in _log_lines(moment, text, width)]
        self._painter.paint(draw(self._view, width, height), above, width)
        self._lines.clear()

    def _foot(self, now: datetime) -> str:
        if self._is_stopping:
            return f"stopping: {STOPPING}"
        if self._view.overview is None:
            return ""
        if self._next is None:
            return ENDS
        return f"next check in {in_units(max(0, round((self._next - now).total_seconds())), 2)}; {ENDS}"


def _log_lines(moment: datetime, text: Text, width: int) -> list[Text]:
    """A line with its time; a long one goes on below its text."""
    head = Text(f"{clock_time(moment)} ", "dim")
    space = width - head.cell_len
    first, *rest = wrapped(text, space) if space >= LEAST_WIDTH else [text]
    return [Text.assemble(head, first), *(Text.assemble(" " * head.cell_len, line) for line in rest)]
