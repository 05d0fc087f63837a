"""The routes of BigQuery's REST API: which path is which call. Source: reference 4; bigquery v2."""

from __future__ import annotations

import re

from batchctl.emulator.bigquery.definitions import (
    delete_dataset,
    delete_table,
    get_dataset,
    get_table,
    insert_dataset,
    insert_table,
    list_datasets,
    list_tables,
)
from batchctl.emulator.bigquery.load_jobs import continue_upload, get_job, insert_job, upload_job
from batchctl.emulator.bigquery.tabledata import insert_rows, list_rows
from batchctl.emulator.callers import Caller
from batchctl.emulator.exchange import Handler, Route
from batchctl.emulator.older_apis import in_older_format
from batchctl.emulator.replies import BIGQUERY
from batchctl.emulator.sessions import cancel_session, in_session

_PROJECT = "/bigquery/v2/projects/(?P<project>[^/]+)"
_DATASETS = f"{_PROJECT}/datasets"
_DATASET = f"{_DATASETS}/(?P<dataset>[^/]+)"
_TABLES = f"{_DATASET}/tables"
_TABLE = f"{_TABLES}/(?P<table>[^/]+)"
_JOBS = f"{_PROJECT}/jobs"
_UPLOAD = rf"(?:/resumable)?/upload{_JOBS}"


def _route(verb: str, path: str, method: str, handler: Handler, reply: str = "") -> Route:
    answer = in_older_format(handler, named=True)
    name = f"bigquery.{method}"
    return Route(verb, re.compile(path), name, answer, Caller.TOKEN, reply=reply, replies=BIGQUERY)


def _in_upload(verb: str, handler: Handler) -> Route:
    """The address of a session is its only credential; a body may be large."""
    return Route(
        verb,
        re.compile(_UPLOAD),
        "bigquery.jobs.upload",
        in_older_format(handler, named=True),
        caller=Caller.ANYONE,
        limited=False,
        reply="Job",
        replies=BIGQUERY,
        takes=in_session,
    )


ROUTES = (
    _route("GET", _DATASETS, "datasets.list", list_datasets, "DatasetList"),
    _route("POST", _DATASETS, "datasets.insert", insert_dataset, "Dataset"),
    _route("GET", _DATASET, "datasets.get", get_dataset, "Dataset"),
    _route("DELETE", _DATASET, "datasets.delete", delete_dataset),
    _route("GET", _TABLES, "tables.list", list_tables, "TableList"),
    _route("POST", _TABLES, "tables.insert", insert_table, "Table"),
    _route("GET", _TABLE, "tables.get", get_table, "Table"),
    _route("DELETE", _TABLE, "tables.delete", delete_table),
    _route("GET", f"{_TABLE}/data", "tabledata.list", list_rows, "TableDataList"),
    _route("POST", f"{_TABLE}/insertAll", "tabledata.insertAll", insert_rows, "TableDataInsertAllResponse"),
    _route("POST", _JOBS, "jobs.insert", insert_job, "Job"),
    _route("GET", f"{_JOBS}/(?P<job>[^/]+)", "jobs.get", get_job, "Job"),
    _in_upload("PUT", continue_upload),
    _in_upload("DELETE", cancel_session),
    Route(
        "POST",
        re.compile(_UPLOAD),
        "bigquery.jobs.insert",
        in_older_format(upload_job, named=True),
        caller=Caller.TOKEN,
        limited=False,
        reply="Job",
        replies=BIGQUERY,
    ),
)
