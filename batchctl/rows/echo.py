"""Forms of a request in which it can be known again in a reply.

Owns what counts as the same request. A server that reads proto-JSON and prints it again may change spellings, the order
of members and the writing of numbers, and may leave out what has its default value. Source: reference 1.2 (spelling),
8.2 (echoed requests).
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping

from batchctl.model.desired import Json

_SNAKE = re.compile(r"_([a-z0-9])")
_USERS_OWN = frozenset(
    {
        "labels",
        "properties",
        "$defs",
        "args",
        "response",
        "responseJsonSchema",
        "parametersJsonSchema",
        "responseSchema",
        "metadata",
    }
)
"""Members whose own members are named by the user: their names are not spellings of anything."""


def exact_form(request: Mapping[str, Json]) -> bytes:
    """A fingerprint that spelling, order of members and the writing of numbers do not change."""
    return _fingerprint(_canonical(request, loose=False))


def loose_form(request: Mapping[str, Json]) -> bytes:
    """A fingerprint that members with default values do not change either."""
    return _fingerprint(_canonical(request, loose=True))


def _fingerprint(value: Json) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode("ascii"), digest_size=16).digest()


def _canonical(value: Json, *, loose: bool, own: bool = False) -> Json:
    if isinstance(value, Mapping):
        members = {}
        for name, member in value.items():
            spelled = name if own else _SNAKE.sub(lambda found: found[1].upper(), name)
            below = _canonical(member, loose=loose, own=own or spelled in _USERS_OWN)
            if below is None or (loose and not own and _is_default(below)):
                continue
            members[spelled] = below
        return members
    if isinstance(value, list):
        return [_canonical(item, loose=loose, own=own) for item in value]
    return value if own else _scalar(value)


def _scalar(value: Json) -> Json:
    """One writing for numbers: 1, 1.0 and, for a 64-bit integer, "1" are the same."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float):
        return repr(value)
    return value


def _is_default(value: Json) -> bool:
    return value in ("", "0", False, {}, [])
