"""The imported rows of a job and their outcomes, one at a time, in the order of the input.

Outcomes are not stored: they are derived from the stored rows whenever they are needed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import islice

from batchctl.emulator.answers import ROLES, BadRow, answer_row, check_row, plain_embed
from batchctl.emulator.job_store import Job
from batchctl.emulator.json_lines import lines
from batchctl.emulator.proto import read_message
from batchctl.emulator.requests import VERTEX_REQUESTS
from batchctl.emulator.row_outcomes import Hits, row_outcome
from batchctl.emulator.store import Store
from batchctl.emulator.vertex.models import bare_model
from batchctl.emulator.vertex.partners import asked_in, is_partner_row, partner_answer
from batchctl.emulator.wire import RPC_CODES, JsonObject, Refused, status_of

_EMBED_FIELDS = ("content", "taskType", "title", "outputDimensionality")


@dataclass(frozen=True)
class Outcome:
    """The result of one processed row."""

    line: JsonObject
    """The row as received: `request`, possibly `key`; the complete instance of legacy text embeddings."""
    columns: JsonObject = field(default_factory=dict)
    """The other columns of the input table in this row."""
    status: str = ""
    """Empty if the row succeeded. Source: reference 8.2."""
    response: JsonObject = field(default_factory=dict)
    """The model's response, or the `predictions` of a legacy text embedding."""


def outcomes(store: Store, job: Job) -> Iterator[Outcome]:
    """The outcome of every row."""
    hits: Hits = {}
    for position, stored in enumerate(map(json.loads, lines(store.read(job.input_blob)))):
        line, columns = stored["line"], stored.get("columns", {})
        try:
            request = _read(job, line)
            made = row_outcome(job.course.rows, _texts(line, request), hits)
            error = None if made is None else made.error
        except _BadRequest as bad:
            request, made, error = {}, None, {"code": RPC_CODES["INVALID_ARGUMENT"], "message": str(bad)}
        if error is None:
            response = _response(job, line, request, position)
            yield Outcome(line, columns, "", response if made is None else made.change(response))
        else:
            yield Outcome(line, columns, _status(error))


def tally(store: Store, job: Job, most: int | None = None) -> tuple[int, int]:
    """The number of rows among the first `most`, and the number of failed rows among them."""
    rows = failed = 0
    for outcome in islice(outcomes(store, job), most):
        rows += 1
        failed += bool(outcome.status)
    return rows, failed


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


def _response(job: Job, line: JsonObject, request: JsonObject, position: int) -> JsonObject:
    model, salt = bare_model(job.model), f"{job.name}/{position}"
    if job.kind == "generate" and is_partner_row(job.model, line):
        return partner_answer(line, model, salt)
    if job.kind != "text":
        return answer_row(job.kind, model, request, salt)
    answer = answer_row("embed", model, request, salt)
    statistics = {"token_count": int(answer["tokenCount"]), "truncated": False}
    return {"predictions": [{"embeddings": {"statistics": statistics, "values": answer["embedding"]["values"]}}]}


def _status(error: JsonObject) -> str:
    """The error as the reply of a single call would show it, after the name of its HTTP status."""
    http, name = status_of(error["code"])
    body = {"error": {"code": http, "message": error["message"], "status": name}}
    phrase = HTTPStatus(http).phrase if http in frozenset(HTTPStatus) else name
    return f"{phrase}: {json.dumps(body, ensure_ascii=False)}"
