"""The rows of a local file as one job sends them: in blocks, so that rows of one form cost little more than a copy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import NoReturn, cast

import msgspec
from msgspec.structs import replace

from batchctl.disk.safe_open import open_stream
from batchctl.model.activity import UNWATCHED
from batchctl.model.canonical import RowsHasher, row_bytes
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredJob
from batchctl.model.errors import ResultsError, RowsError
from batchctl.model.forms.gap_texts import GapTexts
from batchctl.model.input_rows import RowColumns
from batchctl.model.json_value import Json
from batchctl.model.locations import RowProblem
from batchctl.model.ports.inputs import InputRow
from batchctl.model.request.rules import most_output
from batchctl.model.row_marks import key_of
from batchctl.model.sources import LocalFile, RequestRow
from batchctl.rows.checked_files import CheckedFile, CheckedFiles, OtherBytes
from batchctl.rows.expectation import asked_of
from batchctl.rows.file_blocks import FileBlock, read_blocks
from batchctl.rows.job_forms import JobForm, JobShape
from batchctl.rows.line_blocks import LineBlocks, ReadBytes
from batchctl.rows.line_forms import LineForms, RowBlock
from batchctl.rows.row_faults import row_or_problem
from batchctl.rows.row_printer import RowPrinter
from batchctl.rows.whole_files import read_rows
from batchctl.rows.wire_form import WireForm

_DECODER = msgspec.json.Decoder(dict[str, Json])
_NOTHING: Mapping[str, Json] = {}
_SINGLE_ROWS = 16
"""Rows of one block that are handled one by one: few, because a row may have megabytes."""


class JobRows:
    """The rows of one job."""

    def __init__(self, job: DesiredJob, line_bytes: int, checked: CheckedFiles | None = None) -> None:
        """`checked`: files that were checked before."""
        self._job = job
        self._checked = checked
        self._line_bytes = line_bytes
        self.wire = WireForm(job)
        self.printer = RowPrinter(job)

    def blocks(self, source: LocalFile) -> Iterator[JobBlock]:
        """All rows of a file. Raises ResultsError (`InputChanged`) at the end if they are not those that were digested.

        Blocks that came before such an error are not valid either.
        """
        place = (source.path, self._job.row_kind, self._line_bytes)
        checked = None if self._checked is None else self._checked.find(*place, source.sha256)
        first = 0
        try:
            for block in self._blocks(source, checked):
                first += len(block)
                yield block
        except OtherBytes:
            # Other spaces between the same texts are no other rows, so the digest decides.
            for block in self._blocks(source, None):
                if block.first >= first:
                    yield block
                elif block.first + len(block) > first:
                    self._raise_changed(source)

    def _blocks(self, source: LocalFile, checked: CheckedFile | None) -> Iterator[JobBlock]:
        """The same. Raises OtherBytes if the file is not the one that was checked: only the blocks so far are valid."""
        hasher, first = RowsHasher(), 0
        forms = LineForms(self._job.row_kind, JobShape(self.wire))
        try:
            with open_stream(source.path) as stream:
                blocks = LineBlocks(stream, ReadBytes(UNWATCHED))
                for one in read_blocks(blocks, forms, self._line_bytes, checked):
                    block = self._formed(one.rows, first) or self._single(one, first, forms)
                    if block is None:
                        self._raise_changed(source)
                    if checked is None:
                        hasher.add_lines(block.canonical)
                    first += len(block)
                    yield block
        except OSError as error:
            raise input_changed(source, f"the file cannot be read: {error.strerror}") from error
        if checked is None and hasher.hexdigest() != source.sha256:
            self._raise_changed(source)

    def single_blocks(self, rows: Iterator[RequestRow], first: int = 0) -> Iterator[JobBlock]:
        """Rows that were read elsewhere, some at a time. `first` is the position of the first one."""
        while found := list(islice(rows, _SINGLE_ROWS)):
            yield SingleRows(self, first, found)
            first += len(found)

    def row(self, row: RequestRow, names: Mapping[str, str] | None = None) -> InputRow:
        """A row that is handled alone. `names` are those in the file; None: it is in the create call."""
        sent = self.wire.request(row)
        fingerprint, size = self.printer.read(self.wire.described(row, sent))
        # Results of rows in a create call repeat no request.
        echoed = sent if self.wire.is_echoed and names is not None else None
        facts = asked_of(sent), most_output(sent), fingerprint, size
        return InputRow(row.key, echoed, row.members, _NOTHING if names is None else names, *facts)

    def _formed(self, rows: RowBlock | None, first: int) -> FormedRows | None:
        if rows is None:
            return None
        last = first + len(rows) - 1
        runs = [(form.job, found) for form, found in rows.runs if form.job is not None and form.job.fits(last)]
        return FormedRows(self, first, rows, runs) if len(runs) == len(rows.runs) else None

    def _single(self, block: FileBlock, first: int, forms: LineForms) -> SingleRows | None:
        """Rows one by one; None if a line is no row, which is not so in the file that was digested."""
        found: list[RequestRow] = []
        line = None
        for line in block.lines():
            row = row_or_problem(line, self._job.row_kind)
            if isinstance(row, RowProblem):
                return None
            found.append(row)
        if line is not None:
            forms.learn(line.raw, line.value, found[-1], 0)
        return SingleRows(self, first, found)

    def _raise_changed(self, source: LocalFile) -> NoReturn:
        try:
            for _ in read_rows(source.path, self._job.row_kind, self._line_bytes):
                pass
        except RowsError as error:
            raise input_changed(source, str(error)) from error
        raise input_changed(source, "its rows are others")


class JobBlock(ABC):
    """Rows that come one after the other."""

    def __init__(self, rows: JobRows, first: int) -> None:
        self._rows = rows
        self.first = first
        """The position of the first row in the input."""

    @property
    @abstractmethod
    def canonical(self) -> bytes:
        """`row_bytes` of each row, and a line end."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def pieces(self) -> Iterator[Iterable[InputRow]]:
        """The rows, to choose them and to join their results."""

    @abstractmethod
    def lines(self, positions: Sequence[int]) -> bytes:
        """The lines of the uploaded file for rows of this block at these positions of the input, in their order."""


class SingleRows(JobBlock):
    """Rows that are handled one by one."""

    def __init__(self, rows: JobRows, first: int, found: Sequence[RequestRow]) -> None:
        super().__init__(rows, first)
        self._found = found

    def __len__(self) -> int:
        return len(self._found)

    @property
    def canonical(self) -> bytes:
        return b"".join(row_bytes(row) + b"\n" for row in self._found)

    def pieces(self) -> Iterator[Iterable[InputRow]]:
        yield (
            self._rows.row(row, self._rows.wire.names(row, position))
            for position, row in enumerate(self._found, self.first)
        )

    def lines(self, positions: Sequence[int]) -> bytes:
        line = self._rows.wire.line
        return b"".join(line(self._found[position - self.first], position) for position in positions)


class FormedRows(JobBlock):
    """Rows of known forms."""

    def __init__(self, rows: JobRows, first: int, block: RowBlock, runs: Sequence[tuple[JobForm, GapTexts]]) -> None:
        super().__init__(rows, first)
        self._block = block
        self._count = len(block)
        self._runs = runs

    def __len__(self) -> int:
        return self._count

    @property
    def canonical(self) -> bytes:
        return self._block.lines

    def pieces(self) -> Iterator[Iterable[InputRow]]:
        at, keys = 0, self._block.keys
        for form, rows in self._runs:
            columns = FormColumns(form, rows, keys[at : at + len(rows)], self.first + at, self._rows.printer)
            at += len(rows)
            is_echoed = self._rows.wire.is_echoed
            if is_echoed or form.has_members:
                yield _with_others(columns, form, rows, is_echoed=is_echoed)
            else:
                yield columns

    def lines(self, positions: Sequence[int]) -> bytes:
        found, first = [], self.first
        for form, rows in self._runs:
            start, end = bisect_left(positions, first), bisect_left(positions, first + len(rows))
            chosen = positions[start:end]
            wanted = rows if len(chosen) == len(rows) else rows.some([position - first for position in chosen])
            found.append(form.lines(wanted, chosen))
            first += len(rows)
        return b"".join(found)


class FormColumns(RowColumns):
    """Rows of one form."""

    def __init__(
        self, form: JobForm, rows: GapTexts, keys: Sequence[str | None], first: int, printer: RowPrinter
    ) -> None:
        self.keys = keys
        names = (key_of(position) if key is None else key for position, key in enumerate(keys, first))
        self.names = list(names) if None in keys else cast("Sequence[str]", keys)
        self.asked, self.output = form.asked, form.output
        self._form, self._rows, self._printer = form, rows, printer

    @cached_property
    def fingerprints(self) -> Sequence[bytes]:
        return self._printer.read_each(*self._requests)

    @cached_property
    def sizes(self) -> Sequence[int]:
        first, others = self._requests
        size = len(first)
        return [size + len(other) for other in others] if size else list(map(len, others))

    @cached_property
    def _requests(self) -> tuple[bytes, Sequence[bytes]]:
        return self._form.requests(self._rows)


def _with_others(columns: FormColumns, form: JobForm, rows: GapTexts, *, is_echoed: bool) -> Iterator[InputRow]:
    """The rows of a form with the members beside their requests, and with their requests if results repeat them."""
    sent = map(_DECODER.decode, form.sent_requests(rows)) if is_echoed else [None] * len(rows)
    members = map(_DECODER.decode, form.members_of(rows)) if form.has_members else [_NOTHING] * len(rows)
    for row, echoed, beside in zip(columns, sent, members, strict=True):
        yield replace(row, request=echoed, members=beside)


def input_changed(source: LocalFile, reason: str) -> ResultsError:
    """The error for a file that is not the one that was digested any more."""
    return ResultsError(
        f"the input file {source.path} changed while the command ran: {reason}",
        code=ErrorCode.INPUT_CHANGED,
        hint="run the command again: it reads the file again and makes a new plan",
    )
