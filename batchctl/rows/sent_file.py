"""A list of sent rows that stays in its file: a collection reads it in order, as the results come.

Only lists by which results can be joined and judged without the input are read so; any other is read into memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import islice
from operator import lt
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from batchctl.disk.safe_open import open_stream
from batchctl.model.input_rows import RowColumns
from batchctl.model.json_value import Json
from batchctl.model.keys import AttemptKey
from batchctl.model.pieces import Pieces
from batchctl.model.ports.inputs import InputRow
from batchctl.model.row_marks import position_of_key
from batchctl.model.row_work import RowsSent
from batchctl.rows.file_part import FilePart
from batchctl.rows.folder import job_folder, results_errors
from batchctl.rows.key_marks import KeyMarks
from batchctl.rows.packed_file import check_packed
from batchctl.rows.sent_list import BETWEEN, FAULTS, FORMAT, PRINT_BYTES, SentList, find_list, path_of

_PLACE_BYTES = 8
_NAMES = msgspec.json.Decoder(list[dict[str, str]])


class SentFile(SentList):
    """All rows of an input, which ask for the same answer. Names and fingerprints are in the file."""

    def __init__(self, stream: BinaryIO, start: int, end: int, head: Mapping[str, Json]) -> None:
        """`stream` has the records of the list between these places. Raises FAULTS if they are others."""
        total, token, again = head["total"], head["token"], head.get("again") is True
        super().__init__(token, total, again=again, asked=head["asked"])
        prints = start + total * _PLACE_BYTES
        names = prints + total * PRINT_BYTES
        self.places: Sequence[int] = range(total)  # type: ignore[assignment]
        self.prints = FilePart(stream, prints, names - prints)  # type: ignore[assignment]
        # Without the brackets around them.
        self._names = FilePart(stream, names + 1, end - names - 2)
        if sum(block.count(b"\n") for block in self.blocks()) != total:
            raise ValueError("the list of sent rows is incomplete")

    def blocks(self) -> Iterator[bytes]:
        """The names of all rows, as lines that end with `BETWEEN`."""
        for block in self._names.blocks():
            yield block if block.endswith(b"\n") else block + BETWEEN

    def has_at(self, place: int, names: bytes) -> bool:
        """Whether these lines are the ones at a place of the names."""
        found = self._names[place : place + len(names)]
        # The last line has no end.
        return found == names or (place + len(names) == len(self._names) + len(BETWEEN) and found + BETWEEN == names)

    def each_names(self) -> Iterator[Mapping[str, str]]:
        return (names for block in self.blocks() for names in _names_in(block))

    def input_rows(self) -> Iterator[InputRow]:
        """The rows as far as results are joined with them."""
        return Pieces(_Listed(self, block) for block in self.blocks())

    def has_distinct_names(self) -> bool:
        """Whether no two rows have the same name."""
        if self._rises(list) or self._rises(_by_length):
            return True
        with closing(KeyMarks()) as marks:
            for block in self.blocks():
                marks.add(block.split(b"\n")[:-1])
            return not marks.repeated()

    def _rises(self, ordered: Callable[[Sequence[bytes]], Sequence[Any]]) -> bool:
        """Whether each name is greater than the one before, as numbered names are: then no two are equal."""
        last: Sequence[bytes] = ()
        for block in self.blocks():
            lines = [*last, *block.split(b"\n")[:-1]]
            found = ordered(lines)
            if not all(map(lt, found, islice(found, 1, None))):
                return False
            last = lines[-1:]
        return True


class _Listed(RowColumns):
    """Some rows of a list, without what only a choice of rows needs."""

    def __init__(self, sent: SentFile, block: bytes) -> None:
        assert sent.asked is not None
        self.names = [names["key"] for names in _names_in(block)]
        self.keys = [None if position_of_key(name) is not None else name for name in self.names]
        self.asked, self.output = sent.asked, 0

    @property
    def fingerprints(self) -> Sequence[bytes]:
        return [b""] * len(self)

    @property
    def sizes(self) -> Sequence[int]:
        return [0] * len(self)


def _by_length(lines: Sequence[bytes]) -> Sequence[tuple[int, bytes]]:
    """Lines in the order of numbers that have no zeros before them."""
    return list(zip(map(len, lines), lines, strict=True))


def _names_in(block: bytes) -> Sequence[Mapping[str, str]]:
    return _NAMES.decode(b"[" + block.removesuffix(BETWEEN) + b"]")


@contextmanager
def opened_list(
    root: Path, key: AttemptKey, digest: str, token: str, recorded: RowsSent | None
) -> Iterator[SentList | None]:
    """The list of an attempt, as `find_list`; a `SentFile` if it can be read so. Raises ResultsError."""
    with ExitStack() as opened:
        found = None if recorded is not None and recorded.listed else _open(opened, root, key, digest, token)
        yield find_list(root, key, digest, token, recorded) if found is None else found


def _open(opened: ExitStack, root: Path, key: AttemptKey, digest: str, token: str) -> SentFile | None:
    """The list in its file; None if it has to be read into memory, or there is none that can be used."""
    job = job_folder(root, key.job)
    path = path_of(job, key, digest)
    try:
        with results_errors(job):
            try:
                stream = opened.enter_context(open_stream(path))
            except FileNotFoundError:
                return None
            head, start, end = check_packed(stream, path.name, FORMAT)
            is_alone = head["rows"] == head["total"] and head.get("shards", 1) == 1
            has_all = isinstance(head.get("asked"), dict) and not head.get("renews") and "sentWith" not in head
            return SentFile(stream, start, end, head) if is_alone and has_all and head["token"] == token else None
    except FAULTS:
        return None
