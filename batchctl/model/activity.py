"""Reports calls, transfers and waits while they are under way, so that no command is silent for long. Thread-safe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from batchctl.model.observing import Ending, TokenUse, Work, observed


class Flow(Protocol):
    """One operation that is under way."""

    def add(self, size: int) -> None:
        """Add transferred bytes."""
        ...

    def expect(self, total: int) -> None:
        """Set the bytes to transfer, where they are known only after the start."""
        ...


class Activity(Protocol):
    """Receives what the packages are busy with."""

    def running(self, what: str, total: int | None = None) -> AbstractContextManager[Flow]:
        """Report an operation that lasts until the end of the block. `total`: its bytes, if known."""
        ...

    def trying_again(self, why: str, seconds: float) -> None:
        """Report a call that failed and is repeated after `seconds`."""
        ...

    def observing(self, work: Work) -> AbstractContextManager[Ending]:
        """Let observers see the work of the block."""
        ...

    def used(self, tokens: TokenUse) -> None:
        """Let observers count tokens."""
        ...


class Unwatched:
    """Ignores all reports."""

    def add(self, size: int) -> None:
        """Ignore it."""

    def expect(self, total: int) -> None:
        """Ignore it."""

    @contextmanager
    def running(self, what: str, total: int | None = None) -> Iterator[Flow]:  # noqa: ARG002 - ignored
        """Ignore it."""
        yield self

    def trying_again(self, why: str, seconds: float) -> None:
        """Ignore it."""

    def observing(self, work: Work) -> AbstractContextManager[Ending]:
        """Ignore it."""
        return observed((), work)

    def used(self, tokens: TokenUse) -> None:
        """Ignore it."""


UNWATCHED = Unwatched()
