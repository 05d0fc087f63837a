"""Findings of the check of a file of rows, for another reading of the same bytes in the same process.

A block whose bytes are the same needs no second proof that its texts are JSON, and none that its rows are those of the
digest.
"""

from __future__ import annotations

from array import array
from pathlib import Path

from batchctl.model.forms.splitting import Around
from batchctl.model.kinds import Kind

_MOST_FORMS = 255
_mark_of = hash
"""The mark of a block: 64 bits of Python's hash, whose random seed differs between processes.

A block that changed has the mark of the one before by chance alone, once in 2 ** 64 changes.
"""


class OtherBytes(Exception):
    """The file is not the one that was checked."""


class CheckedFile:
    """The blocks of one file. It takes nine bytes for each."""

    def __init__(self) -> None:
        self._marks = array("q")
        self._forms = array("B")
        """By block, the number of its form from 1; 0: none."""
        self._around: list[Around] = []
        self._is_whole = True

    def add(self, block: bytes | None, around: Around | None) -> None:
        """Add the next block. `around`: all its lines are these texts with plain texts in between, as proven.

        None: a line that is longer than a block. Then nothing of the file is kept.
        """
        if block is None:
            self._is_whole = False
            return
        self._marks.append(_mark_of(block))
        self._forms.append(0 if around is None else self._number(around))

    @property
    def is_useful(self) -> bool:
        """Whether another reading saves anything."""
        return self._is_whole and any(self._forms)

    def around(self, number: int, block: bytes) -> Around | None:
        """The texts that were proven to be around the gaps of this block. Raises OtherBytes if it is another one."""
        if number >= len(self._marks) or self._marks[number] != _mark_of(block):
            raise OtherBytes
        form = self._forms[number]
        return self._around[form - 1] if form else None

    def require_end(self, number: int) -> None:
        """Raise OtherBytes if the file had more blocks."""
        if number != len(self._marks):
            raise OtherBytes

    def _number(self, around: Around) -> int:
        if around not in self._around:
            if len(self._around) == _MOST_FORMS:
                return 0
            self._around.append(around)
        return self._around.index(around) + 1


class CheckedFiles:
    """The files that one process has checked."""

    def __init__(self) -> None:
        self._files: dict[tuple[Path, Kind, int], tuple[str, CheckedFile]] = {}

    def begin(self) -> CheckedFile:
        """The findings of a check that begins, to be added to."""
        return CheckedFile()

    def keep(self, path: Path, kind: Kind, line_bytes: int, sha256: str, checked: CheckedFile) -> None:
        """Keep the findings of a check. `sha256` is that of the rows."""
        self._files.pop((path, kind, line_bytes), None)
        if checked.is_useful:
            self._files[path, kind, line_bytes] = sha256, checked

    def find(self, path: Path, kind: Kind, line_bytes: int, sha256: str) -> CheckedFile | None:
        """The findings of the check of a file that had these rows; None: there was none, or it found nothing useful."""
        found, checked = self._files.get((path, kind, line_bytes), ("", None))
        return checked if found == sha256 else None
