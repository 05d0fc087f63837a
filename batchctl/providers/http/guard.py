"""The thread that ends calls which take too long. There is one for all calls of the process.

It sleeps until the first call may have to end, but a few seconds at most. Most calls end before, and cost it nothing.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from batchctl.model.errors import ConnectionFailed
from batchctl.model.exhaustion import exhausted
from batchctl.providers.http.watch import Watch

_IDLE_SECONDS = 4.0
"""The thread ends when there was no call for so long; it never sleeps longer."""


class Guard:
    """Thread-safe. In a forked child it begins with no calls: those in progress are its parent's."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin without calls and without a thread."""
        self._changed = threading.Condition()
        self._calls: dict[Watch, Callable[[], None]] = {}
        self._thread: threading.Thread | None = None
        self._wakes = 0.0
        """When the thread looks at the calls next, on the monotonic clock."""

    @contextmanager
    def watching(self, watch: Watch, cut: Callable[[], None]) -> Iterator[Watch]:
        """Call `cut` once, from the thread, if the watch is over before the block ends.

        Raises ConnectionFailed when the machine cannot start the thread: then no call may be made.
        """
        with self._changed:
            self._start()
            self._calls[watch] = cut
            if time.monotonic() + watch.next_check() < self._wakes:
                self._changed.notify()
        try:
            yield watch
        finally:
            with self._changed:
                self._calls.pop(watch, None)

    def _start(self) -> None:
        if self._thread is not None:
            return
        thread = threading.Thread(target=self._run, name="guard of calls", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            raise _no_thread(error) from error
        self._thread = thread

    def _run(self) -> None:
        with self._changed:
            while self._calls or self._sleep(_IDLE_SECONDS):
                for watch in [watch for watch in self._calls if watch.over()]:
                    self._calls.pop(watch)()
                self._sleep(min([_IDLE_SECONDS, *(watch.next_check() for watch in self._calls)]))
            self._thread = None

    def _sleep(self, seconds: float) -> bool:
        """Wait until the time is up, or a call needs an earlier look; gives whether there are calls."""
        seconds = min(seconds, threading.TIMEOUT_MAX)
        self._wakes = time.monotonic() + seconds
        self._changed.wait(seconds)
        return bool(self._calls)


GUARD = Guard()
os.register_at_fork(after_in_child=GUARD.forget)


def _no_thread(error: RuntimeError) -> Exception:
    """The error when no thread can be started: the call is not made."""
    problem = exhausted(error)
    return error if problem is None else ConnectionFailed(problem.message, code=problem.code, hint=problem.hint)
