"""Addresses of objects (`gs://`) and tables (`bq://`), and their URL paths.

A name comes from a manifest, the state or a reply. It is quoted, so that it cannot direct a call to another method.
Source: reference 3.1, chapter 4; storage v1, bigquery v2 (characters of a table's id).
"""

from __future__ import annotations

import re
from urllib.parse import quote

from msgspec import Struct

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BadRequest

_BUCKET = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,220}[A-Za-z0-9])?")
_LONGEST_NAME = 1024
"""Bytes of an object's name, at most."""
_LINE_ENDS = re.compile(r"[\r\n]")
_PROJECT = re.compile(r"(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*:)?[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
"""A project's id or number; old ids begin with a domain and a colon."""
_DATASET = re.compile(r"\w{1,1024}", re.ASCII)
_TABLE = re.compile(r"[\w $-]{1,1024}")
_SHOWN = 80


class ObjectPath(Struct, frozen=True):
    """`gs://bucket/name`. The name may be a prefix, a pattern or empty; only `object_path` needs a complete one."""

    bucket: str
    name: str

    def __str__(self) -> str:
        return f"gs://{self.bucket}/{self.name}"


class Table(Struct, frozen=True):
    """`bq://project.dataset.table`."""

    project: str
    dataset: str
    table: str

    def __str__(self) -> str:
        return f"bq://{self.project}.{self.dataset}.{self.table}"


def parse_gs(uri: object) -> ObjectPath:
    """Read `gs://bucket/name` or `gs://bucket`. Raises BadRequest (nothing was sent)."""
    if isinstance(uri, str) and uri.startswith("gs://"):
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        if _BUCKET.fullmatch(bucket) and _is_name(name):
            return ObjectPath(bucket, name)
    raise _invalid_address("a Cloud Storage address", uri, "gs://bucket/name")


def parse_table(uri: object) -> Table:
    """Read `bq://project.dataset.table`, with or without the scheme. Raises BadRequest (nothing was sent)."""
    if isinstance(uri, str):
        # Split from the right: an old project id contains dots.
        parts = uri.removeprefix("bq://").rsplit(".", 2)
        if len(parts) == len(("project", "dataset", "table")):
            project, dataset, table = parts
            if _PROJECT.fullmatch(project) and _DATASET.fullmatch(dataset) and _TABLE.fullmatch(table):
                return Table(project, dataset, table)
    raise _invalid_address("a BigQuery table", uri, "bq://project.dataset.table")


def bucket_path(bucket: str) -> str:
    """URL path of a bucket's objects."""
    return f"/b/{quote(bucket, safe='')}/o"


def object_path(path: ObjectPath) -> str:
    """URL path of an object. Raises BadRequest when the name is not a valid object name."""
    if path.name in ("", ".", ".."):
        raise _invalid_address("a Cloud Storage object", str(path), "gs://bucket/name")
    return f"{bucket_path(path.bucket)}/{quote(path.name, safe='')}"


def table_path(table: Table) -> str:
    """URL path of a table."""
    return f"/projects/{_quoted(table.project)}/datasets/{_quoted(table.dataset)}/tables/{_quoted(table.table)}"


def _is_name(name: str) -> bool:
    try:
        length = len(name.encode("utf-8"))
    except UnicodeEncodeError:
        return False
    return length <= _LONGEST_NAME and not _LINE_ENDS.search(name)


def _quoted(name: str) -> str:
    return quote(name, safe="")


def _invalid_address(what: str, found: object, hint: str) -> BadRequest:
    return BadRequest(f"not {what}: {ascii(found)[:_SHOWN]}", http=400, code=ErrorCode.INVALID_NAME, hint=hint)
