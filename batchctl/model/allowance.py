"""Limits the time and the bytes of an operation, over all of its calls, repeats and pages.

An allowance applies to everything that its thread does inside a block. An inner allowance never lasts longer than the
outer one. The code that receives bytes asks `in_force` and does not know the operation. Never use `yield` of a
generator inside such a block: the allowance would apply to the code that iterates.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Allowance:
    """Seconds on a monotonic clock, and bytes. `math.inf` means no limit.

    Several threads may share one: then it limits them together.
    """

    def __init__(
        self, seconds: float, size: float = float("inf"), *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.seconds = seconds
        self.size = size
        self._now = now
        self._end = now() + seconds
        self._bytes_left = size
        self._outer = _IN_FORCE.get()

    def left(self) -> float:
        """The seconds that are left; negative if the time is up."""
        left = self._end - self._now()
        return left if self._outer is None else min(left, self._outer.left())

    def is_over(self) -> bool:
        """Whether the time is up."""
        return self.left() <= 0

    def full(self) -> Allowance | None:
        """The allowance whose bytes are used up, its own or an outer one; None if there are bytes left."""
        if self._bytes_left < 0:
            return self
        return None if self._outer is None else self._outer.full()

    def overdue(self) -> Allowance:
        """The allowance that ends first: its own, or an outer one."""
        outer = None if self._outer is None else self._outer.overdue()
        return self if outer is None or self._end - self._now() <= outer.left() else outer

    def take(self, size: int) -> None:
        """Count received bytes."""
        self._bytes_left -= size
        if self._outer is not None:
            self._outer.take(size)

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Apply it to everything that this thread does in the block."""
        token = _IN_FORCE.set(self)
        try:
            yield
        finally:
            _IN_FORCE.reset(token)


_IN_FORCE: ContextVar[Allowance | None] = ContextVar("allowance", default=None)
_UNBOUNDED = Allowance(float("inf"))


def in_force() -> Allowance:
    """The allowance of this thread."""
    return _IN_FORCE.get() or _UNBOUNDED
