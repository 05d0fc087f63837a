"""The marker that `state migrate` leaves in the place of a state: one line that names the new place.

A version of batchctl that does not know markers finds no SQLite file there, and refuses it too.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from batchctl.disk.safe_open import open_stream
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import StateError

_START = b"batchctl moved this state to: "
_LONGEST = 4096


def marker(to: str) -> bytes:
    """The content of a marker."""
    return _START + to.encode() + b"\n"


def moved_to(path: Path) -> str | None:
    """The new place, if the file is a marker. Raises OSError."""
    try:
        with open_stream(path) as stream:
            found = stream.read(_LONGEST)
    except FileNotFoundError:
        return None
    if not found.startswith(_START):
        return None
    return found.removeprefix(_START).decode("utf-8", "replace").strip()


def refuse_moved(path: Path) -> None:
    """Raise StateError (`StateMoved`) if the file is a marker."""
    to = moved_to(path)
    if to is not None:
        raise StateError(
            f"the state file {path} was moved to {to}",
            code=ErrorCode.STATE_MOVED,
            hint=f"set spec.state, or state of the target, to {to}; or use --state {shlex.quote(to)}",
            details={"movedTo": to},
        )
