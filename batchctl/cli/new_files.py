"""Creates files for the user. Never overwrites a file, and never follows a link inside the checkout."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from batchctl.disk.private_files import create_file, make_folder
from batchctl.disk.safe_open import UnsafeFile, is_there, open_file
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError, UsageError


def real_name(path: Path) -> Path:
    """The path with all links of its folder resolved; the last name stays as it is."""
    return path.parent.resolve() / path.name


def is_taken(real: Path, shown: Path) -> bool:
    """Whether the path exists, even as a broken link. Raises BatchctlError."""
    try:
        return is_there(real)
    except OSError as error:
        raise cannot_write(shown, error) from error


def write_new(real: Path, shown: Path, text: str, hint: str, *, folders: bool = False) -> None:
    """Create a private file; with `folders`, create its folders too. Raises BatchctlError."""
    try:
        if folders:
            make_folder(real.parent)
        with create_file(real) as stream:
            stream.write(text.encode())
    except OSError as error:
        raise cannot_write(shown, error, hint) from error


def append_lines(real: Path, shown: Path, lines: Sequence[str]) -> list[str]:
    """Add the lines that a text file does not have yet; gives those that were added. Raises BatchctlError."""
    try:
        with os.fdopen(open_file(real, os.O_RDWR), "r+b") as stream:
            content = stream.read()
            present = {line.strip().strip(b"/") for line in content.splitlines()}
            missing = [line for line in lines if line.encode().strip(b"/") not in present]
            end = b"\r\n" if b"\r\n" in content else b"\n"
            first = [] if not content or content.endswith(b"\n") else [end]
            stream.writelines([*first, *(line.encode() + end for line in missing)] if missing else [])
            return missing
    except OSError as error:
        raise cannot_write(shown, error) from error


def refuse_stream(name: str) -> None:
    """Raise UsageError for `-`, which elsewhere is standard output, and here would be a file of that name."""
    if name == "-":
        raise UsageError("- is not the name of a file", hint="name a file; the format of -o goes to standard output")


def cannot_write(shown: Path, error: OSError, hint: str = "") -> BatchctlError:
    """The error for a file that cannot be written."""
    culprit = f"{error.filename}: " if isinstance(error, UnsafeFile) else ""
    message = f"cannot write {shown}: {culprit}{error.strerror}"
    return BatchctlError(message, code=ErrorCode.CANNOT_WRITE, hint=hint or "remove or rename what exists at this path")
