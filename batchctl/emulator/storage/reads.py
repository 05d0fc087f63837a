"""Reading objects: the resource, the bytes, a range of the bytes. Source: storage v1, `objects.get`; RFC 9110, 14."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from batchctl.emulator.exchange import Exchange
from batchctl.emulator.older_apis import OldRefused, host_url
from batchctl.emulator.storage.conditions import read_conditions
from batchctl.emulator.storage.objects import Object
from batchctl.emulator.storage.resources import object_etag, object_resource, require_object
from batchctl.emulator.wire import JsonObject, Response

_RANGE = re.compile(r"bytes=(\d{1,18})?-(\d{1,18})?")
_AT_ONCE = 1024 * 1024
"""A body up to this number of bytes is sent as one piece; a longer one is read while it is sent."""
_HEADERS = {
    "cacheControl": "cache-control",
    "contentDisposition": "content-disposition",
    "contentEncoding": "content-encoding",
    "contentLanguage": "content-language",
}


class _Span(Struct, frozen=True):
    start: int
    end: int
    """The position after the last byte."""


def get_object(exchange: Exchange) -> JsonObject | Response:
    """The resource, or with `alt=media` the bytes."""
    item, conditions = require_object(exchange), read_conditions(exchange)
    conditions.check_read(item)
    if conditions.has_not_changed(item):
        return Response(304, {"etag": object_etag(item)})
    if exchange.request.param("alt", "$alt") != "media":
        return object_resource(item, host_url(exchange))
    return _bytes(exchange, item)


def _bytes(exchange: Exchange, item: Object) -> Response:
    span = _span(exchange.request.header("range"), item.size)
    headers = {
        "content-type": item.content_type,
        "etag": object_etag(item),
        "accept-ranges": "bytes",
        "x-goog-generation": str(item.generation),
        "x-goog-metageneration": str(item.metageneration),
        "x-goog-hash": f"crc32c={item.crc32c},md5={item.md5}",
        "x-goog-storage-class": "STANDARD",
        "x-goog-stored-content-length": str(item.size),
        "x-goog-stored-content-encoding": item.more.get("contentEncoding", "identity"),
        **{header: item.more[key] for key, header in _HEADERS.items() if key in item.more},
    }
    # Characters that a header cannot contain become question marks.
    headers = {name: value.encode("ascii", "replace").decode() for name, value in headers.items()}
    status, part = 200, span or _Span(0, item.size)
    if span is not None:
        status = 206
        headers["content-range"] = f"bytes {span.start}-{span.end - 1}/{item.size}"
    body = _cut(exchange.store.read(item.blob), part)
    size = part.end - part.start
    if size <= _AT_ONCE:
        return Response(status, headers, b"".join(body))
    return Response(status, {**headers, "content-length": str(size)}, body)


def _span(text: str, size: int) -> _Span | None:
    """The bytes that a Range header requests; None without a header. A header of another form is ignored."""
    found = _RANGE.fullmatch(text)
    if found is None or found[1] is found[2] is None:
        return None
    if found[1] is None:
        start, end = max(size - int(found[2]), 0), size
    else:
        start, end = int(found[1]), size if found[2] is None else min(int(found[2]) + 1, size)
        if found[2] is not None and int(found[2]) < start:
            return None
    if start >= end:
        raise OldRefused(
            416, "Request range not satisfiable", "requestedRangeNotSatisfiable", place=("header", "Range")
        )
    return _Span(start, end)


def _cut(pieces: Iterable[bytes], span: _Span) -> Iterator[bytes]:
    at = 0
    for piece in pieces:
        part = piece[max(span.start - at, 0) : max(span.end - at, 0)]
        at += len(piece)
        if part:
            yield part
        if at >= span.end:
            return
