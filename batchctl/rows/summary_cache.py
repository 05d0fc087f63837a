"""Keeps the summaries of large files of rows between commands, so that `plan` and `status` do not check 200 MB again.

An entry is found by the sha256 of the file's bytes, never by its size or times. It contains no text of a prompt: only
names of members, keys of rows, and values of enums in warnings. The cache is only a help: without a folder, or with a
damaged entry, files are read as if there were none.
"""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

import msgspec

from batchctl.disk.atomic_file import replace_file
from batchctl.disk.private_files import make_folder
from batchctl.disk.safe_open import open_stream, read_start
from batchctl.model.canonical import sha256_json
from batchctl.model.json_value import Json
from batchctl.model.kinds import Kind
from batchctl.model.locations import RowProblem
from batchctl.model.ports.row_reader import RowRules, RowsSummary

LEAST_BYTES = 2**20
"""Smaller files are read as fast as an entry."""
MOST_ENTRIES = 200
_FORMAT = 2
_LARGEST = 2**20
"""Bytes of an entry."""
_CODE_FOLDERS = ("model", "rows")


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    """The content of a file of the cache."""

    name: str
    """The name of the file, so that a copy under another name is recognised."""
    sha256: str
    rows: int
    members: dict[str, int]
    row_hashes: str | None
    warnings: list[tuple[int, str, str, str]]
    output_tokens: int
    bounded_rows: int


_DECODER = msgspec.json.Decoder(_Entry)


class SummaryCache:
    """Summaries below one folder, which need not exist yet. Never raises OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, path: Path, size: int, settings: str) -> RowsSummary | None:
        """The summary of a file of this size, which was read with these settings."""
        with suppress(OSError):
            start = _start(settings, size)
            if any(entry.name.startswith(start) for entry in self._folder.iterdir()):
                return self._read(start + _sha256(path))
        return None

    def is_usable(self) -> bool:
        """Whether summaries can be kept. Otherwise the sha256 of the bytes of a file is not needed."""
        try:
            make_folder(self._folder)
        except OSError:
            return False
        return os.access(self._folder, os.W_OK)

    def keep(self, content: str, size: int, settings: str, summary: RowsSummary) -> None:
        """Keep the summary of a file whose bytes have the sha256 `content`."""
        name = _start(settings, size) + content
        warnings = [(one.line, one.message, one.hint, one.code) for one in summary.warnings]
        entry = _Entry(
            name,
            summary.sha256,
            summary.rows,
            dict(summary.members),
            summary.row_hashes,
            warnings,
            summary.output_tokens,
            summary.bounded_rows,
        )
        with suppress(OSError):
            with replace_file(self._folder / name) as stream:
                stream.write(msgspec.json.encode(entry))
            self._prune()

    def _read(self, name: str) -> RowsSummary | None:
        path = self._folder / name
        try:
            entry = _DECODER.decode(read_start(path, _LARGEST))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None  # damaged: the file is read, and the entry written again
        if entry.name != name:
            return None
        os.utime(path, follow_symlinks=False)
        warnings = tuple(RowProblem(*warning) for warning in entry.warnings)
        limit = (entry.output_tokens, entry.bounded_rows)
        return RowsSummary(entry.sha256, entry.rows, entry.members, entry.row_hashes, warnings, *limit)

    def _prune(self) -> None:
        """Remove the entries that were not used for the longest time."""
        entries = sorted(self._folder.iterdir(), key=lambda entry: entry.lstat().st_mtime_ns)
        for entry in entries[:-MOST_ENTRIES]:
            entry.unlink()


def settings_of(kind: Kind, line_bytes: int, rules: RowRules | None) -> str:
    """A hash of all that the summary of a file depends on besides its bytes, this program included."""
    given: Json = None if rules is None else [rules.api, dict(rules.defaults), rules.is_google_model]
    settings: Json = [_FORMAT, _code(), list(sys.version_info[:2]), kind, line_bytes, given]
    return sha256_json(settings)


def _start(settings: str, size: int) -> str:
    return f"{settings}-{size}-"


def _sha256(path: Path) -> str:
    with open_stream(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@cache
def _code() -> str:
    """A hash of the code that reads and checks rows: whatever it finds may change with it."""
    digest = hashlib.sha256()
    root = Path(__file__).parents[1]
    for folder in _CODE_FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            digest.update(f"{path.relative_to(root)}\n".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
