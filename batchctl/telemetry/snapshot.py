"""The state of a stack at one moment, from which metrics are computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded


class Snapshot(Struct, frozen=True):
    """A plan, whose phases count, and the record that it was made from."""

    plan: Plan
    recorded: Recorded


Source: TypeAlias = Callable[[], Snapshot | None]
"""Gives the latest snapshot, always the same object while nothing has changed; None: there is none yet. Thread-safe."""
