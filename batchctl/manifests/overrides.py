"""Options of the command line that count in place of the stack file."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct


class Overrides(Struct, frozen=True):
    """Options that every command has."""

    set_values: Sequence[str] = ()
    """Values of variables, each as `key=value`."""
    state: str | None = None
    target: str | None = None
