"""Files of many small records: one line of JSON with the facts and a checksum, then the records.

A file that is cut off or changed is recognised before anything in it is used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from batchctl.disk.safe_open import open_stream
from batchctl.model.desired import Json

_LONGEST_HEAD = 2**20


def write_packed(stream: BinaryIO, head: Mapping[str, Json], *body: bytes | bytearray | memoryview) -> str:
    """Write the facts and the records, which may be in several parts; returns the sha256 of the records."""
    found = hashlib.sha256()
    for part in body:
        found.update(part)
    sha256 = found.hexdigest()
    line = json.dumps({**head, "sha256": sha256}, separators=(",", ":"))
    stream.write(line.encode("ascii") + b"\n")
    for part in body:
        stream.write(part)
    return sha256


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
