"""Reads a file that an argument names."""

from __future__ import annotations

from pathlib import Path

from batchctl.model.errors import UsageError


def read_given(path: str, what: str, most_bytes: int, hint: str) -> bytes:
    """The content of a file that is to be `what`, such as "plan". Raises UsageError with the hint."""
    try:
        with Path(path).open("rb") as stream:
            content = stream.read(most_bytes + 1)
    except OSError as error:
        raise UsageError(f"cannot read the {what} {path}: {error.strerror}", hint=hint) from error
    if len(content) > most_bytes:
        raise UsageError(f"{path} is too large for a {what}", hint=hint)
    return content
