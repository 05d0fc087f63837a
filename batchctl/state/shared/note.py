"""The content of a lock object: who holds the lock of a shared state, in which epoch, and how long the lease is."""

from __future__ import annotations

import json

from msgspec import Struct
from msgspec.structs import replace

from batchctl.state.cells import read_number, read_object, read_text
from batchctl.state.lockfile import Holder, holder_of


class Note(Struct, frozen=True):
    """One version of the lock object. Two versions are never equal: a lost reply is settled by the content."""

    epoch: int
    nonce: str
    """Drawn by the process that wrote it."""
    beat: int
    """Counts the versions that this process wrote."""
    holder: Holder | None = None
    """None: the lock is free."""
    seconds: float | None = None
    """The length of the lease; None if the lock is free."""

    def renewed(self) -> Note:
        return replace(self, beat=self.beat + 1)

    def released(self) -> Note:
        return replace(self, beat=self.beat + 1, holder=None, seconds=None)

    def encode(self) -> bytes:
        holder = None if self.holder is None else self.holder.as_json()
        found = {
            "epoch": self.epoch,
            "holder": holder,
            "leaseSeconds": self.seconds,
            "nonce": self.nonce,
            "beat": self.beat,
        }
        return json.dumps(found).encode() + b"\n"


def read_note(content: bytes) -> Note:
    """Raises ValueError if it is not a note."""
    try:
        found = read_object(content.decode("utf-8"))
        seconds, holder = found["leaseSeconds"], found["holder"]
        if not (
            seconds is None or (isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds > 0)
        ):
            raise ValueError("leaseSeconds is not a number of seconds")
        if (seconds is None) != (holder is None):
            raise ValueError("a holder without a lease, or a lease without a holder")
        epoch = read_number(found["epoch"])
        return Note(
            epoch=epoch,
            nonce=read_text(found["nonce"]),
            beat=read_number(found["beat"]),
            holder=None if holder is None else _read_holder(holder, epoch),
            seconds=None if seconds is None else float(seconds),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"no valid {error}") from error


def _read_holder(value: object, epoch: int) -> Holder:
    if not isinstance(value, dict):
        raise ValueError("holder is not an object")  # noqa: TRY004 - all errors of a note are one kind
    return holder_of(value, epoch)
