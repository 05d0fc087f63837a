"""How long something may take in all, and how much may be read for it, whatever calls, repeats and pages it comes to.

An allowance is in force for what its thread does inside of a block, and one that begins within another never outlives
it: the place where bytes come in asks `in_force` and knows nothing of lists, looks or repeats. Never put a `yield` of
a generator into such a block: the allowance would hold for whoever iterates.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Allowance:
    """Seconds on a clock that nobody sets, and bytes. `math.inf` bounds nothing.

    One thread may make it, and others work under it: then it bounds them together.
    """

    def __init__(
        self, seconds: float, size: float = float("inf"), *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.seconds = seconds
        self.size = size
        self._now = now
        self._end = now() + seconds
        self._room = size
        self._outer = _IN_FORCE.get()

    def left(self) -> float:
        """Seconds that are left; less than nothing when the time is up."""
        left = self._end - self._now()
        return left if self._outer is None else min(left, self._outer.left())

    def is_over(self) -> bool:
        """Whether the time is up."""
        return self.left() <= 0

    def full(self) -> Allowance | None:
        """The allowance that has no room for further bytes; None while there is some."""
        if self._room < 0:
            return self
        return None if self._outer is None else self._outer.full()

    def overdue(self) -> Allowance:
        """The allowance whose time is up first: its own, or one around it."""
        outer = None if self._outer is None else self._outer.overdue()
        return self if outer is None or self._end - self._now() <= outer.left() else outer

    def take(self, size: int) -> None:
        """So many bytes more have come."""
        self._room -= size
        if self._outer is not None:
            self._outer.take(size)

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Let it be in force for what this thread does in the block."""
        token = _IN_FORCE.set(self)
        try:
            yield
        finally:
            _IN_FORCE.reset(token)


_IN_FORCE: ContextVar[Allowance | None] = ContextVar("allowance", default=None)
_UNBOUNDED = Allowance(float("inf"))


def in_force() -> Allowance:
    """What bounds this thread now."""
    return _IN_FORCE.get() or _UNBOUNDED
