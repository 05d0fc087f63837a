"""Names of Google Cloud resources in manifests: objects, tables, and resources of a project.

Checks their syntax and normalises them. It does not check that a resource exists.
Source: reference 3.1, 6.2, 6.3, 6.4, 8.2; Cloud Storage's and BigQuery's own rules for names.
"""

from __future__ import annotations

from msgspec import Struct

from batchctl.model.pattern import Pattern

_PROJECT = r"(?:[a-z0-9-]+(?:\.[a-z0-9-]+)+:)?[a-z0-9][a-z0-9-]*"
"""A project's id or number; old ids have a domain before a colon."""
_BUCKET = Pattern(r"[a-z0-9]([a-z0-9._-]{0,220}[a-z0-9])?")
_UNWRITABLE = Pattern("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LONGEST_OBJECT = 1024
"""Bytes of an object's name."""
_LONGEST_BIGQUERY = 2000
"""Characters of a bq:// URI."""
_TABLE_NAME = r"[\w$-](?:[\w$ -]*[\w$-])?"
_TABLE = Pattern(rf"bq://{_PROJECT}\.[A-Za-z0-9_]+\.{_TABLE_NAME}")
_BIGQUERY_PLACE = Pattern(rf"bq://{_PROJECT}(?:\.[A-Za-z0-9_]+(?:\.{_TABLE_NAME})?)?")
_RESOURCE = Pattern(
    rf"projects/(?P<project>{_PROJECT})/locations/(?P<location>[a-z0-9-]+)"
    r"/(?P<collection>[A-Za-z]+)/(?P<id>[A-Za-z0-9_-]+(?:@[A-Za-z0-9_-]+)?)"
)


class Resource(Struct, frozen=True):
    """A resource with a full name: `projects/P/locations/L/COLLECTION/ID`."""

    project: str
    """Its id or its number."""
    location: str
    id: str

    @classmethod
    def of(cls, name: str, collection: str) -> Resource | None:
        """The resource with this name; None if that is not a full name or names another collection."""
        match = _RESOURCE.fullmatch(name)
        if match is None or match["collection"] != collection:
            return None
        return cls(match["project"], match["location"], match["id"])


def check_gcs_object(uri: str) -> None:
    """Check the URI of a Cloud Storage object, with or without wildcards. Raises ValueError with the reason."""
    _, name = _split(uri)
    if not name:
        raise ValueError("names no object in the bucket")
    if name.endswith("/"):
        raise ValueError("names a folder, not the objects in it")
    _check_object(name)


def gcs_prefix(uri: str) -> str:
    """The URI of a folder in Cloud Storage with one slash at its end. Raises ValueError with the reason."""
    bucket, name = _split(uri)
    if not name:
        return f"gs://{bucket}/"
    folder = name.removesuffix("/")
    _check_object(folder)
    if "*" in folder:
        raise ValueError("has a wildcard, but must name one place")
    if "" in folder.split("/"):
        raise ValueError("has two slashes in a row")
    return f"gs://{bucket}/{folder}/"


def check_bigquery_table(uri: str) -> None:
    """Check the URI of a table. Raises ValueError with the reason."""
    _check_length(uri)
    if not _TABLE.fullmatch(uri):
        raise ValueError("is not the name of a table")


def bigquery_place(uri: str) -> str:
    """The URI of a project, a dataset or a table. Raises ValueError with the reason."""
    _check_length(uri)
    if not _BIGQUERY_PLACE.fullmatch(uri):
        raise ValueError("is not the name of a project, dataset or table")
    return uri


def _split(uri: str) -> tuple[str, str]:
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise ValueError("has no valid bucket name: 1 to 222 lower-case letters, digits, dashes, dots or underscores")
    return bucket, name


def _check_object(name: str) -> None:
    if _UNWRITABLE.search(name):
        raise ValueError("has a line break or control character in it")
    if len(name.encode()) > _LONGEST_OBJECT:
        raise ValueError(f"has more than {_LONGEST_OBJECT} bytes after its bucket")
    if {".", ".."}.intersection(name.split("/")):
        raise ValueError('has "." or ".." as a part of its path, which Cloud Storage does not resolve')


def _check_length(uri: str) -> None:
    if len(uri) > _LONGEST_BIGQUERY:
        raise ValueError(f"is longer than {_LONGEST_BIGQUERY} characters")
