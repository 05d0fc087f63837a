"""Files of many small records: one line of JSON with the facts and a checksum, then the records.

A file that is cut off or changed is recognised before anything in it is used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from batchctl.disk.private_files import Piece
from batchctl.disk.safe_open import open_stream
from batchctl.model.json_value import Json

_LONGEST_HEAD = 2**20
_AT_ONCE = 2**18


def packed(head: Mapping[str, Json], *body: Piece) -> tuple[str, Sequence[Piece]]:
    """The sha256 of the records, which may be in several parts, and the pieces of the file."""
    found = hashlib.sha256()
    for part in body:
        found.update(part)
    sha256 = found.hexdigest()
    return sha256, (packed_head(head, sha256), *body)


def packed_head(head: Mapping[str, Json], sha256: str) -> bytes:
    """The first line of a file. `sha256` is that of the records."""
    return json.dumps({**head, "sha256": sha256}, separators=(",", ":")).encode("ascii") + b"\n"


def read_packed(path: Path, file_format: str) -> tuple[Mapping[str, Json], bytes]:
    """The facts and the records of a file. Raises ValueError when it is damaged, and OSError."""
    with open_stream(path) as stream:
        head = _head(stream, path.name, file_format)
        body = stream.read()
    _require_same(hashlib.sha256(body).hexdigest(), head, path.name)
    return head, body


def check_packed(stream: BinaryIO, name: str, file_format: str) -> tuple[Mapping[str, Json], int, int]:
    """The facts of a file, and the places of the first byte of its records and after the last one.

    The records are checked without all of them in memory. Raises ValueError when the file is damaged, and OSError.
    """
    head = _head(stream, name, file_format)
    start, found = stream.tell(), hashlib.sha256()
    while piece := stream.read(_AT_ONCE):
        found.update(piece)
    _require_same(found.hexdigest(), head, name)
    return head, start, stream.tell()


def _head(stream: BinaryIO, name: str, file_format: str) -> Mapping[str, Json]:
    head = json.loads(stream.readline(_LONGEST_HEAD))
    if not isinstance(head, dict) or head.get("format") != file_format:
        raise ValueError(f"{name} is of another format")
    return head


def _require_same(sha256: str, head: Mapping[str, Json], name: str) -> None:
    if sha256 != head.get("sha256"):
        raise ValueError(f"{name} was changed or cut off")
