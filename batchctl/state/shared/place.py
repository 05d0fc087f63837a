"""The protocol of a shared place for a state: read it, take its lock, and write while the lock is held.

`shared.bucket` implements it over objects of a bucket, `state.postgres` over tables of a database.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from msgspec import Struct

from batchctl.state.lockfile import Holder
from batchctl.state.session import FileSession
from batchctl.state.shared.lease import Claim


class Found(Struct, frozen=True):
    """A lock as its place shows it."""

    claim: Claim | None
    """None: there is no lock."""
    named: Holder | None
    """The process in the lock, also after its lease has ended."""

    @property
    def holder(self) -> Holder | None:
        """The process that may act on the lock; None if there is none."""
        return self.named if self.claim is not None and self.claim.is_held else None


class Held(Protocol):
    """The lock while this process holds it. Thread-safe. All methods raise StateError."""

    must_fence: bool
    """Whether a former holder may still write, until this process has written."""

    def require(self) -> None:
        """Raise if this process may no longer act."""
        ...

    def confirm(self) -> None:
        """Look at the lock, and raise if another process has it: what was just read is not ours to use."""
        ...

    def begin(self, inner: FileSession) -> None:
        """Prepare for writes: `inner` is the session of a copy of the present version, not changed yet."""
        ...

    def push(self, inner: FileSession, copy: Path, expected: str) -> str | None:
        """Write the content of a copy back; returns its version, or None if `expected` is no longer the present one."""
        ...

    def replace(self, file: Path, expected: str) -> str | None:
        """Write a whole file, a state or a marker, in place of a version. Returns as `push`."""
        ...

    def keep(self, suffix: str, file: Path) -> None:
        """Keep a copy, such as a backup, beside the state."""
        ...

    def copy_name(self, suffix: str) -> str:
        """Where such a copy is, for people."""
        ...

    def release(self) -> None:
        """Free the lock, if this process still has it."""
        ...

    def abandon(self) -> None:
        """Leave the lock until its lease ends: a write may still be under way."""
        ...


class Place(Protocol):
    """A place that several machines use. Thread-safe. All methods raise StateError."""

    @property
    def address(self) -> str:
        """The address of the state, for people."""
        ...

    def find(self) -> str:
        """The present version of the state; ABSENT if there is none."""
        ...

    def fetch(self, path: Path) -> str:
        """Write the present version to a new file; returns the version. ABSENT: there is none, and no file."""
        ...

    def look(self) -> Found:
        """The lock as it is."""
        ...

    def take(self, holder: Holder, broken: int | None = None) -> Held | Found:
        """Take the lock; returns what was found if another process holds it. `broken` is an epoch to take it from."""
        ...
