"""What can be wrong with a reply: as a whole, or at one place of one job in it. None of it is a lie of legal form."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import httpx

Spoil = Callable[[httpx.Response], httpx.Response]


def answer(content: bytes, status: int = 200, **headers: str) -> httpx.Response:
    """An answer with these bytes and headers, however little they go together."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return httpx.Response(status, headers=named, stream=httpx.ByteStream(content))


def spoiled_body(change: Callable[[bytes], bytes], **headers: str) -> Spoil:
    return lambda response: answer(change(response.content), **headers)


def html(status: int) -> Spoil:
    page = b"<!DOCTYPE html><title>Error</title><p>That's an error.\x00\x1b[31m"
    return lambda response: answer(page, status, content_type="text/html")


WHOLE: dict[str, Spoil] = {
    "html 200": html(200),
    "html 403": html(403),
    "html 404": html(404),
    "redirect": lambda response: answer(b"", 302, location="https://elsewhere.invalid/"),
    "redirect without a place": lambda response: answer(response.content, 308),
    "not modified": lambda response: answer(b"", 304),
    "half of it": spoiled_body(lambda body: body[: len(body) // 2]),
    "all but its end": spoiled_body(lambda body: body[:-1]),
    "more announced": lambda response: answer(response.content, content_length=str(len(response.content) + 7)),
    "less announced": lambda response: answer(response.content + b" " * 9, content_length=str(len(response.content))),
    "something behind it": spoiled_body(lambda body: body + b"{}"),
    "utf-16": spoiled_body(lambda body: body.decode().encode("utf-16")),
    "latin-1": spoiled_body(lambda body: body[:-1] + b',"x":"\xe9"}', content_type="application/json; charset=latin-1"),
    "byte order mark": spoiled_body(lambda body: b"\xef\xbb\xbf" + body),
    "no gzip": lambda response: answer(response.content, content_encoding="gzip"),
    "deep array": spoiled_body(lambda body: b"[" * 200_000),
    "deep object": spoiled_body(lambda body: b'{"metadata":' * 200_000),
    "null": spoiled_body(lambda body: b"null"),
    "a list": spoiled_body(lambda body: b"[" + body + b"]"),
    "NaN": spoiled_body(lambda body: body[:-1] + b',"x":NaN}'),
    "a number without end": spoiled_body(lambda body: body[:-1] + b',"x":' + b"9" * 10_000 + b"}"),
}

MISSING = object()
VALUES: dict[str, Any] = {
    "missing": MISSING,
    "null": None,
    "true": True,
    "negative": -5,
    "zero": 0,
    "beyond 64 bits": 2**64,
    "10**400": 10**400,
    "1e400": "@1e400@",
    "fraction": 1.5,
    "negative text": "-5",
    "number of 40 digits": "9" * 40,
    "empty text": "",
    "empty list": [],
    "empty object": {},
    "object in a list": [{"a": [None]}],
    "lone surrogate": "\ud800",
    "control characters": "a\x00\x1b[2J\r\n\x85\u2028\u202e\x07",
    "long text": "x" * 70_000,
    "end of time": "9999-12-31T23:59:59.999999999Z",
    "beginning of time": "0001-01-01T00:00:00Z",
    "no time": "2026-13-45T99:99:99Z",
    "new state": "BATCH_STATE_MELTED",
    "path": "../../etc/passwd",
}
PLACES = [
    *(("name",), ("done",), ("error",), ("error", "code"), ("error", "message"), ("response",), ("metadata",)),
    *(("metadata", name) for name in ("state", "displayName", "createTime", "endTime", "model", "batchStats", "name")),
    *(("metadata", "batchStats", f"{count}Count") for count in ("request", "successfulRequest", "failedRequest")),
]


def put(part: Any, place: tuple[str, ...], value: Any) -> None:
    """Put a value at a place in an operation; objects on the way there are made."""
    for name in place[:-1]:
        part = part.setdefault(name, {})
    if value is MISSING:
        part.pop(place[-1], None)
    else:
        part[place[-1]] = value


def as_reply(value: Any) -> httpx.Response:
    """An answer of this JSON, with numbers that no float can hold."""
    return answer(re.sub(rb'"@(\w+)@"', rb"\1", json.dumps(value).encode()))
