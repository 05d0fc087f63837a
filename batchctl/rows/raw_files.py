"""Files with lines that were too long to be read: each is beside the results that name it as `error.rawFile`."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import BinaryIO

from msgspec.structs import replace

from batchctl.disk.private_files import create_file
from batchctl.disk.safe_open import open_stream
from batchctl.model.ports.providers import ResultItem
from batchctl.model.result_json import encoded
from batchctl.rows.durable import flush_durably

PREFIX = "raw-"
"""The start of their names."""
_MEMBER = b'"rawFile":'
_NAME = re.compile(rf"{PREFIX}(?:row-)?[0-9]+")


def link_or_copy(file: Path, to: Path) -> None:
    """Give a file a second name where the disk can; else copy it. Raises OSError."""
    try:
        os.link(file, to, follow_symlinks=False)
    except OSError:
        with open_stream(file) as stream, create_file(to) as copy:
            shutil.copyfileobj(stream, copy)
            flush_durably(copy)


def with_raw_file(outcome: bytes, source: Path, target: Path, position: int) -> bytes:
    """An outcome of the results in `source`, for those in `target`: a file that it names is there, too.

    `position` is that of its row. An outcome whose file is gone stays as it is. Raises OSError.
    """
    if _MEMBER not in outcome:
        return outcome
    found = json.loads(b"{" + outcome)
    error = found.get("error")
    name = error.get("rawFile") if isinstance(error, dict) else None
    if not isinstance(name, str) or not _NAME.fullmatch(name) or not (source / name).is_file():
        return outcome
    new = f"{PREFIX}row-{position}"
    link_or_copy(source / name, target / new)
    return encoded({**found, "error": {**error, "rawFile": new}})[1:]


def kept_aside(folder: Path, item: ResultItem, content: BinaryIO, number: int) -> ResultItem:
    """An item whose line was too long to be read, with its bytes in a file of their own. Raises OSError."""
    name = f"{PREFIX}{number}"
    with create_file(folder / name) as stream:
        shutil.copyfileobj(content, stream)
        flush_durably(stream)
    return replace(item, error={**(item.error or {}), "rawFile": name}, aside=None)
