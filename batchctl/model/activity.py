"""Reports calls, transfers and waits while they are under way, so that no command is silent for long. Thread-safe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Flow(Protocol):
    """One operation that is under way."""

    def add(self, size: int) -> None:
        """Add transferred bytes."""
        ...


class Activity(Protocol):
    """Receives what the packages are busy with."""

    def running(self, what: str, total: int | None = None) -> AbstractContextManager[Flow]:
        """Report an operation that lasts until the end of the block. `total`: its bytes, if known."""
        ...

    def trying_again(self, why: str, seconds: float) -> None:
        """Report a call that failed and is repeated after `seconds`."""
        ...


class Unwatched:
    """Ignores all reports."""

    def add(self, size: int) -> None:
        """Ignore it."""

    @contextmanager
    def running(self, what: str, total: int | None = None) -> Iterator[Flow]:  # noqa: ARG002 - ignored
        """Ignore it."""
        yield self

    def trying_again(self, why: str, seconds: float) -> None:
        """Ignore it."""


UNWATCHED = Unwatched()
