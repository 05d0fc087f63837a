"""Writes new files for the user: never over what is there, never through a link of the checkout."""

from __future__ import annotations

from pathlib import Path

from batchctl.disk.private_files import create_file, make_folder
from batchctl.disk.safe_open import UnsafeFile, is_there
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError


def real_name(path: Path) -> Path:
    """A path that the user typed, its folder with all links followed; the last name as it is."""
    return path.parent.resolve() / path.name


def is_taken(real: Path, shown: Path) -> bool:
    """Whether there is anything by this name, a link that leads nowhere included. Raises BatchctlError."""
    try:
        return is_there(real)
    except OSError as error:
        raise _cannot_write(shown, error) from error


def write_new(real: Path, shown: Path, text: str, hint: str, *, folders: bool = False) -> None:
    """Write a new file, private; with `folders` make those above it, too. Raises BatchctlError."""
    try:
        if folders:
            make_folder(real.parent)
        with create_file(real) as stream:
            stream.write(text.encode())
    except OSError as error:
        raise _cannot_write(shown, error, hint) from error


def _cannot_write(shown: Path, error: OSError, hint: str = "") -> BatchctlError:
    culprit = f"{error.filename}: " if isinstance(error, UnsafeFile) else ""
    message = f"cannot write {shown}: {culprit}{error.strerror}"
    return BatchctlError(message, code=ErrorCode.CANNOT_WRITE, hint=hint or "remove what is in the way")
