"""Recognises files that are not lines of JSON, by their first bytes."""

from __future__ import annotations

_BEGINNINGS = (
    (b"\x1f\x8b", "compressed with gzip"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ\x00", "compressed with xz"),
    (b"PK\x03\x04", "a zip archive"),
    (b"PAR1", "a Parquet file"),
    (b"Obj\x01", "an Avro file"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\x00{", "UTF-32"),
    (b"{\x00\x00\x00", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
    (b"\x00{", "UTF-16"),
    (b"{\x00", "UTF-16"),
)
"""The first match counts."""
_ENCODINGS = ("UTF-16", "UTF-32")


def foreign_form(start: bytes) -> str | None:
    """The form of a file with these first bytes, for messages; None if it may be lines of JSON."""
    return next((form for begins, form in _BEGINNINGS if start.startswith(begins)), None)


def way_out(form: str) -> str:
    """A hint for a file of a form that `foreign_form` found."""
    if form in _ENCODINGS:
        return "save it as UTF-8"
    return "decompress it first" if form.startswith(("compressed", "a zip")) else "convert it to lines of JSON"
