"""The list of the rows that an attempt sends, kept from before the create call.

It says which row each result belongs to, even if the input file has changed since. It contains names and fingerprints
of rows, and no text of a request but the schema that all answers have to match. A short list of all rows of an input is
a part of the attempt's record, which is durable before the call anyway; any other is a file beside the results.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import msgspec

from batchctl.model.canonical import with_escapes
from batchctl.model.json_value import Json
from batchctl.model.keys import AttemptKey
from batchctl.model.ports.inputs import InputRow
from batchctl.model.row_work import RowsSent
from batchctl.model.sent_with import SentWith
from batchctl.rows.folder import folder_name, job_folder, results_errors
from batchctl.rows.packed_file import read_packed

FORMAT = "batchctl/sent-rows/v1"
FOLDER = "sent"
PRINT_BYTES = 16
BETWEEN = b",\n"
"""The end of the line of each name."""
_KEY, _END = b'{"key":', b"}" + BETWEEN
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(dict[str, str])
_LIST_DECODER = msgspec.json.Decoder(list[dict[str, str]])
FAULTS = (ValueError, KeyError, TypeError, RecursionError)


class Recorded(msgspec.Struct, frozen=True):
    """A list in a record, as JSON."""

    prints: bytes
    """As `SentList` has them; in Base64."""
    names: Sequence[Mapping[str, str]]


_RECORDED = msgspec.json.Decoder(Recorded)


class ListedRows:
    """The facts of a list of sent rows, which is being made or was read."""

    total: int
    """Rows of the whole input."""
    is_canary: bool
    sent_with: SentWith | None
    """The change with which they are sent; None: none."""
    again: bool
    """See `RowsSent`."""
    shards: int
    """The number of lists that the rows of the attempt are split into."""
    places: Sequence[int]
    """The 0-based position of each row in the input."""
    prints: Sized
    """Their fingerprints, one after the other."""

    def __len__(self) -> int:
        return len(self.places)

    @property
    def has_fingerprints(self) -> bool:
        """Whether the fingerprint of every row is known."""
        return len(self.prints) == PRINT_BYTES * len(self)

    @property
    def is_whole(self) -> bool:
        """Whether every row of the input is sent."""
        return len(self) == self.total

    def facts(self, sha256: str) -> RowsSent:
        """These rows as the state has them. `sha256` is that of the written list; empty if it is not known."""
        facts = len(self), self.total, sha256, self.is_canary
        return RowsSent(*facts, sent_with=self.sent_with, again=self.again, shards=self.shards)


@dataclass
class SentList(ListedRows):
    """The rows that an attempt sends, in the order of the input."""

    token: str = ""
    total: int = 0
    is_canary: bool = False
    renews: bool = False
    """Whether a person ordered these rows: their good answers replace earlier ones."""
    sent_with: SentWith | None = None
    again: bool = False
    shards: int = 1
    places: array[int] = field(default_factory=lambda: array("Q"))
    prints: bytearray = field(default_factory=bytearray)
    names: bytearray = field(default_factory=bytearray)
    """The names under which they are sent: for each row a line of ASCII such as `{"key":"a"},`."""
    asked: Mapping[str, Json] | None = None
    """See `AskedOfAll`: of a list that was read from its file. A list in a record does not say it."""

    def add(self, place: int, row: InputRow) -> None:
        """Add the next row."""
        self.places.append(place)
        self.prints += row.fingerprint
        self.names += name_line(row)

    def fingerprint(self, number: int) -> bytes:
        """The fingerprint of a row, by its number in this list."""
        return bytes(self.prints[number * PRINT_BYTES : (number + 1) * PRINT_BYTES])

    def fingerprints(self, first: int, count: int) -> bytes:
        """The fingerprints of rows that come one after the other, as one text."""
        return bytes(self.prints[first * PRINT_BYTES : (first + count) * PRINT_BYTES])

    def rows(self) -> Iterator[InputRow]:
        """The rows without their requests, for an input that cannot be read any more."""
        return (InputRow(None, None, sent=names) for names in self.each_names())

    def each_names(self) -> Iterator[Mapping[str, str]]:
        """The names of each row."""
        return read_names(self.names)


def lines_of(keys: Sequence[str]) -> bytes:
    """The names of rows that are sent with nothing but a key. Raises ValueError for half of a surrogate pair."""
    names = with_escapes(_ENCODER.encode_lines(keys)).removesuffix(b"\n")
    return _KEY + names.replace(b"\n", _END + _KEY) + _END


def name_line(row: InputRow) -> bytes:
    """The names under which a row is sent, as a line of the list."""
    return with_escapes(_ENCODER.encode(row.sent if row.key is None else {"key": row.key, **row.sent})) + BETWEEN


def read_names(lines: bytes | bytearray) -> Iterator[Mapping[str, str]]:
    """The names in the lines of a list."""
    return (_DECODER.decode(line.removesuffix(BETWEEN)) for line in BytesIO(lines))


def find_list(root: Path, key: AttemptKey, digest: str, token: str, recorded: RowsSent | None) -> SentList | None:
    """The list of an attempt, from its record or from its file, as `read_sent`. `recorded`: its rows by the record."""
    if recorded is not None and recorded.listed:
        return _of_record(token, recorded)
    return read_sent(root, key, digest, token)


def _of_record(token: str, recorded: RowsSent) -> SentList:
    found = _RECORDED.decode(recorded.listed)
    return SentList(
        token,
        recorded.total,
        is_canary=recorded.is_canary,
        sent_with=recorded.sent_with,
        again=recorded.again,
        places=array("Q", range(recorded.total)),
        prints=bytearray(found.prints),
        names=_lines(found.names),
    )


def read_sent(root: Path, key: AttemptKey, digest: str, token: str) -> SentList | None:
    """The list of an attempt; None if there is none, it is damaged, or another create call wrote it.

    Raises ResultsError when the folder cannot be read.
    """
    job = job_folder(root, key.job)
    try:
        with results_errors(job):
            try:
                head, body = read_packed(path_of(job, key, digest), FORMAT)
            except FileNotFoundError:
                return None
        return _read(head, body) if head["token"] == token else None
    except FAULTS:
        return None


def path_of(job: Path, key: AttemptKey, digest: str) -> Path:
    """The file of a list, in the folder of its job."""
    return job / FOLDER / f"{folder_name(key, digest)}.rows"


def _read(head: Mapping[str, Json], body: bytes) -> SentList:
    count = head["rows"]
    places = array("Q")
    ends = count * places.itemsize, count * (places.itemsize + PRINT_BYTES)
    places.frombytes(body[: ends[0]])
    names = _names(body[ends[1] :])
    if names.count(b"\n") != count:
        raise ValueError("the list of sent rows is incomplete")
    return SentList(
        head["token"],
        head["total"],
        is_canary=head.get("canary") is True,
        renews=head.get("renews") is True,
        sent_with=SentWith.read(head["sentWith"]) if "sentWith" in head else None,
        again=head.get("again") is True,
        shards=head.get("shards", 1),
        asked=head.get("asked"),
        places=in_byte_order(places),
        prints=bytearray(body[ends[0] : ends[1]]),
        names=names,
    )


def _names(body: bytes) -> bytearray:
    """The names as `SentList` has them. An earlier release wrote the list on one line."""
    if body == b"[]":
        return bytearray()
    if BETWEEN not in body:
        return _lines(_LIST_DECODER.decode(body))
    return bytearray(body[1:-1]) + BETWEEN


def _lines(names: Iterable[Mapping[str, str]]) -> bytearray:
    return bytearray(b"".join(with_escapes(_ENCODER.encode(one)) + BETWEEN for one in names))


def in_byte_order(numbers: array[int]) -> array[int]:
    """Numbers between the byte order of files and that of this machine, either way."""
    if array("H", [1]).tobytes() == b"\x01\x00":
        return numbers
    swapped = array("Q", numbers)
    swapped.byteswap()
    return swapped
