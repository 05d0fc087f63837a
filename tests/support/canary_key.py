"""A key that is easy to recognise, and where it may have sung: every trace that a command leaves."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path

KEY = "AIzaCANARYk3y0987654321zyxwvutsrqponmlk"
_PIECE = 12
"""So many characters of it in a row are as good as a leak; its fingerprint is shorter."""
_FORMS = (KEY, base64.b64encode(KEY.encode()).decode(), KEY.encode().hex(), KEY[::-1])
PIECES = tuple({form[start : start + _PIECE].encode() for form in _FORMS for start in range(len(form) - _PIECE + 1)})


def find(data: bytes) -> list[bytes]:
    """The pieces of the key that stand somewhere in these bytes."""
    return [piece for piece in PIECES if piece in data]


def assert_silent(where: str, data: bytes) -> None:
    found = find(data)
    assert not found, f"{where}: {found[0]!r} in {data[max(0, data.index(found[0]) - 200) :][:400]!r}"


def assert_folders_silent(folders: Iterable[Path]) -> int:
    """Look into every file, and at every name; gives how many there were."""
    count = 0
    for folder in folders:
        for path in folder.rglob("*"):
            assert_silent("a file's name", str(path).encode())
            if path.is_file() and not path.is_symlink():
                count += 1
                assert_silent(str(path), path.read_bytes())
    return count
