"""The bodies of uploads to Google's older REST APIs: two parts in one, and pieces with their place in the whole.

Pure: bytes and headers in, values out.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from batchctl.emulator.bodies import parse_json
from batchctl.emulator.wire import JsonObject, Refused, Request

_BOUNDARY = re.compile(r'multipart/(\S+?)\s*;.*?boundary=(?:"([^"]+)"|([^;\s]+))', re.IGNORECASE | re.DOTALL)
_RANGE = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18}|\*)|\*)/(\d{1,18}|\*)")
"""A place may have an open end, which is that of the body, as Node's client sends it."""
_TYPE = re.compile(rb"^content-type:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_PARTS = 4
"""What a body of two parts falls into: nothing, the two parts, and the end."""


@dataclass(frozen=True)
class Media:
    """An upload in one request."""

    resource: JsonObject
    """What the caller says of it."""
    content_type: str
    """Empty when the caller gave none."""
    content: bytes


@dataclass(frozen=True)
class Piece:
    """One request of an upload in several."""

    start: int | None
    """The place of its first byte; None for a question how far the upload is."""
    total: int | None
    """How long the whole is, where the caller knows it."""


def read_related(request: Request) -> Media:
    """The two parts of a `multipart/related` body: JSON, then content. Raises Refused (400)."""
    return _read_parts(request, ("related",))


def read_parts(request: Request) -> Media:
    """The same of a form with two fields, too. Raises Refused (400)."""
    return _read_parts(request, ("related", "form-data"))


def _read_parts(request: Request, kinds: tuple[str, ...]) -> Media:
    found = _BOUNDARY.match(request.header("content-type"))
    if found is None or found[1].lower() not in kinds:
        named = " or ".join(f"multipart/{kind}" for kind in kinds)
        raise Refused(400, f"A multipart upload needs the content type {named} with a boundary.")
    mark = b"--" + (found[2] or found[3]).encode("latin-1", "replace")
    # Boundaries are lines of their own; which end of line stands before them is the caller's habit.
    newline = b"\r\n" if b"\r\n" + mark in request.body else b"\n"
    parts = (newline + request.body).split(newline + mark)
    if len(parts) != _PARTS or not parts[-1].startswith(b"--"):
        raise Refused(400, "Malformed multipart body: it must have exactly two parts, and an end.")
    (_, first), (headers, content) = (_split(part, newline) for part in parts[1:3])
    kind = _TYPE.search(headers)
    return Media(read_resource(first), kind[1].decode("latin-1") if kind else "", content)


def read_resource(body: bytes) -> JsonObject:
    """A JSON object whose texts can be stored; an empty body is an empty one. Raises Refused (400)."""
    value = parse_json(body) if body.strip() else {}
    if not isinstance(value, dict):
        raise Refused(400, "Invalid JSON payload received. The body must be an object.")
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise Refused(400, "Invalid JSON payload received. A text has half of a surrogate pair.") from error
    return value


def read_piece(request: Request) -> Piece:
    """The place of a request's body in the whole; a body without one is the whole. Raises Refused (400)."""
    text, size = request.header("content-range"), len(request.body)
    if not text:
        return Piece(0, size)
    found = _RANGE.fullmatch(text)
    if found is None:
        raise Refused(400, f"Failed to parse Content-Range header: {ascii(text)[1:-1][:60]}")
    total = None if found[3] == "*" else int(found[3])
    if found[1] is None:
        if size:
            raise Refused(400, "A Content-Range header without a place goes with an empty body.")
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
