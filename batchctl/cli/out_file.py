"""The file of `--out`: complete, or as it was before."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from batchctl.cli.new_files import cannot_write, refuse_stream
from batchctl.disk.atomic_file import replace_file
from batchctl.disk.safe_open import UnsafeFile


@contextmanager
def open_out(path: Path) -> Iterator[BinaryIO]:
    """A stream to a private file that takes the place of `path` at the end. Raises BatchctlError."""
    refuse_stream(str(path))
    try:
        if not path.name:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        with replace_file(path) as stream:
            yield stream
    except OSError as error:
        raise cannot_write(path, error, _hint(error)) from error


def _hint(error: OSError) -> str:
    if isinstance(error, UnsafeFile | FileNotFoundError | NotADirectoryError | IsADirectoryError):
        return "give the path of a file in a folder that exists, without symbolic links"
    return "free space, grant access, or choose another folder"
