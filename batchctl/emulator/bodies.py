"""Bodies of calls: gzip, and JSON as people write it, which is less strict than the standard.

Pure: bytes in, bytes out. Source: reference 16. The lenient JSON is that of protobuf's JSON parser, which accepts the
single quotes of the guides.
"""

from __future__ import annotations

import json
import re
import zlib

from msgspec.structs import replace

from batchctl.emulator.wire import Refused, Request

_GZIP = 31
"""The number by which zlib knows the gzip format with the largest window."""
_TOKEN = re.compile(
    r"""
    "(?P<double>[^"\\]*+(?:\\.[^"\\]*+)*+)(?P<double_end>"?)    # a string
    | '(?P<single>[^'\\]*+(?:\\.[^'\\]*+)*+)(?P<single_end>'?)  # a string in single quotes
    | (?P<gap>[\[{,]\s*+,)                                      # no item between two commas: stays an error
    | (?P<last>,)(?=\s*+[\]}])                                  # the comma after the last item
    | (?<![\w$])(?P<name>[A-Za-z_$][\w$]*+)(?=\s*+:)            # a member's name without quotes
    """,
    re.DOTALL | re.VERBOSE | re.ASCII,
)
"""The forms that strict JSON lacks. An unterminated string extends to the end, so that no part is scanned twice."""
_ESCAPE = re.compile(r"\\(.)|\"", re.DOTALL)
_ESCAPES = frozenset('"\\/bfnrtu')
"""The escapes of strict JSON; before any other character, the backslash is dropped."""


def unpacked(request: Request, most: int) -> Request:
    """The request with its body decompressed; a result larger than `most` marks it as too large.

    Raises Refused (400) if the body is not valid gzip.
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
    """Lenient JSON as strict JSON: double quotes, quoted names, no trailing commas."""
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
    """The JSON value of the body, which may be lenient JSON. Raises Refused (400) if it is invalid."""
    try:
        try:
            return json.loads(body)
        except json.JSONDecodeError:
            # protobuf's parser also accepts line breaks in strings.
            return json.loads(as_strict_json(body.decode()), strict=False)
    except (ValueError, RecursionError) as error:
        message = f"Invalid JSON payload received. {error}"
        raise Refused(400, message) from error
