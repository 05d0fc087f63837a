"""The body of the create call. Source: reference 1.2, 1.3; design section 6 (the mark)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_never

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BadRequest
from batchctl.model.json_value import Json
from batchctl.model.keys import Mark
from batchctl.model.kinds import Kind
from batchctl.model.ports.providers import CreateRequest
from batchctl.model.row_marks import metadata_of
from batchctl.model.sources import InlineRows, RemoteSource, RequestRow, UploadedFile
from batchctl.providers.create_bodies import encode_json, merge_patch

BODY_LIMIT = 20_971_520
"""Bytes of a create call, at most (reference chapters 9 and 10)."""


def create_method(kind: Kind) -> str:
    """The custom method that creates a job of this kind."""
    match kind:
        case Kind.BATCH_JOB:
            return ":batchGenerateContent"
        case Kind.EMBEDDINGS_BATCH_JOB:
            return ":asyncBatchEmbedContent"
        case _:
            assert_never(kind)


def marked_name(display_name: str | None, mark: Mark, limit: int) -> str:
    """The display name to send: the user's part (else the job's name), cut to fit, then the complete mark."""
    tail = str(mark)
    space = max(0, limit - len(tail) - 1)
    head = (display_name or mark.key.job)[:space].rstrip()
    return f"{head} {tail}" if head else tail


def create_body(request: CreateRequest, display_name_limit: int) -> bytes:
    """The JSON to send. Raises BadRequest (nothing was sent) when it is too large or cannot be serialized.

    `extra_body` is merged into the batch object (RFC 7396), except for the display name: without its mark, batchctl
    would not find the job and would create it again.
    """
    batch: dict[str, Any] = {"inputConfig": _input(request)}
    if request.priority:
        # An int64, which proto-JSON writes as a string (reference 1.2).
        batch["priority"] = str(request.priority)
    if request.webhook:
        batch["webhookConfig"] = dict(request.webhook)
    merged = merge_patch(batch, request.extra_body)
    merged.pop("display_name", None)
    merged["displayName"] = marked_name(request.display_name, request.mark, display_name_limit)
    body = encode_json({"batch": merged})
    if len(body) > BODY_LIMIT:
        raise BadRequest(
            f"the inline rows of {request.mark.key.job} make a call of {len(body)} bytes; the limit is {BODY_LIMIT}",
            http=400,
            code=ErrorCode.INPUT_TOO_LARGE,
            hint="put the rows into a JSONL file beside the manifest and name it: src: {file: rows.jsonl}",
        )
    return body


def _input(request: CreateRequest) -> dict[str, Json]:
    match request.source:
        case InlineRows(rows, positions):
            return {"requests": {"requests": _rows(rows, positions or range(len(rows)))}}
        case UploadedFile(name):
            return {"fileName": name}
        case RemoteSource(uris):
            raise BadRequest(
                f"the Gemini API does not read {', '.join(uris)[:200]}",
                http=400,
                code=ErrorCode.INVALID_INPUT,
                hint="use rows, a local file or files/…; or a provider of type vertex",
            )
        case _:
            assert_never(request.source)


def _rows(rows: Sequence[RequestRow], positions: Sequence[int]) -> list[Json]:
    placed = zip(positions, rows, strict=True)
    return [{"request": row.request, "metadata": _metadata(row, position)} for position, row in placed]


def _metadata(row: RequestRow, position: int) -> dict[str, Json]:
    """The user's metadata, with the row's key and our mark, which identify its result."""
    given = row.members.get("metadata")
    key = {} if row.key is None else {"key": row.key}
    return {**(given if isinstance(given, dict) else {}), **key, **metadata_of(position)}
