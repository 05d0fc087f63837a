"""What callers may send besides plain JSON: bodies that gzip has packed, and texts in single quotes.

Pure: bytes in, bytes out. Source: reference 16.
"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import replace

from batchctl.emulator.wire import Refused, Request

_GZIP = 31
"""zlib's number for the gzip format with the largest window."""
_TOKEN = re.compile(r""""[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|'([^'\\]*+(?:\\.[^'\\]*+)*+)(?:'|\\?\Z)""", re.DOTALL)
"""A text in either quotes; one that never ends reaches to the end, so that no part of it is read twice."""
_QUOTE = re.compile(r"\\(.)|\"", re.DOTALL)


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


def in_double_quotes(text: str) -> str:
    """JSON whose texts may be in single quotes, as JSON has it; what is in double quotes stays as it is."""
    return _TOKEN.sub(lambda found: found[0] if found[1] is None else f'"{_QUOTE.sub(_quote, found[1])}"', text)


def _quote(found: re.Match[str]) -> str:
    if found[1] is None:
        return r"\""
    return "'" if found[1] == "'" else found[0]


def parse_json(body: bytes) -> object:
    """The body's JSON value. Raises Refused (400) for anything that is not JSON, in single quotes or in double ones."""
    try:
        try:
            return json.loads(body)
        except json.JSONDecodeError:
            if b"'" not in body:
                raise
        return json.loads(in_double_quotes(body.decode()))
    except (ValueError, RecursionError) as error:
        message = f"Invalid JSON payload received. {error}"
        raise Refused(400, message) from error
