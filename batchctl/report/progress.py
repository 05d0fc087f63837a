"""The news of a running pass, for logs: as plain lines, as JSON lines, or as warnings only.

Implements the `Progress` protocol. Every kind is a context manager, so that whoever starts one need not know which
it is. All are called from one thread, the engine's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self, TextIO

from batchctl.model.desired import Json
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.ports import Clock
from batchctl.report.documents import to_json_line
from batchctl.report.escape import terminal
from batchctl.report.times import clock_time, rfc3339
from batchctl.report.words import phase_summary, plan_summary

REPEAT = timedelta(seconds=60)
"""How often an unchanged wait is said again, so that a CI runner does not take silence for a hang."""


class ProgressBase:
    """What all kinds have in common: entering and leaving does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class QuietProgress(ProgressBase):
    """`-q`: warnings only."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def planned(self, plan: Plan) -> None:
        """Says nothing."""

    def step(self, job: str, message: str) -> None:
        """Says nothing."""

    def warn(self, message: str) -> None:
        self._stream.write(f"warning: {terminal(message)}\n")
        self._stream.flush()

    def waiting(self, jobs: Sequence[JobPlan], seconds: float) -> None:
        """Says nothing."""


class PlainProgress(ProgressBase):
    """One line per event: `10:31:07Z translate-fr: created batches/abc (attempt 1)`. Times are UTC.

    A plan is told when its summary changed, a wait when its counts changed or a minute has gone by.
    """

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock
        self._last_plan = ""
        self._repeat = Repeat(clock)

    def planned(self, plan: Plan) -> None:
        summary = plan_summary(plan)
        if summary != self._last_plan:
            self._last_plan = summary
            self._write(summary)

    def step(self, job: str, message: str) -> None:
        self._write(f"{job}: {message}")

    def warn(self, message: str) -> None:
        self._write(f"warning: {message}")

    def waiting(self, jobs: Sequence[JobPlan], seconds: float) -> None:
        phases = phase_summary(job.phase for job in jobs)
        if self._repeat.is_due(phases):
            self._write(f"waiting: {phases or 'no jobs'}; next look in {seconds:.0f}s")

    def _write(self, message: str) -> None:
        self._stream.write(f"{clock_time(self._clock.now())} {terminal(message)}\n")
        self._stream.flush()


class JsonLinesProgress(ProgressBase):
    """`--log-format json`: one object a line with `time`, `level`, `event`, `message` and what belongs to the event.

    Every plan is told, so that a log has the whole course; waits as with `PlainProgress`.
    """

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock
        self._repeat = Repeat(clock)

    def planned(self, plan: Plan) -> None:
        self._write("info", "planned", plan_summary(plan), stack=plan.stack, summary=plan.summary())

    def step(self, job: str, message: str) -> None:
        self._write("info", "step", message, job=job)

    def warn(self, message: str) -> None:
        self._write("warning", "warning", message)

    def waiting(self, jobs: Sequence[JobPlan], seconds: float) -> None:
        phases = phase_summary(job.phase for job in jobs)
        if self._repeat.is_due(phases):
            self._write("info", "waiting", phases, seconds=seconds)

    def _write(self, level: str, event: str, message: str, **facts: Json) -> None:
        time = rfc3339(self._clock.now())
        self._stream.write(to_json_line({"time": time, "level": level, "event": event, "message": message, **facts}))
        self._stream.flush()


class Repeat:
    """Tells when something that is said again and again is worth saying."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: tuple[str, datetime] | None = None

    def is_due(self, text: str) -> bool:
        """Whether `text` is new, or a minute old; then it counts as said."""
        now = self._clock.now()
        if self._last is not None and self._last[0] == text and now - self._last[1] < REPEAT:
            return False
        self._last = (text, now)
        return True
