"""The input of a job as it is sent: its rows, merged with the job's `request` defaults.

Owns the merge and the line format of uploaded files. Implements InputEncoder. Source: reference 8.1, 8.2.
"""

from __future__ import annotations

import hashlib
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import BinaryIO, assert_never

from msgspec import structs
from msgspec.structs import replace

from batchctl.model.activity import UNWATCHED, Activity, Flow
from batchctl.model.canonical import RowsHasher
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredJob
from batchctl.model.errors import ResultsError, RowsError
from batchctl.model.json_value import Json
from batchctl.model.keys import Account
from batchctl.model.pieces import Pieces
from batchctl.model.ports.inputs import EncodedFile, InputRow, SourceFile
from batchctl.model.ports.providers import Provider
from batchctl.model.sources import (
    AwaitedRows,
    InlineRows,
    LocalFile,
    RemoteSource,
    RequestRow,
    UnknownSource,
    UploadedFile,
)
from batchctl.model.stack import LINE_BYTES
from batchctl.rows.checked_files import CheckedFiles
from batchctl.rows.encoded_ahead import EncodedAhead
from batchctl.rows.job_rows import JobBlock, JobRows, input_changed
from batchctl.rows.made_rows import find_made
from batchctl.rows.place import ResultsPlace
from batchctl.rows.source_copies import SourceCopies, row_of
from batchctl.rows.spelling import with_lists
from batchctl.rows.whole_files import read_rows
from batchctl.rows.wire_form import WireForm, merged_request, request_defaults

_EVERY_POSITION = range(2**53)


class RowEncoder:
    """Implements InputEncoder."""

    def __init__(
        self,
        line_bytes: int = LINE_BYTES,
        activity: Activity = UNWATCHED,
        results: ResultsPlace | None = None,
        providers: Callable[[Account], Provider] | None = None,
        checked: CheckedFiles | None = None,
    ) -> None:
        """`results` have the rows of chains. Without `providers`, rows at Cloud Storage are not read.

        `checked`: the files that this process has checked.
        """
        self._line_bytes = line_bytes
        self._activity = activity
        self._results = results
        self._copies = None if providers is None else SourceCopies(providers, activity)
        self._checked = checked
        self._ahead = EncodedAhead()
        self._given: list[BinaryIO] = []
        """Uploads that their callers close, unless they break off."""

    def inline_rows(self, job: DesiredJob, positions: Sequence[int] | None = None) -> InlineRows:
        if not isinstance(job.source, InlineRows):
            raise TypeError(f"{job.name} has no inline rows")
        defaults, rows = request_defaults(job), tuple(job.source.rows)
        chosen = range(len(rows)) if positions is None else positions
        return InlineRows(
            tuple(
                replace(row, request=with_lists(merged_request(job, defaults, row.request)))
                for row in (rows[position] for position in chosen)
            ),
            () if positions is None else tuple(positions),
        )

    def encode_file(
        self, job: DesiredJob, positions: Sequence[int] | None = None, files: tuple[SourceFile, ...] = ()
    ) -> EncodedFile:
        size = job.source.size if isinstance(job.source, LocalFile) else None
        with self._activity.running(f"{job.name}: preparing the upload", size or None) as flow, ExitStack() as failed:
            found = self._ahead.take(job, flow) if positions is None and not files else None
            if found is None:
                self._ahead.drop(job)
                content = failed.enter_context(tempfile.TemporaryFile(prefix="batchctl-"))
                found = EncodedFile(content, _encode(self._blocks(job, files, positions), content, flow, positions))
            failed.pop_all()
            self._given = [one for one in self._given if not one.closed] + [found.content]
            return found

    def _blocks(
        self, job: DesiredJob, files: tuple[SourceFile, ...] = (), positions: Sequence[int] | None = None
    ) -> Iterator[JobBlock]:
        """The rows of a source in files, here or at Cloud Storage; at least those at these positions.

        `files`: the ones that they have to come from.
        """
        rows = JobRows(job, self._line_bytes, self._checked)
        match job.source:
            case LocalFile() as source:
                return rows.blocks(source)
            case RemoteSource() as source if self._copies is not None:
                copy = self._copies.open(job, source)
                if files and copy.files != files:
                    raise _source_changed(job)
                first, end = (positions[0], positions[-1] + 1) if positions else (0, None)
                return rows.single_blocks(copy.rows(first, end), first)
            case _:
                raise TypeError(f"{job.name} has no rows in files")

    def rows(self, job: DesiredJob, *, ahead: bool = False) -> Pieces[InputRow] | None:
        """The rows as they are sent; None if batchctl does not have the input.

        A file that changed or went away since the job was made must not keep its results from being collected, but it
        says nothing of them: reading it raises `InputChanged`.
        """
        match job.source:
            case InlineRows(rows):
                return Pieces([map(JobRows(job, self._line_bytes).row, rows)])
            case LocalFile():
                blocks = self._blocks(job)
                return _inputs(self._ahead.added(job, blocks) if ahead else blocks)
            case RemoteSource() as source if source.is_divisible and self._copies is not None:
                return _inputs(self._blocks(job))
            case AwaitedRows() | UploadedFile() | RemoteSource() | UnknownSource():
                return None
            case _ as never:
                assert_never(never)

    def former_rows(self, job: DesiredJob, sha256: str) -> Pieces[InputRow] | None:
        if self._results is None or job.chain is None:
            return None
        self._results.bring_rows(job.name)
        file = find_made(self._results.root, job.name, sha256)
        return None if file is None else _inputs(JobRows(job, self._line_bytes).blocks(LocalFile(file, sha256, 0)))

    def files(self, job: DesiredJob) -> tuple[SourceFile, ...]:
        if self._copies is None or not isinstance(job.source, RemoteSource) or not job.source.is_divisible:
            return ()
        return self._copies.find(job, job.source)

    def may_exceed(self, job: DesiredJob) -> bool:
        if self._copies is None or not isinstance(job.source, RemoteSource) or not job.source.is_divisible:
            return False
        return self._copies.may_exceed(job, job.source)

    def with_fingerprints(self, job: DesiredJob, rows: Iterable[InputRow]) -> Iterator[InputRow]:
        own = JobRows(job, self._line_bytes)
        for row in rows:
            try:
                found = row_of(row, job.row_kind)
            except ValueError:
                # It cannot be sent again by itself, so none of them can: the list would not be that of the input.
                yield row
                continue
            fingerprint, _ = own.printer.read(own.wire.described(found, own.wire.request(found)))
            yield structs.replace(row, fingerprint=fingerprint)

    def release(self) -> None:
        self._ahead.release()
        for content in self._given:
            content.close()
        if self._copies is not None:
            self._copies.release()

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


def _inputs(blocks: Iterable[JobBlock]) -> Pieces[InputRow]:
    return Pieces(piece for block in blocks for piece in block.pieces())


def _encode(blocks: Iterator[JobBlock], into: BinaryIO, flow: Flow, positions: Sequence[int] | None) -> str:
    content = hashlib.sha256()
    chosen = _EVERY_POSITION if positions is None else positions
    for block in blocks:
        end = block.first + len(block)
        lines = block.lines(chosen[bisect_left(chosen, block.first) : bisect_left(chosen, end)])
        content.update(lines)
        into.write(lines)
        flow.add(len(lines))
    return content.hexdigest()


def _source_changed(job: DesiredJob) -> ResultsError:
    return ResultsError(
        f"the source of {job.name} at Cloud Storage was overwritten while the command ran",
        code=ErrorCode.INPUT_CHANGED,
        hint="run the command again: it reads the source again",
    )
