"""The protocol of a shared place: objects, each of which is replaced only from a known generation.

`state.shared` keeps a state and its lock there, and `rows.bucket` keeps results. A place only has to make one promise:
a write that names a generation is refused if the object has another one.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO, Protocol

from msgspec import Struct

ABSENT = "0"
"""The generation of an object that does not exist."""
PROBE = ".probe"
_NONCE_BYTES = 12
_NEVER_A_GENERATION = "1"


class Version(Struct, frozen=True):
    """An object as a reply showed it."""

    generation: str = ABSENT
    written: datetime | None = None
    """When this generation was written, by the clock of the place."""
    now: datetime | None = None
    """When the reply was sent, by the same clock; None if it does not say."""
    size: int = 0
    """Bytes."""
    md5: str | None = None
    """Base64 of the MD5 of the bytes, as the place computed it; None if it does not say."""

    def has(self, size: int, md5: str) -> bool:
        """Whether the object has this content."""
        return self.generation != ABSENT and (self.size, self.md5) == (size, md5)


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


class ResultObjects(StateObjects, Protocol):
    """The objects below one address, for results. Thread-safe. Each method raises ApiError."""

    def list(self) -> Iterator[tuple[str, Version]]:
        """All objects, each with its suffix, in no order that matters."""
        ...

    def read(self, suffix: str, version: Version) -> Iterator[bytes]:
        """The bytes of one version, streamed. Raises NotFound, or BadRequest with HTTP 412, if it is another by now."""
        ...

    def delete(self, suffix: str) -> None:
        """Delete an object. Raises NotFound."""
        ...


def ignores_preconditions(objects: StateObjects) -> bool:
    """Whether the server breaks the promise: it accepts a write to another generation. Raises ApiError."""
    # If the first write succeeds, the object is new, or the server ignores preconditions: the second decides.
    was_new = _try_probe(objects, ABSENT)
    return (was_new and _try_probe(objects, ABSENT)) or _try_probe(objects, _NEVER_A_GENERATION)


def _try_probe(objects: StateObjects, expected: str) -> bool:
    content = f"batchctl checks preconditions: {secrets.token_hex(_NONCE_BYTES)}\n".encode()
    return objects.put(PROBE, io.BytesIO(content), expected) is not None
