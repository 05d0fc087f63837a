"""The rows of a job and their results, one at a time: a large job is never loaded completely.

Results are not stored: they are derived from the stored input whenever they are read. The outcomes of rules are stored,
because they may depend on earlier jobs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from batchctl.emulator.answers import ANY_ROLE, BadRow, answer_row, check_row, plain_embed
from batchctl.emulator.gemini.messages import file_row
from batchctl.emulator.job_store import Job
from batchctl.emulator.json_lines import blocks, lines
from batchctl.emulator.proto import Message, read_message
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
from batchctl.emulator.wire import RPC_CODES, JsonObject, Refused

MODEL_STATUS = "modelStatus"
"""The member of a job's body, and of each answer, with the model's life-cycle stage. Source: reference 16."""


class _Row(Struct, frozen=True):
    tag: JsonObject
    """The part that the result echoes: `key` of a file line, `metadata` of an inline item."""
    key: str
    request: JsonObject
    sent: object
    """The request as the caller sent it."""
    error: JsonObject | None = None


def read_rows(store: Store, job: Job, *, strict: bool) -> tuple[SentRows, RowChooser]:
    """The rows of a new job with the outcomes of the rules, to be stored by `keep_rows`.

    With `strict`, raises Refused (400) for the first malformed line of a file, so that no job is created. Source:
    reference 16.
    """
    rows, chooser = SentRows(), RowChooser(store, job.api, job.model, job.course.rows)
    message = file_row(job.kind)
    for number, line in enumerate(lines(store.read(job.input_blob)), 1):
        row = _strict_row(number, line, message) if strict and job.input_file else _row(job, line, message)
        error = row.error or _checked(job.kind, row.request)
        if error is not None:
            rows.add(request_hash(row.sent), outcome_text("error", error))
        else:
            rows.add(
                request_hash(row.request), chooser.choose([row.key], row.request, has_candidates=job.kind == "generate")
            )
    return rows, chooser


def keep_rows(store: Store, job: Job, rows: SentRows, chooser: RowChooser) -> None:
    """Store what `read_rows` found for the stored job."""
    put_sent_rows(store, job.seq, rows)
    chooser.save()


def given_tally(store: Store, blob: str) -> tuple[int, int]:
    """The number of given results, and the number of errors among them."""
    rows = failed = 0
    for item in _given(store, blob):
        rows += 1
        failed += "error" in item
    return rows, failed


def failed_rows(store: Store, job: Job, most: int) -> int:
    """The number of failed rows among the first `most` that the job processes."""
    if job.results_blob is not None:
        return sum("error" in item for item in islice(_given(store, job.results_blob), most))
    return failed_among(store, job, islice(processing_order(job.request_count, job.course.shuffle), most))


def results(store: Store, job: Job) -> Iterator[JsonObject]:
    """The results of the processed rows: all rows, unless the job ended early. Source: reference 8.1."""
    every = _given(store, job.results_blob) if job.results_blob is not None else _computed(store, job)
    return islice(every, job.served)


def result_lines(store: Store, job: Job) -> Iterator[bytes]:
    """The result file's bytes, in blocks."""
    return blocks(results(store, job))


def _given(store: Store, blob: str) -> Iterator[JsonObject]:
    return (json.loads(line) for line in lines(store.read(blob)))


def _computed(store: Store, job: Job) -> Iterator[JsonObject]:
    message, outcomes = file_row(job.kind), _outcomes(store, job)
    for position, line in ordered_lines(store, job.input_blob, job.course.shuffle):
        row = _row(job, line, message)
        outcome = outcome_of(outcomes[position]) if position in outcomes else {}
        if "error" in outcome:
            yield {"error": {name: outcome["error"][name] for name in ("code", "message")}, **row.tag}
            continue
        response = answer_row(job.kind, job.model, plain_embed(row.request))
        response = changed(outcome, response) if outcome else response
        yield {"response": {**response, **(job.body if job.kind == "generate" else {})}, **row.tag}


def _outcomes(store: Store, job: Job) -> dict[int, str]:
    """The outcomes of the job's rows; those of a job that an earlier release stored are found now."""
    if job.request_count and not count_sent(store, job.seq):
        keep_rows(store, job, *read_rows(store, job, strict=False))
    return row_outcomes(store, job)


def _row(job: Job, line: bytes, message: Message) -> _Row:
    return _inline_row(line) if job.input_file is None else _file_row(line, message)


def _inline_row(line: bytes) -> _Row:
    item = json.loads(line)
    tag = {"metadata": item["metadata"]} if "metadata" in item else {}
    key = item["metadata"].get("key") if isinstance(item.get("metadata"), dict) else None
    request = item.get("request", {})
    return _Row(tag, key if isinstance(key, str) else "", request, request)


def _strict_row(number: int, line: bytes, message: Message) -> _Row:
    """Read a line of an uploaded file. Raises Refused (400)."""
    try:
        value = json.loads(line)
        row = read_message(value, message)
    except Refused as refused:
        words = refused.message.removeprefix("Invalid JSON payload received. ").partition("\n")[0]
        raise _bad_line(number, line, words) from refused
    except (ValueError, RecursionError) as error:
        raise _bad_line(number, line, str(error)) from error
    if "request" not in row:
        raise _bad_line(number, line, "no request")
    return _Row({}, value.get("key") or "", row["request"], row["request"])


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
        text = line.decode("utf-8", "replace")
        return _Row({}, "", {}, text, _error(f"Invalid JSON payload received. {error}"))
    key = value.get("key") if isinstance(value, dict) else None
    tag = {"key": key} if isinstance(key, str) else {}
    sent = value.get("request", value) if isinstance(value, dict) else value
    row = _Row(tag, tag.get("key", ""), {}, sent)
    try:
        read = read_message(value, message)
    except Refused as refused:
        return replace(row, error=_error(refused.message))
    if "request" not in read:
        return replace(row, error=_error("The line has no request."))
    return replace(row, request=read["request"], sent=read["request"])


def _checked(kind: str, request: JsonObject) -> JsonObject | None:
    try:
        check_row(kind, plain_embed(request), ANY_ROLE)
    except BadRow as bad:
        return _error(str(bad))
    return None


def _error(message: str) -> JsonObject:
    return {"code": RPC_CODES["INVALID_ARGUMENT"], "message": message}
