"""Replaces a file completely or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from batchctl.disk.private_files import create_file, sync_folder
from batchctl.disk.safe_open import hold_open, open_parent, require_regular


@contextmanager
def replace_file(path: Path) -> Iterator[BinaryIO]:
    """A stream to a private file beside `path` that takes its place at the end, durably.

    If anything fails before, `path` stays as it was. Raises UnsafeFile if it is a link or below one, and OSError.
    """
    with hold_open(path.parent):
        import secrets  # it loads six modules, and most commands write no file

        require_regular(path)
        part = path.with_name(f".batchctl-{secrets.token_hex(8)}.part")
        with create_file(part) as stream:
            try:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
                with open_parent(path) as folder:
                    os.replace(part.name, path.name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with suppress(OSError), open_parent(part) as folder:
                    os.unlink(part.name, dir_fd=folder)
                raise
        sync_folder(path.parent)
