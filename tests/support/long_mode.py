"""How much the harnesses try: little in the gate, much when `BATCHCTL_LONG=1` is set."""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")

LONG = os.environ.get("BATCHCTL_LONG") == "1"


def effort(short: T, long: T) -> T:
    """The measure of the mode that was asked for."""
    return long if LONG else short
