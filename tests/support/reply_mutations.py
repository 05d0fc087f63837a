"""What may become of a reply on its way: each mutation is drawn from a seed and gives the bytes that are sent.

None of them is a lie that no client could see through: a list whose entries are left out, a job without the mark that it
has, another row in a result. All else may be wrong: types, members, enums, numbers, encodings, lengths, statuses, time.

The file is long because it is one catalogue of mutations, from which a seed draws.
"""

from __future__ import annotations

import copy
import gzip
import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

PAGE = b"<!doctype html><html><head><title>Sign in</title></head><body><p>Please sign in.</p></body></html>"
LISTS = ("operations", "batchPredictionJobs", "items", "rows", "files")
_ROWS = frozenset({"rows", "output", "response", "inlinedResponses"})
"""Below these stand results, which are what they are."""
_MARKS = frozenset({"displayName", "labels", *LISTS})
"""Members that may be of a wrong type, and never simply absent: then the job would be somebody else's."""
_ENUM = re.compile(r"[A-Z]+(_[A-Z]+)+")
_HUGE = 60 * 2**20
_TOO_LARGE = 70 * 2**20


@dataclass(frozen=True)
class Reply:
    """A reply of the service, before its mutation."""

    what: str
    """The kind of call that it answers, see `mutating_proxy.kind_of`."""
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def is_rows(self) -> bool:
        """Whether the body is a file of results."""
        return self.what == "download"

    def json(self) -> Any:
        """The body, where it is JSON and no file of results; None otherwise."""
        if self.is_rows:
            return None
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True)
class Wire:
    """The bytes that are sent, and what follows them: keep, close, drip, hang or reset."""

    data: bytes
    then: str = "keep"
    drop: bytes = b" "


def wire(reply: Reply, body: bytes | None = None, *, status: int | None = None, **headers: str) -> Wire:
    """A reply as it should be on the wire; headers in place of its own, `content_length` too."""
    sent = reply.body if body is None else body
    other = {name.replace("_", "-"): value for name, value in headers.items()}
    other.setdefault("content-length", str(len(sent)))
    kept = [
        (name, value)
        for name, value in reply.headers
        if name.lower() not in {*other, "transfer-encoding", "connection"}
    ]
    lines = [
        f"HTTP/1.1 {status or reply.status} Mutated",
        *(f"{name}: {value}" for name, value in [*kept, *other.items()]),
    ]
    return Wire("\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + sent)


# --- members of JSON


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if path and path[-1] in _ROWS:
        return
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _places(member, (*path, name))
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from _places(member, (*path, number))


def _get(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def _changed(reply: Reply, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> bytes:
    value = copy.deepcopy(reply.json())
    change(_get(value, path[:-1]), path[-1])
    return json.dumps(value).encode()


def _place(dice: random.Random, reply: Reply, fits: Callable[[tuple[Any, ...], Any], bool]) -> tuple[Any, ...] | None:
    value = reply.json()
    found = [path for path in _places(value) if fits(path, _get(value, path))]
    return dice.choice(found) if found else None


def _put(text: str) -> Callable[[random.Random, Reply], Wire | None]:
    """Another value, as JSON text that Python may not write by itself, at any place."""

    def mutate(dice: random.Random, reply: Reply) -> Wire | None:
        path = _place(dice, reply, lambda path, _: text != "null" or path[-1] not in _MARKS)
        if path is None:
            return None
        body = _changed(reply, path, lambda holder, step: holder.__setitem__(step, "\x00here"))
        return wire(reply, body.replace(b'"\\u0000here"', text.encode("utf-8", "surrogatepass")))

    return mutate


def removed(dice: random.Random, reply: Reply) -> Wire | None:
    path = _place(dice, reply, lambda path, _: isinstance(path[-1], str) and path[-1] not in _MARKS)
    return None if path is None else wire(reply, _changed(reply, path, lambda holder, step: holder.pop(step)))


def unknown_enum(dice: random.Random, reply: Reply) -> Wire | None:
    path = _place(dice, reply, lambda _, value: isinstance(value, str) and bool(_ENUM.fullmatch(value)))
    word = dice.choice(["JOB_STATE_MUTATED", "BATCH_STATE_", "", "job_state_succeeded ", "99"])
    return None if path is None else wire(reply, _changed(reply, path, lambda at, step: at.__setitem__(step, word)))


def doubled(dice: random.Random, reply: Reply) -> Wire | None:
    """A member that comes twice, first with another value."""
    path = _place(dice, reply, lambda path, _: isinstance(path[-1], str))
    if path is None:
        return None
    name, value = json.dumps(path[-1]), json.dumps(_get(reply.json(), path))
    body = _changed(reply, path, lambda holder, step: holder.update({"\x00here": holder.pop(step)}))
    text = json.dumps("\x00here")[1:-1]
    found = json.dumps(_get(reply.json(), path))
    return wire(reply, body.decode().replace(f'"{text}": {found}', f"{name}: 0, {name}: {value}").encode())


# --- bytes


def _cut(dice: random.Random, reply: Reply) -> bytes:
    return reply.body[: dice.randrange(len(reply.body))] if reply.body else b""


def truncated(dice: random.Random, reply: Reply) -> Wire | None:
    sent = wire(reply, _cut(dice, reply), content_length=str(len(reply.body)))
    return Wire(sent.data, "close") if reply.body else None


def shorter(dice: random.Random, reply: Reply) -> Wire | None:
    return None if reply.is_rows or not reply.body else wire(reply, _cut(dice, reply))


def longer(_: random.Random, reply: Reply) -> Wire:
    return Wire(wire(reply, content_length=str(len(reply.body) + 100)).data, "close")


def odd_length(dice: random.Random, reply: Reply) -> Wire:
    return Wire(wire(reply, content_length=dice.choice(["-1", "x", "1e9", "9" * 30])).data, "close")


def two_lengths(_: random.Random, reply: Reply) -> Wire:
    return Wire(wire(reply).data.replace(b"\r\n", b"\r\ncontent-length: 1\r\n", 1), "close")


def odd_type(dice: random.Random, reply: Reply) -> Wire:
    kind = dice.choice(["text/html", "application/octet-stream", "application/json; charset=utf-16", "x", ""])
    return wire(reply, content_type=kind)


def no_gzip(_: random.Random, reply: Reply) -> Wire:
    return wire(reply, content_encoding="gzip")


def cut_gzip(_: random.Random, reply: Reply) -> Wire | None:
    packed = gzip.compress(reply.body)
    return None if reply.is_rows else wire(reply, packed[: len(packed) // 2], content_encoding="gzip")


def bomb(_: random.Random, reply: Reply) -> Wire | None:
    return None if reply.is_rows else wire(reply, gzip.compress(b" " * _TOO_LARGE, 1), content_encoding="gzip")


def no_utf8(dice: random.Random, reply: Reply) -> Wire | None:
    if reply.is_rows or not reply.body:
        return None
    at = dice.randrange(len(reply.body))
    return wire(reply, reply.body[:at] + b"\xff\xfe\xc0" + reply.body[at:])


def flipped(dice: random.Random, reply: Reply) -> Wire | None:
    """Some bytes that are others; never inside of texts, which might be a mark or a row."""
    places = [at for at, byte in enumerate(reply.body) if byte in b'{}[]:,"']
    if reply.is_rows or not places:
        return None
    body = bytearray(reply.body)
    body[dice.choice(places)] = dice.randrange(1, 32)
    return wire(reply, bytes(body))


def _instead(body: bytes, **headers: str) -> Callable[[random.Random, Reply], Wire]:
    return lambda _, reply: wire(reply, body, **headers)


def _status(status: int, body: bytes = b"", **headers: str) -> Callable[[random.Random, Reply], Wire]:
    return lambda _, reply: wire(reply, body, status=status, **headers)


def informed(dice: random.Random, reply: Reply) -> Wire:
    """One or many interim replies before the reply."""
    first = dice.choice([b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"])
    return Wire(first * dice.choice([1, 3, 500]) + wire(reply).data)


def no_http(dice: random.Random, reply: Reply) -> Wire:
    head = dice.choice(
        [b"", b"SSH-2.0-x\r\n\r\n", b"HTTP/9.9 200 OK\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 999 x\r\n\r\n"]
    )
    return Wire(head + reply.body, "close")


def many_headers(_: random.Random, reply: Reply) -> Wire:
    return wire(reply, x_long="y" * 200_000)


def chunks_that_are_none(_: random.Random, reply: Reply) -> Wire:
    head = wire(reply, b"").data.replace(b"content-length: 0", b"transfer-encoding: chunked")
    return Wire(head + b"zz\r\n" + reply.body, "close")


def odd_date(dice: random.Random, reply: Reply) -> Wire:
    return wire(
        reply, date=dice.choice(["Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "yesterday", ""])
    )


def _large(size: int, unit: bytes) -> Callable[[random.Random, Reply], Wire | None]:
    """The same JSON with a member more that is so many bytes long."""

    def mutate(_: random.Random, reply: Reply) -> Wire | None:
        if not isinstance(reply.json(), dict):
            return None
        more = b"[" + unit * (size // len(unit)) + b"0]"
        body = reply.body.rstrip()[:-1] + (b"," if len(reply.json()) else b"") + b'"mutated":' + more + b"}"
        return wire(reply, body)

    return mutate


# --- time


def drip_body(_: random.Random, reply: Reply) -> Wire | None:
    head = wire(reply, b"", content_length=str(len(reply.body) + 10**6)).data
    return Wire(head + reply.body[:-1], "drip")


def drip_header(_: random.Random, reply: Reply) -> Wire:
    return Wire(wire(reply).data.partition(b"\r\n")[0] + b"\r\nx-slow: ", "drip", b"y")


def drip_interim(_: random.Random, __: Reply) -> Wire:
    return Wire(b"", "drip", b"HTTP/1.1 103 Early Hints\r\n\r\n")


def silence(_: random.Random, __: Reply) -> Wire:
    return Wire(b"", "hang")


def closed(_: random.Random, __: Reply) -> Wire:
    return Wire(b"", "close")


def reset(dice: random.Random, reply: Reply) -> Wire:
    return Wire(wire(reply).data[: dice.randrange(200)], "reset")


Mutation = Callable[[random.Random, Reply], Wire | None]
"""None where it does not fit the reply."""

VALUES = {
    "text": '"x"',
    "empty text": '""',
    "number": "7",
    "fraction": "3.5",
    "negative": "-1",
    "boolean": "true",
    "null": "null",
    "empty object": "{}",
    "huge integer": "9" * 5000,
    "huge exponent": "1e999999",
    "NaN": "NaN",
    "Infinity": "-Infinity",
    "half a character": '"\\ud800"',
    "control characters": '"\\u0000\\u001b[2J\\u202e"',
    "deep lists": "[" * 100_000 + "]" * 100_000,
    "deep objects": '{"a":' * 5_000 + "1" + "}" * 5_000,
    "long text": '"' + "y" * 2_000_000 + '"',
}
MUTATIONS: dict[str, Mutation] = {
    **{f"value: {name}": _put(text) for name, text in VALUES.items()},
    "member removed": removed,
    "unknown enum": unknown_enum,
    "member twice": doubled,
    "truncated": truncated,
    "shorter": shorter,
    "longer": longer,
    "odd length": odd_length,
    "two lengths": two_lengths,
    "odd type": odd_type,
    "no gzip": no_gzip,
    "cut gzip": cut_gzip,
    "gzip bomb": bomb,
    "no UTF-8": no_utf8,
    "flipped bytes": flipped,
    "empty": _instead(b""),
    "a page": _instead(PAGE, content_type="text/html"),
    "JSON null": _instead(b"null"),
    "a list": _instead(b"[]"),
    "a text": _instead(b'"ok"'),
    "a message": _instead(b'{"message": "hello"}'),
    "an error with 200": _instead(b'{"error": {"code": 503, "message": "later", "status": "UNAVAILABLE"}}'),
    "204": _status(204),
    "302": _status(302, location="http://127.0.0.1:1/elsewhere"),
    "307 to itself": _status(307, location="/"),
    "403 page": _status(403, PAGE, content_type="text/html"),
    "404 page": _status(404, PAGE, content_type="text/html"),
    "429 for long": _status(429, b"{}", retry_after="86400"),
    "429 odd": _status(429, b"{}", retry_after="-5"),
    "500 page": _status(500, PAGE),
    "503": _status(503, b'{"error": {"code": 503, "message": "m", "status": "UNAVAILABLE"}}'),
    "206": _status(206, b"{}"),
    "interim replies": informed,
    "no HTTP": no_http,
    "many headers": many_headers,
    "no chunks": chunks_that_are_none,
    "odd date": odd_date,
    "70 MB of blanks": _large(_TOO_LARGE, b"       0,"),
    "60 MB of lists": _large(_HUGE, b"[],"),
    "60 MB of numbers": _large(_HUGE, b"1,"),
    "dripping body": drip_body,
    "dripping header": drip_header,
    "dripping interim replies": drip_interim,
    "silence": silence,
    "closed": closed,
    "reset": reset,
}
LARGE = frozenset(name for name in MUTATIONS if " MB of " in name)
ENDLESS = ("empty pages", "the same page", "new entries")
"""Of lists; each page has a fresh token."""


def endless_page(kind: str, reply: Reply, number: int) -> Wire | None:
    """Page `number` of a list that never ends, made of its first page."""
    page = reply.json()
    if not isinstance(page, dict) or reply.what != "list":
        return None
    member = next((name for name in LISTS if name in page), None)
    token = "pageToken" if member == "rows" or "bigquery" in str(page.get("kind")) else "nextPageToken"
    made = {**page, token: f"mutated-{number}"}
    if member is not None and kind == "empty pages":
        made[member] = []
    if member is not None and kind == "new entries" and page[member]:
        entry = copy.deepcopy(page[member][0])
        if isinstance(entry.get("name"), str):
            entry["name"] = entry["name"][:-6] + f"{number:06d}"
        made[member] = [entry]
    return wire(reply, json.dumps(made).encode())
