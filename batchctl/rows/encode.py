"""The input of a job as it is sent: its rows, merged with the job's `request` defaults.

Owns the merge and the line format of uploaded files. Implements InputEncoder. Source: reference 8.1, 8.2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, assert_never

from batchctl.model.activity import UNWATCHED, Activity, Flow
from batchctl.model.canonical import RowsHasher
from batchctl.model.capabilities import CAPABILITIES, RowMark, is_partner_model
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import (
    LINE_BYTES,
    AwaitedRows,
    DesiredJob,
    InlineRows,
    Json,
    Kind,
    LocalFile,
    RemoteSource,
    RequestRow,
    UnknownSource,
    UploadedFile,
)
from batchctl.model.errors import ResultsError, RowsError
from batchctl.model.ports import InputRow
from batchctl.model.request.merging import with_defaults
from batchctl.model.row_marks import key_of, labels_of
from batchctl.model.wire_json import wire_json
from batchctl.rows.identities import names_of
from batchctl.rows.made_rows import find_made
from batchctl.rows.reader import read_rows
from batchctl.rows.row_printer import RowPrinter
from batchctl.rows.spelling import spell_request, with_lists


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
                replace(row, request=with_lists(_merged(job, defaults, row.request)))
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
        form = WireForm(job)
        content = hashlib.sha256()
        rows = RowsHasher()
        chosen = None if positions is None else iter(positions)
        following = None if chosen is None else next(chosen, None)
        try:
            for index, row in enumerate(read_rows(source.path, job.row_kind, self._line_bytes)):
                rows.add(row)
                if chosen is not None:
                    if index != following:
                        continue
                    following = next(chosen, None)
                line = form.line(row, index)
                content.update(line)
                into.write(line)
                flow.add(len(line))
        except RowsError as error:
            raise _input_changed(source, str(error)) from error
        if rows.hexdigest() != source.sha256:
            raise _input_changed(source, "its rows are others")
        return content.hexdigest()

    def rows(self, job: DesiredJob) -> Iterator[InputRow] | None:
        """The rows as they are sent; None if batchctl does not have the input.

        A file that changed or went away since the job was made must not keep its results from being collected, but it
        says nothing of them: reading it raises `InputChanged`.
        """
        match job.source:
            case InlineRows(rows):
                return self._inline(job, rows)
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

    def _inline(self, job: DesiredJob, rows: Sequence[RequestRow]) -> Iterator[InputRow]:
        form, printer = WireForm(job), RowPrinter(job)
        for row in rows:
            sent = form.request(row)
            fingerprint, size = printer.read(form.described(row, sent))
            yield InputRow(row.key, None, row.members, sent_request=sent, fingerprint=fingerprint, size=size)

    def _rows_of_file(self, job: DesiredJob, source: LocalFile) -> Iterator[InputRow]:
        form, printer = WireForm(job), RowPrinter(job)
        hasher = RowsHasher()
        try:
            for index, row in enumerate(read_rows(source.path, job.row_kind, self._line_bytes)):
                hasher.add(row)
                sent = form.request(row)
                fingerprint, size = printer.read(form.described(row, sent))
                yield InputRow(
                    row.key,
                    sent if form.is_echoed else None,
                    row.members,
                    form.names(row, index),
                    sent_request=sent,
                    fingerprint=fingerprint,
                    size=size,
                )
        except RowsError as error:
            raise _input_changed(source, str(error)) from error
        if hasher.hexdigest() != source.sha256:
            raise _input_changed(source, "its rows are others")


class WireForm:
    """The form in which the rows of one job are sent in a file.

    Members beside a request are not sent, but for the name that the API joins by: they say nothing to a model, and an
    importer fails the whole job where they are not of one type. They come back from the input.
    """

    def __init__(self, job: DesiredJob) -> None:
        self._job = job
        self._defaults = request_defaults(job)
        labels = CAPABILITIES[job.account.api].row_mark is RowMark.LABEL
        self.is_echoed = labels
        """Whether results repeat the request."""
        self._by_custom_id = labels and is_partner_model(job.model)
        # A request for an embedding has no labels, and another publisher's knows none (8.2).
        self._labels = labels and not self._by_custom_id and job.row_kind is not Kind.EMBEDDINGS_BATCH_JOB

    def names(self, row: RequestRow, index: int) -> dict[str, str]:
        """The names of a row in the file: those of the user, else batchctl's mark."""
        if row.in_body or self._by_custom_id:
            own = names_of(None, row.members).get("custom_id", row.key)
            return {"custom_id": key_of(index) if own is None else own}
        return {"key": key_of(index) if row.key is None else row.key}

    def request(self, row: RequestRow) -> Mapping[str, Json]:
        """A row's request, merged with the defaults and the change of the attempt."""
        return _in_place(self._job, with_lists(_merged(self._job, self._defaults, row.request)))

    def described(self, row: RequestRow, sent: Mapping[str, Json]) -> Mapping[str, Json]:
        """A row's request as the manifest describes it; `sent` is the same without a change of the attempt."""
        if self._job.sent_with is None:
            return sent
        return _in_place(self._job, with_lists(with_defaults(self._defaults, row.request, self._job.row_kind)))

    def line(self, row: RequestRow, index: int) -> bytes:
        """A row as a line of the file."""
        names, request = self.names(row, index), self.request(row)
        if row.in_body:
            found = {**row.members, **names, "body": request}
        else:
            labels = labels_of(index) if self._labels and not row.in_body else {}
            marked = {**request, "labels": {**(request.get("labels") or {}), **labels}} if labels else request
            found = {**names, "request": marked}
        # Members keep the user's order: the order of a response schema's properties may shape the answer.
        return wire_json(found) + b"\n"


def _merged(job: DesiredJob, defaults: Mapping[str, Json], request: Mapping[str, Json]) -> Mapping[str, Json]:
    found = with_defaults(defaults, request, job.row_kind)
    if job.sent_with is None or not job.sent_with.request:
        return found
    return with_defaults(found, spell_request(job.sent_with.request, job.row_kind), job.row_kind)


def request_defaults(job: DesiredJob) -> Mapping[str, Json]:
    """The job's `request` in REST form: a system instruction given as text becomes a content."""
    defaults = spell_request(job.request, job.row_kind)
    instruction = defaults.get("systemInstruction")
    if isinstance(instruction, str):
        defaults["systemInstruction"] = {"parts": [{"text": instruction}]}
    return defaults


_EMBED_CONFIG = "embed_content_config"
_EMBED_CONFIGS = frozenset({_EMBED_CONFIG, "embedContentConfig"})
_EMBED_SETTINGS = frozenset({"taskType", "title", "outputDimensionality"})


def _in_place(job: DesiredJob, request: Mapping[str, Json]) -> Mapping[str, Json]:
    """The request with the settings of an embedding where the API of the job wants them (reference 1.3, 8.2)."""
    if job.kind is job.row_kind or not _EMBED_SETTINGS & request.keys():
        return request
    settings = {name: value for name, value in request.items() if name in _EMBED_SETTINGS}
    others = {name: value for name, value in request.items() if name not in _EMBED_SETTINGS | _EMBED_CONFIGS}
    own: Mapping[str, Json] = next((value for name, value in request.items() if name in _EMBED_CONFIGS and value), {})
    return {**others, _EMBED_CONFIG: {**settings, **own}}


def _input_changed(source: LocalFile, reason: str) -> ResultsError:
    return ResultsError(
        f"the input file {source.path} changed while the command ran: {reason}",
        code=ErrorCode.INPUT_CHANGED,
        hint="run the command again: it reads the file again and makes a new plan",
    )
