"""The input of a job as it is sent: its rows, merged with the job's `request` defaults.

Owns the merge and the line format of uploaded files. Implements InputEncoder. Source: reference 8.1, 8.2.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, assert_never

from batchctl.model.activity import UNWATCHED, Activity, Flow
from batchctl.model.canonical import RowsHasher
from batchctl.model.desired import (
    LINE_BYTES,
    AwaitedRows,
    DesiredJob,
    InlineRows,
    Json,
    LocalFile,
    RemoteSource,
    RequestRow,
    UnknownSource,
    UploadedFile,
)
from batchctl.model.errors import RowsError
from batchctl.model.ports import InputRow
from batchctl.rows.job_rows import JobRows, input_changed
from batchctl.rows.made_rows import find_made
from batchctl.rows.reader import read_rows
from batchctl.rows.spelling import with_lists
from batchctl.rows.wire_form import WireForm, merged_request, request_defaults

_EVERY_POSITION = range(2**53)


class RowEncoder:
    """Implements InputEncoder."""

    def __init__(
        self, line_bytes: int = LINE_BYTES, activity: Activity = UNWATCHED, results: Path | None = None
    ) -> None:
        """`results`: the folder that has the rows of chains."""
        self._line_bytes = line_bytes
        self._activity = activity
        self._results = results

    def inline_rows(self, job: DesiredJob, positions: Sequence[int] | None = None) -> InlineRows:
        if not isinstance(job.source, InlineRows):
            raise TypeError(f"{job.name} has no inline rows")
        defaults, rows = request_defaults(job), job.source.rows
        chosen = range(len(rows)) if positions is None else positions
        return InlineRows(
            tuple(
                replace(row, request=with_lists(merged_request(job, defaults, row.request)))
                for row in (rows[position] for position in chosen)
            ),
            () if positions is None else tuple(positions),
        )

    def encode_file(
        self, job: DesiredJob, source: LocalFile, into: BinaryIO, positions: Sequence[int] | None = None
    ) -> str:
        with self._activity.running(f"{job.name}: preparing the upload", source.size or None) as flow:
            return self._encode(job, source, into, flow, positions)

    def _encode(
        self, job: DesiredJob, source: LocalFile, into: BinaryIO, flow: Flow, positions: Sequence[int] | None
    ) -> str:
        content = hashlib.sha256()
        chosen = _EVERY_POSITION if positions is None else positions
        for block in JobRows(job, self._line_bytes).blocks(source):
            end = block.first + len(block)
            lines = block.lines(chosen[bisect_left(chosen, block.first) : bisect_left(chosen, end)])
            content.update(lines)
            into.write(lines)
            flow.add(len(lines))
        return content.hexdigest()

    def rows(self, job: DesiredJob) -> Iterator[InputRow] | None:
        """The rows as they are sent; None if batchctl does not have the input.

        A file that changed or went away since the job was made must not keep its results from being collected, but it
        says nothing of them: reading it raises `InputChanged`.
        """
        match job.source:
            case InlineRows(rows):
                return map(JobRows(job, self._line_bytes).row, rows)
            case LocalFile() as source:
                return self._rows_of_file(job, source)
            case AwaitedRows() | UploadedFile() | RemoteSource() | UnknownSource():
                return None
            case _ as never:
                assert_never(never)

    def former_rows(self, job: DesiredJob, sha256: str) -> Iterator[InputRow] | None:
        if self._results is None or job.chain is None:
            return None
        file = find_made(self._results, job.name, sha256)
        return None if file is None else self._rows_of_file(job, LocalFile(file, sha256, 0))

    def requests(self, job: DesiredJob) -> Iterator[Mapping[str, Json]] | None:
        """The requests of the rows, merged with the defaults; None if batchctl does not have the input.

        Raises as reading the rows does.
        """
        form = WireForm(job)
        match job.source:
            case InlineRows(rows):
                return map(form.request, rows)
            case LocalFile() as source:
                return map(form.request, self._checked_rows(job, source))
            case _:
                return None

    def _checked_rows(self, job: DesiredJob, source: LocalFile) -> Iterator[RequestRow]:
        hasher = RowsHasher()
        try:
            for row in read_rows(source.path, job.row_kind, self._line_bytes):
                hasher.add(row)
                yield row
        except RowsError as error:
            raise input_changed(source, str(error)) from error
        if hasher.hexdigest() != source.sha256:
            raise input_changed(source, "its rows are others")

    def _rows_of_file(self, job: DesiredJob, source: LocalFile) -> Iterator[InputRow]:
        for block in JobRows(job, self._line_bytes).blocks(source):
            yield from block.inputs()
