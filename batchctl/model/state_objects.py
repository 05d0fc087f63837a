"""The protocol of a shared place for a state: a few objects, each of which is replaced only from a known generation.

`state.shared` keeps a state and its lock there. A place only has to make one promise: a write that names a generation
is refused if the object has another one.
"""

from __future__ import annotations

from datetime import datetime
from typing import BinaryIO, Protocol

from msgspec import Struct

ABSENT = "0"
"""The generation of an object that does not exist."""


class Version(Struct, frozen=True):
    """An object as a reply showed it."""

    generation: str = ABSENT
    written: datetime | None = None
    """When this generation was written, by the clock of the place."""
    now: datetime | None = None
    """When the reply was sent, by the same clock; None if it does not say."""


class StateObjects(Protocol):
    """The objects of one shared state. Thread-safe. Each method raises ApiError.

    `suffix` names an object: empty for the state itself, `.lock` for its lock.
    """

    @property
    def address(self) -> str:
        """The address of the state, for people."""
        ...

    def find(self, suffix: str) -> Version:
        """The present version of an object."""
        ...

    def fetch(self, suffix: str, into: BinaryIO) -> Version:
        """Write the bytes of an object, all of one version, into an empty stream; returns that version."""
        ...

    def put(self, suffix: str, content: BinaryIO, expected: str) -> Version | None:
        """Replace the version `expected` by the content of a stream; None if the object has another version.

        A lost reply is settled by looking at the object. Content has to be unique for that. If the look is not
        possible either, ApiError is raised, and the write may still arrive.
        """
        ...

    def close(self) -> None: ...
