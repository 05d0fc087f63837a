"""What is under way right now, for whoever looks on: calls, transfers and waits. Safe for threads.

Nothing here decides anything; it is told so that no command is silent for long.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Flow(Protocol):
    """One thing that is under way."""

    def add(self, size: int) -> None:
        """So many bytes more have gone over."""
        ...


class Activity(Protocol):
    """Where rooms say what they are busy with."""

    def running(self, what: str, total: int | None = None) -> AbstractContextManager[Flow]:
        """Something that takes a while, from here to the end of the block. `total`: bytes, where they are known."""
        ...

    def trying_again(self, why: str, seconds: float) -> None:
        """A call failed, and is made again after so many seconds."""
        ...


class Unwatched:
    """Nobody looks on."""

    def add(self, size: int) -> None:
        """Counts nothing."""

    @contextmanager
    def running(self, what: str, total: int | None = None) -> Iterator[Flow]:  # noqa: ARG002 - nobody is interested
        """Says nothing."""
        yield self

    def trying_again(self, why: str, seconds: float) -> None:
        """Says nothing."""


UNWATCHED = Unwatched()
