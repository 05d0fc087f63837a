"""The output of a job: checks of the destination, and writing. Source: reference 3.1, 8.2."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice

from batchctl.emulator.bigquery.tables import Column, add_dataset, append_rows, create_table, find_dataset, find_table
from batchctl.emulator.clock import SECOND, micro_timestamp
from batchctl.emulator.job_store import Job
from batchctl.emulator.json_lines import blocks
from batchctl.emulator.storage.objects import find_bucket, match_objects, put_object
from batchctl.emulator.store import Store
from batchctl.emulator.vertex import datasets
from batchctl.emulator.vertex.sources import input_columns
from batchctl.emulator.vertex.uris import BadPlace, read_bq, read_gs, to_create
from batchctl.emulator.wire import JsonObject

_MICROSECOND = 1000
_TYPE = "application/octet-stream"


def check_destination(store: Store, job: Job) -> None:
    """Raise BadPlace unless the job can write to its destination."""
    config = job.body["outputConfig"]
    if "gcsDestination" in config:
        uri = config["gcsDestination"].get("outputUriPrefix", "")
        bucket, _ = read_gs(uri)
        if find_bucket(store, bucket) is None:
            hint = to_create(f"buckets: {{{bucket}: {{}}}}")
            raise BadPlace(f"The bucket {bucket} of the destination {uri} does not exist. {hint}")
        return
    uri = _table_uri(job)
    project, dataset, table = read_bq(uri)
    if dataset is not None and find_dataset(store, project, dataset) is None:
        hint = to_create(f"datasets: [{project}.{dataset}]")
        raise BadPlace(f"The dataset {project}.{dataset} of the destination {uri} was not found. {hint}")
    if dataset is not None and table is not None and find_table(store, project, dataset, table) is not None:
        raise BadPlace(f"The destination table {uri} already exists.")


def output_columns(store: Store, job: Job) -> list[Column]:
    """The columns of the output table; empty for objects. Raises BadPlace."""
    if "gcsDestination" in job.body["outputConfig"]:
        return []
    came = input_columns(store, job)
    names = ("content", "predictions") if job.kind == "text" else ("request", "response")
    known = {column.name for column in came}
    row = [Column(name, "STRING" if name == "content" else "JSON") for name in names if name not in known]
    return [*came, *row, Column("status", "STRING"), Column("processed_time", "TIMESTAMP")]


def empty_folder(store: Store, job: Job, now: int) -> JsonObject:
    """The `outputInfo` of a job that has written nothing yet: a directory without objects."""
    bucket, prefix = read_gs(job.body["outputConfig"]["gcsDestination"]["outputUriPrefix"])
    moment = now
    while match_objects(store, f"gs://{bucket}/{(directory := _directory(prefix, moment))}/*"):
        moment += _MICROSECOND
    return {"gcsOutputDirectory": f"gs://{bucket}/{directory}"}


def write_objects(store: Store, job: Job, count: int, files: int, lines: Iterator[JsonObject], now: int) -> JsonObject:
    """Write `count` lines into objects in a new directory; returns the job's `outputInfo`."""
    info = empty_folder(store, job, now)
    bucket, directory = read_gs(info["gcsOutputDirectory"])
    each = -(-count // files)
    names = (
        ["predictions.jsonl"] if files == 1 else [f"predictions_{number:04}.jsonl" for number in range(1, files + 1)]
    )
    for name in names:
        put_object(store, bucket, f"{directory}/{name}", blocks(islice(lines, each)), _TYPE, now)
    return info


def write_early(store: Store, info: JsonObject, lines: Iterator[JsonObject], now: int) -> None:
    """Write the early lines next to the others, in the directory of `outputInfo`."""
    bucket, directory = read_gs(info["gcsOutputDirectory"])
    put_object(store, bucket, f"{directory}/incremental_predictions/000.jsonl", blocks(lines), _TYPE, now)


def write_table(store: Store, job: Job, columns: Iterable[Column], rows: Iterator[JsonObject], now: int) -> JsonObject:
    """Write the rows into a new table; returns the job's `outputInfo`."""
    project, dataset, name = read_bq(_table_uri(job))
    stamp = datetime.fromtimestamp(now // SECOND, UTC)
    if dataset is None:
        dataset = _free(f"prediction_model_{stamp:%Y_%m_%dT%H_%M_%S}", lambda free: find_dataset(store, project, free))
        add_dataset(store, project, dataset, now)
    place = dataset
    if name is None:
        name = _free(f"predictions_{stamp:%Y_%m_%dT%H_%M_%S}", lambda free: find_table(store, project, place, free))
    table = create_table(store, project, dataset, name, list(columns), now)
    append_rows(store, table, rows, now)
    info: JsonObject = {"bigqueryOutputDataset": f"bq://{project}.{dataset}", "bigqueryOutputTable": name}
    if "vertexMultimodalDatasetDestination" in job.body["outputConfig"]:
        info["vertexMultimodalDatasetName"] = datasets.add_dataset(
            store, job.parent, [f"bq://{project}.{dataset}.{name}"]
        )
    return info


def _table_uri(job: Job) -> str:
    config = job.body["outputConfig"]
    multimodal = config.get("vertexMultimodalDatasetDestination", {})
    if "bigqueryDestination" not in config and "bigqueryDestination" not in multimodal:
        return f"bq://{job.parent.split('/')[1]}"
    uri: str = (config.get("bigqueryDestination") or multimodal["bigqueryDestination"]).get("outputUri", "")
    return uri


def _directory(prefix: str, moment: int) -> str:
    return f"{prefix.rstrip('/')}/prediction-model-{micro_timestamp(moment)}".lstrip("/")


def _free(name: str, find: Callable[[str], object]) -> str:
    """The name, with a number appended if it is taken."""
    taken = 0
    while find(name if not taken else f"{name}_{taken}") is not None:
        taken += 1
    return name if not taken else f"{name}_{taken}"
