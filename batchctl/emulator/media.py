"""The bodies of uploads to Google's older REST APIs: multipart bodies, and pieces with a Content-Range.

Pure: bytes and headers in, values out.
"""

from __future__ import annotations

import json
import re

from msgspec import Struct

from batchctl.emulator.bodies import parse_json
from batchctl.emulator.wire import JsonObject, Refused, Request

_BOUNDARY = re.compile(r'multipart/(\S+?)\s*;.*?boundary=(?:"([^"]+)"|([^;\s]+))', re.IGNORECASE | re.DOTALL)
_RANGE = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18}|\*)|\*)/(\d{1,18}|\*)")
"""A range with an open end ends with the body; Node's client sends such ranges."""
_TYPE = re.compile(rb"^content-type:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_PARTS = 4
"""The number of pieces when a two-part body is split at its boundary: the preamble, both parts, and the end."""


class Media(Struct, frozen=True):
    """An upload in one request."""

    resource: JsonObject
    """The metadata that the caller sent."""
    content_type: str
    """Empty if the caller sent none."""
    content: bytes


class Piece(Struct, frozen=True):
    """One request of an upload in several requests."""

    start: int | None
    """The position of the first byte; None for a query of the upload's progress."""
    total: int | None
    """The total size, if the caller knows it."""


def read_related(request: Request) -> Media:
    """The two parts of a `multipart/related` body: JSON, then content. Raises Refused (400)."""
    return _read_parts(request, ("related",))


def read_parts(request: Request) -> Media:
    """Like `read_related`, but also accepts a form with two fields. Raises Refused (400)."""
    return _read_parts(request, ("related", "form-data"))


def _read_parts(request: Request, kinds: tuple[str, ...]) -> Media:
    found = _BOUNDARY.match(request.header("content-type"))
    if found is None or found[1].lower() not in kinds:
        named = " or ".join(f"multipart/{kind}" for kind in kinds)
        raise Refused(400, f"A multipart upload needs the content type {named} with a boundary.")
    mark = b"--" + (found[2] or found[3]).encode("latin-1", "replace")
    # A boundary is a line of its own; the line end before it may be CRLF or LF.
    newline = b"\r\n" if b"\r\n" + mark in request.body else b"\n"
    parts = (newline + request.body).split(newline + mark)
    if len(parts) != _PARTS or not parts[-1].startswith(b"--"):
        raise Refused(400, "Malformed multipart body: it must have exactly two parts and a closing boundary.")
    (_, first), (headers, content) = (_split(part, newline) for part in parts[1:3])
    kind = _TYPE.search(headers)
    return Media(read_resource(first), kind[1].decode("latin-1") if kind else "", content)


def read_resource(body: bytes) -> JsonObject:
    """A JSON object whose strings can be stored; an empty body is an empty object. Raises Refused (400)."""
    value = parse_json(body) if body.strip() else {}
    if not isinstance(value, dict):
        raise Refused(400, "Invalid JSON payload received. The body must be an object.")
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise Refused(400, "Invalid JSON payload received. A string contains half of a surrogate pair.") from error
    return value


def read_piece(request: Request) -> Piece:
    """The position of the body in the upload; a body without one is the complete upload. Raises Refused (400)."""
    text, size = request.header("content-range"), len(request.body)
    if not text:
        return Piece(0, size)
    found = _RANGE.fullmatch(text)
    if found is None:
        raise Refused(400, f"Failed to parse Content-Range header: {ascii(text)[1:-1][:60]}")
    total = None if found[3] == "*" else int(found[3])
    if found[1] is None:
        if size:
            raise Refused(400, "A Content-Range header without a range requires an empty body.")
        return Piece(None, total)
    start = int(found[1])
    if found[2] == "*":
        return Piece(start, start + size if total is None else total)
    if int(found[2]) - start + 1 != size:
        raise Refused(400, f"The Content-Range header does not fit the {size} bytes of the body.")
    return Piece(start, total)


def _split(part: bytes, newline: bytes) -> tuple[bytes, bytes]:
    headers, gap, content = part.partition(newline * 2)
    if not gap:
        raise Refused(400, "Malformed multipart body: a part has no empty line after its headers.")
    return headers, content
