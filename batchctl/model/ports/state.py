"""The protocols of the state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from batchctl.model.desired import DesiredJob
from batchctl.model.recorded import Recorded, StateVersion
from batchctl.model.writes import Write


class StateSession(AbstractContextManager["StateSession"], Protocol):
    """The state, locked for writing by this process."""

    def load(self, like: Iterable[DesiredJob] = ()) -> Recorded:
        """All records. `like`: see `StateStore.load`. Raises StateError."""
        ...

    def commit(self, writes: Sequence[Write]) -> None:
        """Make all changes durable, or none. Raises StateError if another process has taken the lock."""
        ...

    def check(self) -> None:
        """Raise StateError if another process has taken the lock."""
        ...


class StateStore(Protocol):
    """The state file."""

    def load(self, like: Iterable[DesiredJob] = ()) -> Recorded:
        """A snapshot without locking; empty if there is no file yet. Raises StateError.

        `like`: jobs with whose texts the records share memory where they are equal.
        """
        ...

    def version(self) -> StateVersion:
        """The version of the present snapshot, without its records. Raises StateError."""
        ...

    def lock(self) -> StateSession:
        """Take the lock for one pass. Raises LockedError (exit 5) and StateError."""
        ...
