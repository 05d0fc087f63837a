"""What is sent of a job's input: its rows with the job's `request` defaults under each.

Owns the merge and the line format of uploaded files. Implements InputEncoder. Source: reference 8.1, 8.2.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import BinaryIO, assert_never

from batchctl.model.canonical import RowsHasher
from batchctl.model.capabilities import CAPABILITIES, RowMark
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import (
    LINE_BYTES,
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
from batchctl.model.row_marks import POSITION
from batchctl.rows.reader import read_rows
from batchctl.rows.spelling import spell_request


class RowEncoder:
    """Implements InputEncoder."""

    def __init__(self, line_bytes: int = LINE_BYTES) -> None:
        self._line_bytes = line_bytes

    def inline_rows(self, job: DesiredJob) -> tuple[RequestRow, ...]:
        if not isinstance(job.source, InlineRows):
            raise TypeError(f"{job.name} has no inline rows")
        defaults = request_defaults(job)
        return tuple(RequestRow(row.key, with_defaults(defaults, row.request)) for row in job.source.rows)

    def encode_file(self, job: DesiredJob, source: LocalFile, into: BinaryIO) -> str:
        defaults = request_defaults(job)
        mark = _row_mark(job)
        content = hashlib.sha256()
        rows = RowsHasher()
        try:
            for index, row in enumerate(read_rows(source.path, job.row_kind, self._line_bytes)):
                rows.add(row)
                line = _line(row.key, index, _in_place(job, with_defaults(defaults, row.request)), mark)
                content.update(line)
                into.write(line)
        except RowsError as error:
            raise _input_changed(source, str(error)) from error
        if rows.hexdigest() != source.sha256:
            raise _input_changed(source, "its rows are others")
        return content.hexdigest()

    def keys(self, job: DesiredJob) -> Sequence[str] | None:
        """The rows' keys in input order.

        None when batchctl does not hold the input, or not any more: a file that changed or went away since the job
        was made must not keep its results from being collected, but it says nothing of their order.
        """
        match job.source:
            case InlineRows(rows):
                return tuple(row.key for row in rows)
            case LocalFile() as source:
                return _keys_of_file(source, job.row_kind, self._line_bytes)
            case UploadedFile() | RemoteSource() | UnknownSource():
                return None
            case _ as never:
                assert_never(never)


def request_defaults(job: DesiredJob) -> Mapping[str, Json]:
    """The job's `request` in REST form: a system instruction given as text becomes a content."""
    defaults = spell_request(job.request, job.row_kind)
    instruction = defaults.get("systemInstruction")
    if isinstance(instruction, str):
        defaults["systemInstruction"] = {"parts": [{"text": instruction}]}
    return defaults


def with_defaults(defaults: Mapping[str, Json], request: Mapping[str, Json]) -> Mapping[str, Json]:
    """The request over its defaults, by RFC 7396; without defaults it stands as it is, nulls too."""
    return _merged(defaults, request) if defaults else request


_WHOLE = frozenset({"responseSchema", "responseJsonSchema"})
"""Taken as one value: half of one schema and half of another means nothing."""


def _merged(target: Json, patch: Json) -> Json:
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = value if name in _WHOLE else _merged(result.get(name), value)
    return result


_EMBED_CONFIG = "embed_content_config"
_EMBED_SETTINGS = frozenset({"taskType", "title", "outputDimensionality"})


def _in_place(job: DesiredJob, request: Mapping[str, Json]) -> Mapping[str, Json]:
    """The request with the settings of an embedding where the API of the job wants them (reference 1.3, 8.2)."""
    if job.kind is job.row_kind or not _EMBED_SETTINGS & request.keys():
        return request
    settings = {name: value for name, value in request.items() if name in _EMBED_SETTINGS}
    others = {name: value for name, value in request.items() if name not in _EMBED_SETTINGS}
    return {**others, _EMBED_CONFIG: {**settings, **(others.get(_EMBED_CONFIG) or {})}}


def _row_mark(job: DesiredJob) -> RowMark:
    """How the job's rows are known again. A request for an embedding has no labels, but keeps its key (8.2)."""
    return RowMark.KEY if job.row_kind is Kind.EMBEDDINGS_BATCH_JOB else CAPABILITIES[job.account.api].row_mark


def _line(key: str, index: int, request: Mapping[str, Json], mark: RowMark) -> bytes:
    row: dict[str, Json] = {"key": key, "request": request}
    if mark is RowMark.LABEL:
        row = {"request": {**request, "labels": {**(request.get("labels") or {}), POSITION: str(index)}}}
    # Members keep the user's order: the order of a response schema's properties may shape the answer.
    line = json.dumps(row, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return line.encode("utf-8") + b"\n"


def _keys_of_file(source: LocalFile, kind: Kind, line_bytes: int) -> Sequence[str] | None:
    hasher = RowsHasher()
    keys = []
    try:
        for row in read_rows(source.path, kind, line_bytes):
            hasher.add(row)
            keys.append(row.key)
    except RowsError:
        return None
    return keys if hasher.hexdigest() == source.sha256 else None


def _input_changed(source: LocalFile, reason: str) -> ResultsError:
    return ResultsError(
        f"the input file {source.path} changed while the command ran: {reason}",
        code=ErrorCode.INPUT_CHANGED,
        hint="run the command again: it reads the file anew and plans what follows",
    )
