"""The two create calls. A repeated call creates another job. Source: reference 1.2, 1.3, 9."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from msgspec.structs import replace

from batchctl.emulator.bodies import parse_json
from batchctl.emulator.catalogue import model_named
from batchctl.emulator.exchange import Exchange
from batchctl.emulator.gemini.envelope import API, operation
from batchctl.emulator.gemini.files import find_file, is_processed
from batchctl.emulator.gemini.messages import batch
from batchctl.emulator.gemini.quota import check_tokens
from batchctl.emulator.gemini.rows import MODEL_STATUS, failed_rows, given_tally, keep_rows, read_rows
from batchctl.emulator.ids import fresh_id
from batchctl.emulator.job_store import Job, add_job, change_job
from batchctl.emulator.lifecycle import Fate
from batchctl.emulator.proto import Message, Text, read_message
from batchctl.emulator.row_outcomes import RowChooser
from batchctl.emulator.rules import NewJob, course_for
from batchctl.emulator.sent_rows import SentRows
from batchctl.emulator.store import Store
from batchctl.emulator.wire import RPC_CODES, JsonObject, Refused, not_found

_ID_LENGTH = 36
_EMBEDDING = re.compile(r"models/(gemini-embedding|text-embedding|embedding)-[a-z0-9.-]+")
_GENERATIVE = re.compile(r"models/(gemini|gemma)-[a-z0-9.-]+")
_TUNED = re.compile(r"tunedModels/[a-z0-9-]+")
_NO_ROWS = (RPC_CODES["INVALID_ARGUMENT"], "The input has no requests.")


def create_generate(exchange: Exchange) -> JsonObject:
    """`…:batchGenerateContent`."""
    return _create(exchange, "generate", "batchGenerateContent")


def create_embed(exchange: Exchange) -> JsonObject:
    """`…:asyncBatchEmbedContent`."""
    return _create(exchange, "embed", "asyncBatchEmbedContent")


def new_job(store: Store, job: Job) -> Job:
    """Count the rows of a job of a seed, whose input is stored, and store the job."""
    if job.results_blob is not None:
        return add_job(store, _counted(job, *given_tally(store, job.results_blob)))
    return _keep_job(store, job, *read_rows(store, job, strict=False))


def _new_called_job(exchange: Exchange, job: Job) -> Job:
    """Count the rows and store the job. Raises Refused (400) for a malformed line of a file, and for too many rows."""
    rows, chooser = read_rows(exchange.store, job, strict=True)
    most = exchange.settings.row_limit
    if most is not None and rows.count > most:
        exchange.store.drop_unused(job.input_blob)
        raise Refused(400, f"* BatchRequest.batch.input_config: {rows.count} requests, at most {most} are allowed")
    return _keep_job(exchange.store, job, rows, chooser)


def _keep_job(store: Store, job: Job, rows: SentRows, chooser: RowChooser) -> Job:
    created = add_job(store, _counted(job, rows.count, rows.failed))
    keep_rows(store, created, rows, chooser)
    done = created.course.done
    if created.course.fate is not Fate.EXPIRE or done is None:
        return created
    served = int(created.request_count * done)
    changes = {"served": served, "served_failed": failed_rows(store, created, served)}
    return change_job(store, created, changes)


def _counted(job: Job, rows: int, failed: int) -> Job:
    course = job.course if rows else replace(job.course, fate=Fate.FAIL, error=_NO_ROWS)
    return replace(job, request_count=rows, failed_count=failed, course=course)


def valid_model(kind: str, model: str) -> bool:
    """Whether a name such as `models/gemini-2.5-flash` has the form of a model for this kind of job."""
    if kind == "embed":
        return _EMBEDDING.fullmatch(model) is not None
    if _EMBEDDING.fullmatch(model):
        return False
    return (_GENERATIVE.fullmatch(model) or _TUNED.fullmatch(model)) is not None


def _create(exchange: Exchange, kind: str, method: str) -> JsonObject:
    body = read_message(parse_json(exchange.request.body or b"{}"), Message({"batch": batch(kind), "model": Text()}))
    model = exchange.params["model"]
    listed = model_named(exchange.settings, model.rpartition("/")[2], kind)
    if not valid_model(kind, model) or not (model.startswith("tunedModels/") or listed.is_usable(exchange.now)):
        version = exchange.params["version"]
        raise Refused(
            404,
            f"{model} is not found for API version {version}, or is not supported for {method}. Call ListModels to see"
            " the list of available models and their supported methods.",
        )
    if "batch" not in body:
        raise Refused(400, "* BatchRequest.batch: batch is not specified")
    asked = body["batch"]
    blob, input_file = _input(exchange, asked.get("inputConfig", {}))
    check_tokens(exchange, model, blob)
    priority = asked.get("priority")
    job = Job(
        api=API,
        name=f"batches/{fresh_id(_ID_LENGTH)}",
        kind=kind,
        model=model,
        display_name=asked.get("displayName"),
        input_file=input_file,
        input_blob=blob,
        request_count=0,
        failed_count=0,
        created=exchange.now,
        updated=exchange.now,
        course=course_for(exchange.store, exchange.settings, NewJob(API, model, asked.get("displayName"))),
        priority=str(priority) if priority else None,
        body={} if listed.status is None else {MODEL_STATUS: listed.status},
    )
    created = _new_called_job(exchange, job)
    return operation(exchange.store, created, exchange.settings, exchange.now, exchange.mask)


def _input(exchange: Exchange, config: JsonObject) -> tuple[str, str | None]:
    """The blob of the rows, and the file's name if they are in a file. Raises Refused (400, 404)."""
    inline = config.get("requests")
    if (inline is None) == ("fileName" not in config):
        raise Refused(400, "* batch.input_config: exactly one of file_name and requests must be specified")
    if inline is None:
        file = find_file(exchange.store, config["fileName"], exchange.now)
        if file is None:
            raise not_found()
        if not is_processed(file, exchange):
            words = f"The File {file.name.removeprefix('files/')} is not in an ACTIVE state and usage is not allowed."
            raise Refused(400, words, name="FAILED_PRECONDITION")
        return file.blob, file.name
    if not inline.get("requests"):
        raise Refused(400, "* batch.input_config.requests.requests: must not be empty")
    blob = fresh_id(_ID_LENGTH)
    exchange.store.append(blob, item_lines(inline["requests"]))
    return blob, None


def item_lines(items: list[JsonObject]) -> Iterator[bytes]:
    """Items as stored JSON lines; in ASCII, so that any text can be stored."""
    return (json.dumps(item).encode() + b"\n" for item in items)
