"""Parsing the URIs of objects and tables. Source: reference 3.1, 4."""

from __future__ import annotations

import re

_GS = re.compile(r"gs://([^/*]+)(?:/(.*))?", re.DOTALL)
_BQ = re.compile(r"bq://((?:[^:]+:)?[^.:]+)(?:\.([^.:]+)(?:\.([^.:]+))?)?")
"""Ids of old projects contain a domain before a colon, with dots in it: `bq://example.com:p.d.t`."""


class BadPlace(Exception):
    """A job cannot read its input or write its output; the text names the place."""


def to_create(entry: str) -> str:
    """The entry of the seed that creates the missing bucket or dataset, for people: the services do not say it."""
    return f"To create it in the emulator, write `{entry}` in .emulator.yaml."


def read_gs(uri: str) -> tuple[str, str]:
    """Bucket and path of `gs://bucket/path`; the path may be empty. Raises BadPlace."""
    found = _GS.fullmatch(uri)
    if found is None:
        raise BadPlace(f"{uri!r} is not a Cloud Storage URI.")
    return found[1], found[2] or ""


def read_bq(uri: str) -> tuple[str, str | None, str | None]:
    """Project, dataset and table of `bq://p`, `bq://p.d` or `bq://p.d.t`. Raises BadPlace."""
    found = _BQ.fullmatch(uri)
    if found is None:
        raise BadPlace(f"{uri!r} is not a BigQuery URI.")
    return found[1], found[2], found[3]


def read_table(uri: str) -> tuple[str, str, str]:
    """Like `read_bq`, for a URI that must name a table."""
    project, dataset, table = read_bq(uri)
    if dataset is None or table is None:
        raise BadPlace(f"{uri!r} does not name a BigQuery table.")
    return project, dataset, table
