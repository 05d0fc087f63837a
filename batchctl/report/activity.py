"""Reports slow work, so that a command is never silent for long.

A thread checks twice a second; the other packages only report the start and end of their work. Implements `Activity`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Protocol, Self

from msgspec import Struct

from batchctl.model.observing import Ending, Observer, TokenUse, Work, observed

TELL_AFTER = 1.5
"""Seconds after which work is reported as slow; with the time between two checks, at most two."""
CHECK_EVERY = 0.4
_NAMED = 3
"""The number of tasks that one line names."""


class Busy(Struct, frozen=True, gc=False):
    """A task that has run for a while."""

    number: int
    """Identifies the task."""
    what: str
    amount: str
    """`12.3 MB of 40.0 MB, 3.1 MB/s`, or the seconds since its start."""
    done: int = 0
    """Transferred bytes."""
    total: int | None = None
    """Bytes to transfer, if known."""

    @property
    def words(self) -> str:
        """It in one line."""
        return f"{self.what}: {self.amount}"


class Flowing:
    """A running task."""

    def __init__(self, what: str, started: float, total: int | None) -> None:
        self.what = what
        self.started = started
        self._total = total
        self._done = 0

    def add(self, size: int) -> None:
        """Add transferred bytes."""
        self._done += size

    def expect(self, total: int) -> None:
        """Set the bytes to transfer, which are known only now."""
        self._total = total

    def busy(self, number: int, now: float) -> Busy:
        """It as a slow task."""
        seconds = now - self.started
        if not self._done:
            return Busy(number, self.what, f"{seconds:.0f} s")
        from batchctl.report.purchase import bytes_text  # few commands move bytes

        of = "" if self._total is None else f" of {bytes_text(self._total)}"
        speed = bytes_text(self._done / seconds if seconds > 0 else self._done)
        return Busy(number, self.what, f"{bytes_text(self._done)}{of}, {speed}/s", self._done, self._total)


class Board:
    """All running tasks. Implements `Activity`."""

    def __init__(self, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._elapsed = elapsed
        self._lock = threading.Lock()
        self._flows: dict[int, Flowing] = {}
        self._number = 0
        self._tell: Callable[[str], None] | None = None
        self._last: tuple[str, float] | None = None
        self._observers: tuple[Observer, ...] = ()

    def observe_by(self, observer: Observer) -> None:
        """Let one more observer see what begins from now on."""
        self._observers = (*self._observers, observer)

    def observing(self, work: Work) -> AbstractContextManager[Ending]:
        """See `Activity`."""
        return observed(self._observers, work)

    def used(self, tokens: TokenUse) -> None:
        """See `Activity`."""
        for observer in self._observers:
            observer.used(tokens)

    @contextmanager
    def running(self, what: str, total: int | None = None) -> Iterator[Flowing]:
        """See `Activity`."""
        flow = Flowing(what, self._elapsed(), total)
        with self._lock:
            self._number += 1
            number = self._number
            self._flows[number] = flow
        try:
            yield flow
        finally:
            with self._lock:
                del self._flows[number]

    def trying_again(self, why: str, seconds: float) -> None:
        """Reported at once, and only once if many calls fail together for one reason."""
        now = self._elapsed()
        with self._lock:
            is_known = self._last is not None and self._last[0] == why and now - self._last[1] < TELL_AFTER
            tell = None if is_known else self._tell
            if tell is not None:
                self._last = (why, now)
        if tell is not None:
            tell(f"{why}; trying again in {seconds:.1f} s")

    def tell(self, message: str) -> bool:
        """Report something to the listener; whether there is one."""
        with self._lock:
            tell = self._tell
        if tell is not None:
            tell(message)
        return tell is not None

    def listen(self, tell: Callable[[str], None] | None) -> None:
        """Set the listener for repeated calls."""
        with self._lock:
            self._tell = tell

    def slow(self) -> tuple[Busy, ...]:
        """The slow tasks, oldest first."""
        now = self._elapsed()
        with self._lock:
            flows = [one for one in self._flows.items() if now - one[1].started >= TELL_AFTER]
        return tuple(flow.busy(number, now) for number, flow in flows)


class Listener(Protocol):
    """Shows slow tasks. Safe for threads."""

    def warn(self, message: str) -> None: ...

    def busy(self, things: Sequence[Busy]) -> None:
        """Show the slow tasks; called repeatedly, also while there are none."""
        ...


class Heartbeat:
    """Shows a board to a listener inside a `with` block."""

    def __init__(self, board: Board, listener: Listener) -> None:
        self._board = board
        self._listener = listener
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._is_running = False

    def __enter__(self) -> Self:
        self._board.listen(self._listener.warn)
        try:
            self._thread.start()
            self._is_running = True
        except RuntimeError:
            # The system allows no further thread; the work continues without these reports.
            self._is_running = False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._board.listen(None)
        self._over.set()
        if self._is_running:
            self._thread.join()

    def _beat(self) -> None:
        while not self._over.wait(CHECK_EVERY):
            self._listener.busy(self._board.slow())


def busy_words(things: Sequence[Busy]) -> str:
    """Slow tasks in one line."""
    more = f"; and {len(things) - _NAMED} more" if len(things) > _NAMED else ""
    return "; ".join(thing.words for thing in things[:_NAMED]) + more
