"""The rows of a job and their results, one at a time: a large job is never loaded completely.

Results are not stored: they are derived from the stored input whenever they are read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from batchctl.emulator.answers import ANY_ROLE, BadRow, answer_row, check_row, plain_embed
from batchctl.emulator.gemini.messages import file_row
from batchctl.emulator.job_store import Job
from batchctl.emulator.json_lines import blocks, lines
from batchctl.emulator.proto import Message, read_message
from batchctl.emulator.row_outcomes import Hits, RowOutcome, row_outcome
from batchctl.emulator.store import Store
from batchctl.emulator.wire import RPC_CODES, JsonObject, Refused

MODEL_STATUS = "modelStatus"
"""The member of a job's body, and of each answer, with the model's life-cycle stage. Source: reference 16."""


@dataclass(frozen=True)
class _Row:
    tag: JsonObject
    """The part that the result echoes: `key` of a file line, `metadata` of an inline item."""
    key: str
    request: JsonObject
    error: JsonObject | None
    outcome: RowOutcome | None = None
    """The effect of a rule on its answer."""


def tally(store: Store, job: Job, most: int | None = None) -> tuple[int, int]:
    """The number of rows among the first `most`, and the number of failed rows among them."""
    rows = failed = 0
    if job.results_blob is not None:
        errors: Iterable[bool] = ("error" in item for item in results(store, job))
    else:
        errors = (row.error is not None for row in _rows(store, job))
    for error in islice(errors, most):
        rows += 1
        failed += error
    return rows, failed


def results(store: Store, job: Job) -> Iterator[JsonObject]:
    """The results of the processed rows, in input order: all rows, unless it was cancelled. Source: reference 8.1."""
    every = _given(store, job.results_blob) if job.results_blob is not None else _computed(store, job)
    return islice(every, job.served)


def result_lines(store: Store, job: Job) -> Iterator[bytes]:
    """The result file's bytes, in blocks."""
    return blocks(results(store, job))


def _given(store: Store, blob: str) -> Iterator[JsonObject]:
    return (json.loads(line) for line in lines(store.read(blob)))


def _computed(store: Store, job: Job) -> Iterator[JsonObject]:
    for index, row in enumerate(_rows(store, job)):
        if row.error is None:
            response = answer_row(job.kind, job.model, plain_embed(row.request), f"{job.name}/{index}")
            response = response if row.outcome is None else row.outcome.change(response)
            yield {"response": {**response, **(job.body if job.kind == "generate" else {})}, **row.tag}
        else:
            yield {"error": row.error, **row.tag}


def _rows(store: Store, job: Job) -> Iterator[_Row]:
    message = file_row(job.kind)
    hits: Hits = {}
    for line in lines(store.read(job.input_blob)):
        row = _inline_row(line) if job.input_file is None else _file_row(line, message)
        error, outcome = row.error or _checked(job.kind, row.request), None
        if error is None:
            outcome = row_outcome(job.course.rows, [row.key], hits)
            error = None if outcome is None else outcome.error
        yield _Row(row.tag, row.key, row.request, error, outcome)


def _inline_row(line: bytes) -> _Row:
    item = json.loads(line)
    tag = {"metadata": item["metadata"]} if "metadata" in item else {}
    key = item["metadata"].get("key") if isinstance(item.get("metadata"), dict) else None
    return _Row(tag, key if isinstance(key, str) else "", item.get("request", {}), None)


def check_lines(store: Store, blob: str, kind: str) -> None:
    """Raise Refused (400) for the first invalid line of a file, so that no job is created. Source: reference 16."""
    message = file_row(kind)
    for number, line in enumerate(lines(store.read(blob)), 1):
        try:
            row = read_message(json.loads(line), message)
        except Refused as refused:
            words = refused.message.removeprefix("Invalid JSON payload received. ").partition("\n")[0]
            raise _bad_line(number, line, words) from refused
        except (ValueError, RecursionError) as error:
            raise _bad_line(number, line, str(error)) from error
        if "request" not in row:
            raise _bad_line(number, line, "no request")


def _bad_line(number: int, line: bytes, words: str) -> Refused:
    found = _QUOTED.search(words)
    column = line.find(found[1].encode()) + 1 if found else 0
    what = "no such field" if found and "Cannot find field" in words else words
    return Refused(400, f"Error on line {number}: invalid JSON, near column {max(column, 1)}: {what}")


_QUOTED = re.compile(r'["\']([^"\']+)["\']')


def _file_row(line: bytes, message: Message) -> _Row:
    """Read a line of a file that was already checked; an invalid line of a seed's file is an error of its row."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        return _Row({}, "", {}, _error(f"Invalid JSON payload received. {error}"))
    key = value.get("key") if isinstance(value, dict) else None
    tag = {"key": key} if isinstance(key, str) else {}
    try:
        row = read_message(value, message)
    except Refused as refused:
        return _Row(tag, tag.get("key", ""), {}, _error(refused.message))
    if "request" not in row:
        return _Row(tag, tag.get("key", ""), {}, _error("The line has no request."))
    return _Row(tag, tag.get("key", ""), row["request"], None)


def _checked(kind: str, request: JsonObject) -> JsonObject | None:
    try:
        check_row(kind, plain_embed(request), ANY_ROLE)
    except BadRow as bad:
        return _error(str(bad))
    return None


def _error(message: str) -> JsonObject:
    return {"code": RPC_CODES["INVALID_ARGUMENT"], "message": message}
