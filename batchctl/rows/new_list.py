"""The list of the rows that an attempt sends, while it is made, and how it is kept: `sent_list` reads it."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from batchctl.disk.atomic_file import replace_file
from batchctl.disk.private_files import make_folder
from batchctl.model.canonical import with_escapes
from batchctl.model.input_rows import RowColumns
from batchctl.model.json_value import Json
from batchctl.model.keys import AttemptKey
from batchctl.model.ports.inputs import InputRow
from batchctl.model.row_work import MOST_LISTED, RowChoice, RowsSent
from batchctl.rows.aside import Aside
from batchctl.rows.asked_of_all import AskedOfAll
from batchctl.rows.folder import job_folder, require_writable, results_errors
from batchctl.rows.packed_file import packed_head
from batchctl.rows.sent_list import (
    BETWEEN,
    FOLDER,
    FORMAT,
    ListedRows,
    Recorded,
    in_byte_order,
    lines_of,
    name_line,
    path_of,
    read_names,
)

_ENCODER = msgspec.json.Encoder()
_AT_ONCE = 2**15
"""Places that are written at once."""


class NewList(ListedRows):
    """The rows that an attempt sends, in the order of the input. With many rows, most of it is in temporary files."""

    def __init__(self, token: str, choice: RowChoice) -> None:
        self.token = token
        self.renews = choice.order is not None
        """See `SentList`."""
        self.sent_with = choice.sent_with
        self.again = choice.sends_again
        self.total = 0
        self.is_canary = False
        self.shards = 1
        self.places: range | array[int] = range(0)
        self.prints: Aside = Aside()
        self._asked = AskedOfAll()
        self._names = Aside()

    def add(self, place: int, row: InputRow) -> None:
        """Add the next row."""
        self._asked.add(place, row)
        self._add_places(range(place, place + 1))
        self.prints.add(row.fingerprint)
        self._names.add(name_line(row))

    def add_columns(self, place: int, columns: RowColumns) -> None:
        """Add the next rows. `place` is that of the first one."""
        self._asked.add_columns(columns)
        self._add_places(range(place, place + len(columns)))
        self.prints.add(b"".join(columns.fingerprints))
        self._names.add(lines_of(columns.names))

    def _add_places(self, added: range) -> None:
        if isinstance(self.places, range):
            if not self.places:
                self.places = added
                return
            if self.places.stop == added.start:
                self.places = range(self.places.start, added.stop)
                return
            self.places = array("Q", self.places)
        self.places.extend(added)

    @property
    def asked(self) -> Mapping[str, Json] | None:
        """See `AskedOfAll`."""
        return self._asked.value

    @property
    def listed(self) -> str | None:
        """The list as a part of a record; None if it has to be a file."""
        if not self.is_whole or self.shards > 1 or self.renews or len(self._names) + len(self.prints) >= MOST_LISTED:
            return None
        names = list(read_names(self._names.read(0, len(self._names))))
        recorded = Recorded(self.prints.read(0, len(self.prints)), names)
        listed = with_escapes(_ENCODER.encode(recorded)).decode("ascii")
        return listed if len(listed) <= MOST_LISTED else None

    def pieces(self) -> Iterator[bytes]:
        """The list as its file has it: places, fingerprints, names. Raises OSError."""
        for start in range(0, len(self), _AT_ONCE):
            yield in_byte_order(array("Q", self.places[start : start + _AT_ONCE])).tobytes()
        yield from self.prints.pieces()
        yield b"["
        yield from self._names.pieces(len(self._names) - len(BETWEEN))
        yield b"]"

    def close(self) -> None:
        """Delete the temporary files."""
        self.prints.close()
        self._names.close()


def keep_list(root: Path, key: AttemptKey, digest: str, sent: NewList, *, checks_place: bool = True) -> RowsSent:
    """The facts of a list for the record, which has it if it fits; otherwise it is written durably.

    Raises ResultsError. With `checks_place` also if the results folder cannot be written to: results could not be kept.
    """
    listed = sent.listed
    if listed is not None:
        if checks_place:
            require_writable(root)
        return replace(sent.facts(""), listed=listed)
    return write_list(root, key, digest, sent)


def write_list(root: Path, key: AttemptKey, digest: str, sent: NewList) -> RowsSent:
    """Write the list durably. Raises ResultsError."""
    job, found = job_folder(root, key.job), hashlib.sha256()
    with results_errors(job):
        make_folder(job / FOLDER)
        for piece in sent.pieces():
            found.update(piece)
        with replace_file(path_of(job, key, digest)) as stream:
            stream.write(packed_head(_head(key, digest, sent), found.hexdigest()))
            stream.writelines(sent.pieces())
    return sent.facts(found.hexdigest())


def _head(key: AttemptKey, digest: str, sent: NewList) -> dict[str, Json]:
    asked = sent.asked
    return {
        "format": FORMAT,
        "job": key.job,
        "attempt": key.attempt,
        "shard": key.shard,
        "digest": digest,
        "token": sent.token,
        "total": sent.total,
        "rows": len(sent),
        "canary": sent.is_canary,
        "shards": sent.shards,
        **({"renews": True} if sent.renews else {}),
        **({"again": True} if sent.again else {}),
        **({"sentWith": sent.sent_with.plain} if sent.sent_with else {}),
        **({} if asked is None else {"asked": asked}),
    }
