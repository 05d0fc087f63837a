"""Decides who may write to a shared state. Pure: no I/O and no clock, so that all sequences of events can be searched.

The lock is an object with a note. Its holder renews it; when the lease has ended, another process may take it over.
Two rules keep two processes from writing:

* Every write names the generation that it replaces. A process that takes the lock over writes the state once before it
  reads it for good (the fence), so the generation that the former holder knows is gone.
* A holder counts its lease from before it sent the renewal, and others from when the place received it. So the holder
  stops first, if both clocks run equally fast.
"""

from __future__ import annotations

from msgspec import Struct

LEASE_SECONDS = 20.0
"""Shorter than the default of `--lock-timeout`, so that the next run of a killed one need not be repeated."""
_USABLE = 0.75
"""The part of the lease in which its holder acts. The rest covers a call that was just sent."""
_BEATS = 4
"""Renewals in the time of one lease."""


class Lease(Struct, frozen=True):
    """The times of one lease, in seconds."""

    seconds: float = LEASE_SECONDS

    @property
    def beat(self) -> float:
        """The pause between two renewals."""
        return self.seconds / _BEATS

    def may_act(self, since: float) -> bool:
        """Whether the holder may act, by the seconds since it sent the last renewal that was accepted."""
        return since < self.seconds * _USABLE


class Claim(Struct, frozen=True):
    """A lock as the place shows it."""

    epoch: int
    """Raised by each process that takes the lock."""
    seconds: float | None
    """The length of the lease; None: the lock is free."""
    age: float | None = None
    """Seconds since the last renewal, by the clock of the place; None: not known, so the lease has not ended."""

    @property
    def is_held(self) -> bool:
        """Whether another process may still act on it."""
        return self.seconds is not None and (self.age is None or self.age < self.seconds)


class Take(Struct, frozen=True):
    """The way to take a lock."""

    epoch: int
    must_fence: bool
    """Whether a former holder may still write, because it did not release the lock."""


def decide_take(found: Claim | None, broken: int | None = None) -> Take | None:
    """The way to take the lock that was found; None: its holder has it. `broken` is an epoch that counts as ended.

    A lock that does not exist may have been deleted under its holder.
    """
    if found is None:
        return Take(1, must_fence=True)
    if found.seconds is None:
        return Take(found.epoch + 1, must_fence=False)
    if found.is_held and found.epoch != broken:
        return None
    return Take(found.epoch + 1, must_fence=True)
