"""Finds a job's results, in files of a bucket or in a table, and reads them.

Results are never silently incomplete: anything that cannot be read to its end raises. Source: reference 3.1, 8.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain

from msgspec.structs import replace

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import ApiError, BadReply, NotFound, PermissionDenied
from batchctl.model.json_value import Json
from batchctl.model.ports.providers import ResultItem
from batchctl.model.states import GOOD_STATES, JobState
from batchctl.providers import job_members
from batchctl.providers.cloud.addresses import ObjectPath, Table, parse_gs, parse_table
from batchctl.providers.cloud.bigquery import BigQuery
from batchctl.providers.cloud.refusals import recoded
from batchctl.providers.cloud.storage import Storage, StoredObject
from batchctl.providers.reply_times import parse_time
from batchctl.providers.result_lines import ResultLines
from batchctl.providers.results_lag import may_still_appear
from batchctl.providers.streamed_lines import LINE_LIMIT
from batchctl.providers.untrusted_text import as_object
from batchctl.providers.vertex.mark_labels import own_folder, read_mark
from batchctl.providers.vertex.result_rows import result_item

_EARLY = "incremental_predictions"
"""The folder of rows that finished before the job's end (reference chapter 16)."""
_LINES = re.compile(r"(\.jsonl?|-[0-9]{1,9}-of-[0-9]{1,9})$")
"""Endings of JSONL file names; the second is that of sharded files."""
_PACKED = re.compile(r"\.jsonl?\.(gz|bz2|xz|zst|zip)$")
"""Endings of the names of compressed JSONL files."""
_PREDICTIONS = "predictions"
"""The results table in a dataset that a job created itself (discovery document, `BigQueryDestination`)."""


def read_output(
    job: Mapping[str, Json], storage: Storage, bigquery: BigQuery, limit: int = LINE_LIMIT
) -> Iterator[ResultItem]:
    """The rows of an ended job, as the API wrote them, streamed. `limit` is the most bytes of one line.

    `job` is a BatchPredictionJob of the API: `name`, `state`, `endTime`, `updateTime`, `completionStats`,
    `outputInfo`, `outputConfig` and `labels` are read. A failed job may have no rows. If a job has rows and does not
    show them, raises ApiError: with code `ResultsNotReady` when they may still appear, `ResultsGone` when the end is
    long ago. Raises ApiError, also midway.
    """
    info = as_object(job.get("outputInfo"))
    directory, table = info.get("gcsOutputDirectory"), _table(info, as_object(job.get("outputConfig")))
    directory = directory or (_own_folder(job) if table is None else None)
    seen = False
    if directory:
        rows = _objects_rows(job, parse_gs(directory), storage, limit)
    elif table is not None:
        rows = _table_rows(job, table, storage, bigquery)
    else:
        rows = iter(())
    for row in rows:
        seen = True
        yield row
    if not seen and _has_results(job):
        code, hint = _why_missing(job, storage)
        where = directory or table or "no known output location"
        said = job_members.status(job.get("error"))
        words = f"{said.message}; " if said is not None and said.message else ""
        hint = "the job's error says why it could not write them" if words else hint
        raise ApiError(f"{words}{_name(job)} has ended, and has no results ({where})", code=code, hint=hint)


def _objects_rows(job: Mapping[str, Json], directory: ObjectPath, storage: Storage, limit: int) -> Iterator[ResultItem]:
    """The lines of every JSONL file below the directory, file by file in the order of their names.

    Rows written before the job's end come last and are marked: the final files contain them again.
    """
    folder = ObjectPath(directory.bucket, f"{directory.name.rstrip('/')}/")
    try:
        found = list(storage.list(folder))
    except (NotFound, PermissionDenied) as error:
        if isinstance(error, PermissionDenied) and not _never_wrote(job):
            raise
        _refuse_if_missed(job, storage, error)
        return
    files = [item for item in found if _LINES.search(item.path.name)]
    _refuse_packed(files, found)
    for is_early, item in sorted(((_is_early(item, folder), item) for item in files), key=_order):
        chunks, what = storage.read(item), str(item.path)
        # The size of an object is known, so a truncated line was written that way.
        for row in chain.from_iterable(ResultLines(what, result_item, lambda _: True).read(chunks, limit)):
            yield replace(row, early=True) if is_early else row


def _refuse_packed(files: list[StoredObject], found: list[StoredObject]) -> None:
    """Raise BadReply when there are compressed files but no JSONL files."""
    packed = [item.path for item in found if _PACKED.search(item.path.name)]
    if packed and not files:
        hint = "decompress it in its folder, to a file whose name ends with .jsonl: then its rows are collected"
        raise BadReply(f"{packed[0]}: the result file is compressed, and there is no plain JSONL file", hint=hint)


def _own_folder(job: Mapping[str, Json]) -> str | None:
    """The folder to which only this attempt was to write, for a job that does not show its output folder."""
    mark = read_mark(as_object(job.get("labels")))
    uri = as_object(as_object(job.get("outputConfig")).get("gcsDestination")).get("outputUriPrefix")
    if mark is None or not isinstance(uri, str) or not uri.endswith(f"/{own_folder(mark)}/"):
        return None
    return uri


def _is_early(item: StoredObject, folder: ObjectPath) -> bool:
    return _EARLY in item.path.name.removeprefix(folder.name).split("/")[:-1]


def _order(entry: tuple[bool, StoredObject]) -> tuple[bool, str]:
    is_early, item = entry
    return is_early, item.path.name


def _table_rows(job: Mapping[str, Json], table: Table, storage: Storage, bigquery: BigQuery) -> Iterator[ResultItem]:
    try:
        columns = bigquery.columns(table)
    except NotFound as error:
        _refuse_if_missed(job, storage, error)
        return
    yield from map(result_item, bigquery.rows(table, columns))


def _never_wrote(job: Mapping[str, Json]) -> bool:
    """Whether a job failed before it had a folder: lack of access to the bucket may be why it failed."""
    return not job.get("outputInfo") and job_members.job_state(job.get("state")) == JobState.FAILED


def _refuse_if_missed(job: Mapping[str, Json], storage: Storage, error: NotFound | PermissionDenied) -> None:
    """Raise for a missing folder, unless the job may have written nothing."""
    if _has_results(job):
        code, hint = _why_missing(job, storage)
        raise recoded(error, code=code, hint=hint) from error


def _table(info: Mapping[str, Json], config: Mapping[str, Json]) -> Table | None:
    """The results table: by its full name, by its name in a dataset, or by the requested destination."""
    table, dataset = info.get("bigqueryOutputTable"), info.get("bigqueryOutputDataset")
    if isinstance(table, str) and table and ("." in table or not dataset):
        return parse_table(table)
    if dataset:
        return parse_table(f"{dataset}.{table or _asked_table(config, dataset) or _PREDICTIONS}")
    if info.get("vertexMultimodalDatasetName"):
        return parse_table(_asked_uri(config))
    return None


def _asked_table(config: Mapping[str, Json], dataset: Json) -> str:
    """The requested table, if it is in the dataset."""
    head, _, table = str(_asked_uri(config)).rpartition(".")
    return table if head.removeprefix("bq://") == str(dataset).removeprefix("bq://") else ""


def _asked_uri(config: Mapping[str, Json]) -> Json:
    """The requested destination table."""
    nested = as_object(config.get("vertexMultimodalDatasetDestination"))
    target = as_object(config.get("bigqueryDestination")) or as_object(nested.get("bigqueryDestination"))
    return target.get("outputUri")


def _has_results(job: Mapping[str, Json]) -> bool:
    """Whether there must be rows: the job succeeded, or the API counts successful rows."""
    done = job_members.count(as_object(job.get("completionStats")).get("successfulCount"))
    return job_members.job_state(job.get("state")) in GOOD_STATES or bool(done)


def _why_missing(job: Mapping[str, Json], storage: Storage) -> tuple[str, str]:
    """Code and hint for missing results: they may still appear, or they have been deleted (reference 8.1)."""
    ended = parse_time(job.get("endTime")) or parse_time(job.get("updateTime"))
    if may_still_appear(ended, storage.now()):
        return (
            ErrorCode.RESULTS_NOT_READY,
            "results can lag behind the job's end: run the command again in a few minutes",
        )
    return ErrorCode.RESULTS_GONE, "they were moved or deleted in your bucket or dataset"


def _name(job: Mapping[str, Json]) -> str:
    return job_members.text(job.get("name"))[:200] or "the job"
