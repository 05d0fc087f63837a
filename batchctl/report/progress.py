"""Progress for logs: plain lines, or only warnings. Lines of JSON are in `progress_log`.

Implements `Progress`. Every kind is a context manager, so that callers can use all of them in the same way.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from batchctl.model.plan import JobPlan, Plan
from batchctl.report.activity import Board, Busy, Heartbeat, busy_words
from batchctl.report.display_times import clock_time
from batchctl.report.escape import terminal
from batchctl.report.reports import StatusReport
from batchctl.report.words import plan_summary

if TYPE_CHECKING:
    from batchctl.model.ports.surroundings import Clock

STOPPING = "finishing what is in flight (again to leave at once)"
REPEAT = timedelta(seconds=60)
"""The interval at which an unchanged wait is repeated, so that a CI runner does not assume a hang."""


class ProgressBase:
    """The base of all kinds. Inside its `with` block it reports slow work, after a call of `follow`.

    These reports come from another thread, so each kind writes under a lock.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._heartbeat: Heartbeat | None = None

    def follow(self, board: Board) -> Self:
        """Report the slow tasks of the board."""
        self._heartbeat = Heartbeat(board, self)
        return self

    def __enter__(self) -> Self:
        if self._heartbeat is not None:
            self._heartbeat.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._heartbeat is not None:
            self._heartbeat.__exit__(kind, error, trace)

    def warn(self, message: str) -> None:
        """Print a warning."""
        raise NotImplementedError

    def busy(self, things: Sequence[Busy]) -> None:
        """See `Listener`."""

    def passed(self, after: Callable[[], Plan]) -> None:
        """A pass has been made; `after` gives the plan of the state that it left."""

    def looked(self, report: StatusReport) -> None:
        """A command that makes no pass has looked at these jobs."""

    @contextmanager
    def aside(self) -> Iterator[None]:
        """In this block, others may write to the terminal."""
        yield

    def stopping(self) -> bytes:
        """Report that a signal ends the work in an orderly way; gives what the caller writes to standard error.

        Called in a signal handler, so it takes no lock and writes nothing.
        """
        return f"\nstopping: {STOPPING}\n".encode()

    def last_words(self) -> bytes:
        """The bytes to write to standard error before the process ends at once."""
        return b""


class QuietProgress(ProgressBase):
    """`-q`: warnings only."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def planned(self, plan: Plan) -> None:
        """Ignore it."""

    def step(self, job: str, message: str, attempt: int | None = None) -> None:
        """Ignore it."""

    def warn(self, message: str) -> None:
        with self._lock:
            self._stream.write(f"warning: {terminal(message)}\n")
            self._stream.flush()

    def waiting(self, jobs: Sequence[JobPlan], seconds: float) -> None:
        """Ignore it."""


class PlainProgress(ProgressBase):
    """One line per event: `10:31:07Z translate-fr: created batches/abc (attempt 1)`. Times are UTC.

    A plan is reported if its summary changed, a wait if its counts changed or a minute has passed.
    """

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        super().__init__()
        self._stream = stream
        self._clock = clock
        self._last_plan = ""
        self._calm = Calm(clock)
        self._repeat = Repeat(clock)

    def planned(self, plan: Plan) -> None:
        summary = plan_summary(plan)
        if summary != self._last_plan:
            self._last_plan = summary
            self._write(summary)

    def step(self, job: str, message: str, attempt: int | None = None) -> None:  # noqa: ARG002 - the message names it
        self._write(f"{job}: {message}")

    def warn(self, message: str) -> None:
        self._write(f"warning: {message}")

    def waiting(self, jobs: Sequence[JobPlan], seconds: float) -> None:
        from batchctl.report.waits import last_end_words, wait_words

        words = wait_words(jobs)
        if self._repeat.is_due(words):
            # The expected end moves with each look: it is no news by itself.
            when = f"in {seconds:.0f}s" if seconds else "now"
            self._write(f"waiting: {words or 'no jobs'}{last_end_words(jobs)}; next check {when}")

    def busy(self, things: Sequence[Busy]) -> None:
        if self._calm.is_due(things):
            self._write(f"busy: {busy_words(things)}")

    def _write(self, message: str) -> None:
        with self._lock:
            self._stream.write(f"{clock_time(self._clock.now())} {terminal(message)}\n")
            self._stream.flush()


class Calm:
    """Decides when a log reports slow tasks: at once for each new task, then less and less often."""

    _FIRST, _LONGEST = timedelta(seconds=5), timedelta(seconds=60)

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next: datetime | None = None
        self._pause = self._FIRST
        self._reported: frozenset[int] = frozenset()

    def is_due(self, things: Sequence[Busy]) -> bool:
        """Whether a report is due; it then counts as made."""
        now, numbers = self._clock.now(), frozenset(thing.number for thing in things)
        is_news = not numbers <= self._reported
        self._reported = numbers
        if not things:
            return False
        if is_news:
            self._pause = self._FIRST
        elif self._next is not None and now < self._next:
            return False
        self._next, self._pause = now + self._pause, min(self._pause * 2, self._LONGEST)
        return True


class Repeat:
    """Decides when a repeated message is due."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: tuple[str, datetime] | None = None

    def is_due(self, text: str) -> bool:
        """Whether `text` is new or a minute old; it then counts as reported."""
        now = self._clock.now()
        if self._last is not None and self._last[0] == text and now - self._last[1] < REPEAT:
            return False
        self._last = (text, now)
        return True
