"""The state of a stack as commands use it, wherever it is: a local file or a shared place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol, Self

from batchctl.model.desired import DesiredJob
from batchctl.model.events import Event
from batchctl.model.ports.state import StateSession
from batchctl.model.recorded import Recorded, StateVersion
from batchctl.model.writes import Write
from batchctl.state.lockfile import Holder
from batchctl.state.whole_state import Content


class StackSession(StateSession, Protocol):
    """A session whose complete content can be replaced."""

    def __enter__(self) -> Self: ...

    def replace_content(self, content: Content, kept: Sequence[Write] = ()) -> Path | str:
        """Replace the complete content; returns the backup that was made before. Raises StateError."""
        ...


class StackState(Protocol):
    """Implements StateStore. All methods raise StateError."""

    def load(self, like: Iterable[DesiredJob] = ()) -> Recorded: ...

    def version(self) -> StateVersion: ...

    def lock(self, *, over_marker: bool = False) -> StackSession:
        """Take the lock for one pass. `over_marker`: begin a new state where another one was moved away."""
        ...

    def leave(self, to: str, former: Recorded) -> Path | str:
        """Leave a marker that names the new place; returns the copy of the state that stays. Raises StateError."""
        ...

    def events(self, job: str | None, limit: int) -> list[Event]:
        """The newest `limit` events, of one job or of all, oldest first."""
        ...

    def content(self) -> Content:
        """The complete, checked content."""
        ...

    def copy_to(self, target: Path) -> None:
        """Write a consistent copy, also if another process writes."""
        ...

    def read_former(self, *, force: bool = False) -> Recorded:
        """The readable part of the state before it is rebuilt. Raises GuardError (`StateSound`)."""
        ...

    def rewrite(self, writes: Sequence[Write], former: Recorded, *, force: bool = False) -> Path | str | None:
        """Replace the state by one that contains only these writes; returns the place of the old one, if any."""
        ...

    def holder(self) -> Holder | None:
        """The holder of the lock; None if it is free."""
        ...

    def break_lock(self, expected: Holder | None) -> Holder | None:
        """Take the lock from this holder, which can no longer commit. Returns the holder that had it."""
        ...
