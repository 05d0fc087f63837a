"""All rows of an input while the results of a part of them are collected: the frame of the merged results.

A row takes its fingerprint in memory; its key and the members beside its request are on disk.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO

from msgspec import Struct

from batchctl.model.canonical import with_escapes
from batchctl.model.json_value import Json
from batchctl.model.ports.inputs import InputRow
from batchctl.model.result_json import decoded, encoded
from batchctl.rows.sent_list import PRINT_BYTES, SentList

_CHUNK = 1 << 20


class WholeRow(Struct, frozen=True):
    """A row of the input, as the merged results show it."""

    position: int
    fingerprint: bytes
    key: str | None
    members: Mapping[str, Json]


class WholeInput:
    """The rows of an input, in its order. `aside` is an empty file."""

    def __init__(self, aside: BinaryIO) -> None:
        self._aside = aside
        self._places = array("q", [0])
        self._prints = bytearray()

    def __len__(self) -> int:
        return len(self._places) - 1

    @property
    def has_fingerprints(self) -> bool:
        """Whether the input was read, and the fingerprint of every row is known."""
        return len(self) > 0 and len(self._prints) == PRINT_BYTES * len(self)

    def add(self, row: InputRow) -> None:
        """Add the next row."""
        line = with_escapes(encoded([row.key, dict(row.members)])) + b"\n"
        self._aside.write(line)
        self._places.append(self._places[-1] + len(line))
        self._prints += row.fingerprint

    def added(self, rows: Iterable[InputRow]) -> Iterator[InputRow]:
        """Read all rows; yields each."""
        for row in rows:
            self.add(row)
            yield row

    def sent(self, rows: Iterable[InputRow], sent: SentList) -> Iterator[InputRow]:
        """Read all rows; yields those that were sent."""
        places = iter(sent.places)
        following = next(places, None)
        for position, row in enumerate(rows):
            self.add(row)
            if position == following:
                following = next(places, None)
                yield row

    def packed(self) -> Iterator[bytes]:
        """All rows as bytes: their fingerprints, then a line for each."""
        yield bytes(self._prints)
        self._aside.seek(0)
        while chunk := self._aside.read(_CHUNK):
            yield chunk

    def rows(self) -> Iterator[WholeRow]:
        """All rows, after all were added."""
        self._aside.seek(0)
        for position in range(len(self)):
            key, members = decoded(self._aside.read(self._places[position + 1] - self._places[position]))
            start = position * PRINT_BYTES
            yield WholeRow(position, bytes(self._prints[start : start + PRINT_BYTES]), key, members)


def remembered(rows: Iterable[InputRow], sent: SentList) -> Iterator[InputRow]:
    """The rows of an input that was sent as a whole, noted in its list as they are read."""
    for position, row in enumerate(rows):
        sent.add(position, row)
        sent.total = position + 1
        yield row
