"""Files of many small records: one line of JSON with the facts and a checksum, then the records.

A file that is cut off or changed is recognised before anything in it is used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from batchctl.disk.private_files import Piece
from batchctl.disk.safe_open import open_stream
from batchctl.model.json_value import Json

_LONGEST_HEAD = 2**20


def packed(head: Mapping[str, Json], *body: Piece) -> tuple[str, Sequence[Piece]]:
    """The sha256 of the records, which may be in several parts, and the pieces of the file."""
    found = hashlib.sha256()
    for part in body:
        found.update(part)
    sha256 = found.hexdigest()
    line = json.dumps({**head, "sha256": sha256}, separators=(",", ":"))
    return sha256, (line.encode("ascii") + b"\n", *body)


def read_packed(path: Path, file_format: str) -> tuple[Mapping[str, Json], bytes]:
    """The facts and the records of a file. Raises ValueError when it is damaged, and OSError."""
    with open_stream(path) as stream:
        head = json.loads(stream.readline(_LONGEST_HEAD))
        if not isinstance(head, dict) or head.get("format") != file_format:
            raise ValueError(f"{path.name} is of another format")
        body = stream.read()
    if hashlib.sha256(body).hexdigest() != head.get("sha256"):
        raise ValueError(f"{path.name} was changed or cut off")
    return head, body
