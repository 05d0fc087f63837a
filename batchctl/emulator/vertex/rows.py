"""The imported rows of a job and their outcomes, one at a time.

Answers are not stored: they are derived from the stored rows whenever they are needed. The outcomes of rules are
stored, because they may depend on earlier jobs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from itertools import chain, islice

from msgspec import Struct, field

from batchctl.emulator.answers import ROLES, BadRow, answer_row, check_row, plain_embed
from batchctl.emulator.job_store import Job
from batchctl.emulator.json_lines import lines
from batchctl.emulator.proto import read_message
from batchctl.emulator.requests import VERTEX_REQUESTS
from batchctl.emulator.row_hashes import request_hash
from batchctl.emulator.row_order import ordered_lines, processing_order
from batchctl.emulator.row_outcomes import RowChooser, changed
from batchctl.emulator.sent_rows import (
    SentRows,
    count_sent,
    failed_among,
    outcome_of,
    outcome_text,
    put_sent_rows,
    row_outcomes,
)
from batchctl.emulator.store import Store
from batchctl.emulator.vertex.models import bare_model
from batchctl.emulator.vertex.partners import asked_in, is_partner_row, partner_answer
from batchctl.emulator.wire import RPC_CODES, JsonObject, Refused, status_of

_EMBED_FIELDS = ("content", "taskType", "title", "outputDimensionality")


class Outcome(Struct, frozen=True):
    """The result of one processed row."""

    line: JsonObject
    """The row as received: `request`, possibly `key`; the complete instance of legacy text embeddings."""
    columns: JsonObject = field(default_factory=dict)
    """The other columns of the input table in this row."""
    status: str | JsonObject = ""
    """Empty if the row succeeded; an object only if a rule gives it. Source: reference 8.2."""
    response: JsonObject = field(default_factory=dict)
    """The model's response, or the `predictions` of a legacy text embedding."""


def keep_rows(store: Store, job: Job) -> SentRows:
    """Store the hashes of the job's imported rows, and the outcomes of the rules."""
    rows, chooser = SentRows(), RowChooser(store, job.api, job.model, job.course.rows)
    for stored in map(json.loads, lines(store.read(job.input_blob))):
        line = stored["line"]
        try:
            request = _read(job, line)
        except _BadRequest as bad:
            error = {"code": RPC_CODES["INVALID_ARGUMENT"], "message": str(bad)}
            rows.add(_hash(job, line, {}), outcome_text("error", error))
        else:
            has_candidates = job.kind == "generate" and not is_partner_row(job.model, line)
            outcome = chooser.choose(_texts(line, request), request, has_candidates=has_candidates)
            rows.add(_hash(job, line, request), outcome)
    put_sent_rows(store, job.seq, rows)
    chooser.save()
    return rows


def keep_sent_rows(store: Store, job: Job, sent: Iterator[object]) -> None:
    """Store the hashes of rows that were not imported yet."""
    rows = SentRows()
    for line in sent:
        try:
            request = _read(job, line) if isinstance(line, dict) else {}
        except (_BadRequest, KeyError, TypeError):
            request = {}
        rows.add(_hash(job, line, request))
    put_sent_rows(store, job.seq, rows)


def _hash(job: Job, line: object, request: JsonObject) -> bytes:
    """The hash of the request as it was read; of one that cannot be read, or of a partner's, as it was sent."""
    if request and not (isinstance(line, dict) and is_partner_row(job.model, line)):
        return request_hash(request)
    return request_hash(line.get("body", line.get("request", line)) if isinstance(line, dict) else line)


def outcomes(store: Store, job: Job) -> Iterator[tuple[int, Outcome]]:
    """The position and the outcome of every row, in the order of the output. Source: reference 8.2."""
    if not count_sent(store, job.seq):
        keep_rows(store, job)  # imported by an earlier release
    given = row_outcomes(store, job)
    for position, stored in _stored_rows(store, job):
        yield position, _outcome(job, json.loads(stored), given.get(position))


def _stored_rows(store: Store, job: Job) -> Iterator[tuple[int, bytes]]:
    """The stored rows with their positions: shuffled by a rule, or the second half first."""
    if job.course.shuffle is not None:
        return ordered_lines(store, job.input_blob, job.course.shuffle)
    half = -(-job.request_count // 2)
    second, first = (enumerate(lines(store.read(job.input_blob))) for _ in range(2))
    return chain(islice(second, half, None), islice(first, half))


def _outcome(job: Job, stored: JsonObject, given: str | None) -> Outcome:
    line, columns = stored["line"], stored.get("columns", {})
    found = {} if given is None else outcome_of(given)
    if "error" in found:
        return Outcome(line, columns, _status(found["error"]))
    response = _response(job, line, _read(job, line))
    return Outcome(line, columns, "", changed(found, response) if found else response)


def failed_rows(store: Store, job: Job, most: int) -> int:
    """The number of failed rows among the first `most` that the job processes."""
    return failed_among(store, job, islice(processing_order(job.request_count, job.course.shuffle), most))


class _BadRequest(Exception):
    """Only this row fails, as a single call with this request would."""


def _read(job: Job, line: JsonObject) -> JsonObject:
    """The request of the row in the form that `answers` reads. Raises _BadRequest."""
    kind = job.kind
    if kind == "text":
        return {"content": {"parts": [{"text": line["content"]}]}}
    if is_partner_row(job.model, line):
        return {"content": {"parts": [{"text": asked_in(line)}]}}
    try:
        request = read_message(line["request"], VERTEX_REQUESTS[kind])
        if kind == "embed":
            merged = plain_embed(request)
            request = {name: merged[name] for name in _EMBED_FIELDS if name in merged}
        check_row(kind, request, ROLES)
        _check_cache(request)
    except Refused as refused:
        raise _BadRequest(refused.message) from refused
    except BadRow as bad:
        raise _BadRequest(str(bad)) from bad
    return {name: value for name, value in request.items() if name != "model"}


def _check_cache(request: JsonObject) -> None:
    """Raise BadRow for explicit caching, which batch jobs on Vertex do not support. Source: reference 7, 10."""
    if "cachedContent" in request:
        raise BadRow("Explicit context caching is not supported in batch prediction.")


def _texts(line: JsonObject, request: JsonObject) -> list[str]:
    """The texts by which a rule may match the row: its key, the values of its labels, the last message."""
    labels = request.get("labels")
    known = [line.get("key"), line.get("custom_id"), *(labels.values() if isinstance(labels, dict) else ())]
    asked = request["contents"][-1] if "contents" in request else request.get("content", {})
    known.append("".join(part.get("text", "") for part in asked.get("parts", [])))
    return [text for text in known if isinstance(text, str)]


def _response(job: Job, line: JsonObject, request: JsonObject) -> JsonObject:
    model = bare_model(job.model)
    if job.kind == "generate" and is_partner_row(job.model, line):
        return partner_answer(line, model)
    if job.kind != "text":
        return answer_row(job.kind, model, request)
    answer = answer_row("embed", model, request)
    statistics = {"token_count": int(answer["tokenCount"]), "truncated": False}
    return {"predictions": [{"embeddings": {"statistics": statistics, "values": answer["embedding"]["values"]}}]}


def _status(error: JsonObject) -> str | JsonObject:
    """The error as the reply of a single call would show it, after the name of its HTTP status; or as a rule has it."""
    if "status" in error:
        given: str | JsonObject = error["status"]
        return given
    http, name = status_of(error["code"])
    body = {"error": {"code": http, "message": error["message"], "status": name}}
    phrase = HTTPStatus(http).phrase if http in frozenset(HTTPStatus) else name
    return f"{phrase}: {json.dumps(body, ensure_ascii=False)}"
