"""What callers may send besides plain JSON: bodies that gzip has packed, and JSON as people write it by hand.

Pure: bytes in, bytes out. Source: reference 16; how far the JSON may go is what protobuf's JSON parser allows, which is
the one that takes the guides' single quotes.
"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import replace

from batchctl.emulator.wire import Refused, Request

_GZIP = 31
"""zlib's number for the gzip format with the largest window."""
_TOKEN = re.compile(
    r"""
    "(?P<double>[^"\\]*+(?:\\.[^"\\]*+)*+)(?P<double_end>"?)    # a text
    | '(?P<single>[^'\\]*+(?:\\.[^'\\]*+)*+)(?P<single_end>'?)  # a text in the other quotes
    | (?P<gap>[\[{,]\s*+,)                                      # nothing between commas is no item, and stays wrong
    | (?P<last>,)(?=\s*+[\]}])                                  # the comma after the last item
    | (?<![\w$])(?P<name>[A-Za-z_$][\w$]*+)(?=\s*+:)            # a member's name without quotes
    """,
    re.DOTALL | re.VERBOSE | re.ASCII,
)
"""What strict JSON has otherwise. A text that never ends reaches to the end, so that no part is read twice."""
_ESCAPE = re.compile(r"\\(.)|\"", re.DOTALL)
_ESCAPES = frozenset('"\\/bfnrtu')
"""What strict JSON knows after a backslash; any other character stands for itself."""


def unpacked(request: Request, most: int) -> Request:
    """The request with its body as it was before gzip; one that is larger than `most` counts as too large.

    Raises Refused (400) for what gzip did not make.
    """
    if request.header("content-encoding").strip().lower() not in {"gzip", "x-gzip"} or not request.body:
        return request
    body = bytearray()
    packed = request.body
    while packed:
        reader = zlib.decompressobj(_GZIP)
        try:
            body += reader.decompress(packed, most + 1 - len(body))
        except zlib.error as error:
            raise Refused(400, "The request's body is not in the gzip format, as its Content-Encoding says.") from error
        if len(body) > most:
            return replace(request, body=b"", too_large=True)
        if not reader.eof:
            raise Refused(400, "The request's body ends in the middle of its gzip data.")
        packed = reader.unused_data
    return replace(request, body=bytes(body))


def as_strict_json(text: str) -> str:
    """JSON written by hand as strict JSON has it: single quotes, names without quotes, a comma after the last item."""
    return _TOKEN.sub(_strict, text)


def _strict(found: re.Match[str]) -> str:
    if found["gap"]:
        return found[0]
    if found["last"]:
        return ""
    if found["name"]:
        return f'"{found[0]}"'
    text = found["double"] if found["single"] is None else found["single"]
    end = '"' if found["double_end"] or found["single_end"] else ""
    return f'"{_ESCAPE.sub(_escape, text)}{end}'


def _escape(found: re.Match[str]) -> str:
    if found[1] is None:
        return r"\""
    return found[0] if found[1] in _ESCAPES else found[1]


def parse_json(body: bytes) -> object:
    """The body's JSON value. Raises Refused (400) for what is no JSON, strict or as people write it by hand."""
    try:
        try:
            return json.loads(body)
        except json.JSONDecodeError:
            # Line breaks inside of texts are fine with protobuf's parser, too.
            return json.loads(as_strict_json(body.decode()), strict=False)
    except (ValueError, RecursionError) as error:
        message = f"Invalid JSON payload received. {error}"
        raise Refused(400, message) from error
