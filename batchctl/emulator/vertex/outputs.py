"""The work of jobs: importing their input when they start to run, and writing their output when they end.

There is no background work. Before a job, an object or a table is read, `write_due_outputs` does all work that is due,
in order of time and with the times at which it was due, so that the delay is not visible.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from batchctl.emulator.bigquery.tables import column_of
from batchctl.emulator.clock import SECOND, timestamp
from batchctl.emulator.ids import fresh_id
from batchctl.emulator.job_store import Job, change_job, next_due
from batchctl.emulator.json_lines import blocks
from batchctl.emulator.lifecycle import Fate, State
from batchctl.emulator.settings import Settings
from batchctl.emulator.store import Store
from batchctl.emulator.vertex.destinations import (
    check_destination,
    empty_folder,
    output_columns,
    write_early,
    write_objects,
    write_table,
)
from batchctl.emulator.vertex.echo import normalised
from batchctl.emulator.vertex.models import bare_model
from batchctl.emulator.vertex.output_variations import early, extra, shaped
from batchctl.emulator.vertex.partners import body_line
from batchctl.emulator.vertex.resource import NORMALISED
from batchctl.emulator.vertex.rows import Outcome, failed_rows, keep_rows, outcomes
from batchctl.emulator.vertex.sources import input_rows
from batchctl.emulator.vertex.uris import BadPlace
from batchctl.emulator.wire import RPC_CODES, JsonObject

_BLOB_LENGTH = 36
_COLUMNS = "columns"
"""The key under which a running job keeps the columns of its output table; not a field of the API."""
_ENDED_BY_A_RULE = frozenset({Fate.FAIL, Fate.FAIL_EXPORT})
_ENDED_EARLY = frozenset({Fate.EXPIRE, Fate.PARTIAL})
_WRITING = frozenset({State.SUCCEEDED, State.PARTIALLY_SUCCEEDED, State.CANCELLED})


def write_due_outputs(store: Store, settings: Settings, now: int) -> None:
    """Bring all jobs up to date: import the input and write the output that is due by `now`."""
    with store.transaction():
        while (job := next_due(store, now)) is not None:
            if job.input_blob:
                _end(store, settings, job)
            else:
                _begin(store, settings, job)


def _begin(store: Store, settings: Settings, job: Job) -> None:
    """Import the rows. A job with invalid input or an invalid destination fails soon."""
    blob = fresh_id(_BLOB_LENGTH)
    try:
        check_destination(store, job)
        columns = [column.resource() for column in output_columns(store, job)]
        store.append(
            blob, blocks(_counted(input_rows(store, job, settings.largest_object), settings.most_rows(job.kind)))
        )
        taken = replace(job, input_blob=blob)
        rows = keep_rows(store, taken)
    except BadPlace as bad:
        store.drop_unused(blob)
        _fail(store, job, bad, min(job.course.running, settings.importing))
        return
    changes = {
        "input_blob": blob,
        "request_count": rows.count,
        "failed_count": rows.failed,
        "output": {**job.output, _COLUMNS: columns},
    }
    change_job(store, job, {**changes, "due": replace(taken, request_count=rows.count).timeline(settings).end()[0]})


def _end(store: Store, settings: Settings, job: Job) -> None:
    """Write the processed rows, in another order than the input, and delete the imported rows."""
    ended, state = job.timeline(settings).end()
    output = {name: value for name, value in job.output.items() if name != _COLUMNS}
    changes: dict[str, object] = {"input_blob": "", "due": None, "output": output}
    if job.served is None:
        served = _served(job, state)
        failed = job.failed_count if served == job.request_count else failed_rows(store, job, served)
        job = change_job(store, job, {"served": served, "served_failed": failed})
    overdue = state is State.FAILED and job.course.fate not in _ENDED_BY_A_RULE
    if job.course.fate is Fate.FAIL_EXPORT and state is State.FAILED and "gcsDestination" in job.body["outputConfig"]:
        changes["output"] = {**output, "outputInfo": empty_folder(store, job, ended)}
    if state in _WRITING or overdue or (state is State.EXPIRED and job.served):
        try:
            check_destination(store, job)
            changes["output"] = {**output, "outputInfo": _write(store, settings, job, ended)}
        except BadPlace as bad:
            _fail(store, job, bad, job.course.running)
            changes |= {"served": 0, "served_failed": 0}
    change_job(store, job, changes)
    store.drop_unused(job.input_blob)


def _fail(store: Store, job: Job, bad: BadPlace, running: int) -> None:
    error = (RPC_CODES["INVALID_ARGUMENT"], f"Failed to import data. {bad}")
    change_job(store, job, {"course": replace(job.course, fate=Fate.FAIL, error=error, running=running), "due": None})


def _counted(rows: Iterator[JsonObject], most: int) -> Iterator[JsonObject]:
    """The rows, of which there must be between one and `most`. Raises BadPlace."""
    number = 0
    for number, row in enumerate(rows, 1):
        if number > most:
            raise BadPlace(f"The input has more than {most} instances.")
        yield row
    if not number:
        raise BadPlace("The input has no instances.")


def _served(job: Job, state: State) -> int:
    """The number of rows, from the first on, that are processed when a job ends without a cancel."""
    limits, count = job.course.limits, job.request_count
    if state is State.SUCCEEDED or job.course.fate is Fate.FAIL_EXPORT:
        return count
    if limits is not None and job.course.running > limits.run:
        return count * limits.run // job.course.running
    if job.course.done is not None and job.course.fate in _ENDED_EARLY:
        return int(count * job.course.done)
    return -(-count // 2) if state is State.PARTIALLY_SUCCEEDED else 0


def _write(store: Store, settings: Settings, job: Job, ended: int) -> JsonObject:
    """Write the outcomes to the job's destination; returns its `outputInfo`."""
    started = job.timeline(settings).starts or job.created
    served, count = job.served or 0, job.request_count

    def moment(position: int) -> int:
        return started + (ended - started) * (position + 1) // count

    if "gcsDestination" in job.body["outputConfig"]:

        def made() -> Iterator[JsonObject]:
            return (_object_line(job, *place, moment) for place in _processed(store, job, served))

        rule = job.course.output
        lines, total = shaped(made(), rule), count + extra(rule, count)
        info = write_objects(store, job, total, settings.output_files, lines, ended)
        if rule.early:
            write_early(store, info, early(made(), rule, count), ended)
        return info
    columns = list(map(column_of, job.output[_COLUMNS]))
    rows = (_table_row(job, *place, moment) for place in _processed(store, job, served))
    return write_table(store, job, columns, rows, ended)


def _processed(store: Store, job: Job, served: int) -> Iterator[tuple[int, Outcome, bool]]:
    """Position, outcome, and whether the row was processed: the first rows of the input, or of the shuffled order."""
    shuffled = job.course.shuffle is not None
    for rank, (position, outcome) in enumerate(outcomes(store, job)):
        yield position, outcome, (rank if shuffled else position) < served


def _object_line(
    job: Job, position: int, outcome: Outcome, processed: bool, moment: Callable[[int], int]
) -> JsonObject:
    if job.kind == "text":
        line = {"instance": _echo(job, outcome.line)}
        return {**line, **_answer(job, outcome), "status": outcome.status} if processed else line
    if "body" in outcome.line:
        found = body_line(outcome.line, bare_model(job.model), outcome.response, _status_text(outcome))
        return found if processed else outcome.line
    line = {**outcome.columns, "request": _echo(job, outcome.line["request"])}
    if job.kind == "embed" and "key" in outcome.line:
        line = {"key": outcome.line["key"], **line}
    if not processed:
        return line
    if job.kind == "embed" and not outcome.status:
        return {**line, "response": outcome.response}
    spoken = f"{timestamp(moment(position))[:-7]}+00:00"
    return {"status": outcome.status, "processed_time": spoken, **line, "response": outcome.response}


def _table_row(job: Job, position: int, outcome: Outcome, processed: bool, moment: Callable[[int], int]) -> JsonObject:
    member = "content" if job.kind == "text" else "request"
    row = {member: _echo(job, outcome.line[member]), **outcome.columns}
    if not processed:
        return row
    return {
        **row,
        **_answer(job, outcome),
        "status": _status_text(outcome),
        "processed_time": moment(position) * 1_000_000 // SECOND,
    }


def _status_text(outcome: Outcome) -> str:
    return outcome.status if isinstance(outcome.status, str) else json.dumps(outcome.status)


def _answer(job: Job, outcome: Outcome) -> JsonObject:
    if job.kind != "text":
        return {"response": outcome.response}
    return {"predictions": outcome.response.get("predictions", [])}


def _echo(job: Job, value: JsonObject) -> object:
    """The caller's value as it is echoed."""
    return normalised(value) if job.body.get(NORMALISED) else value
