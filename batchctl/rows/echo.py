"""Forms of a request by which it is recognised in a reply.

Defines which requests are equal. A server that reads proto-JSON and prints it again may change spellings, the order
of members and the writing of numbers, and may leave out what has its default value. Two requests of one exact form
are the same work. Source: reference 1.2 (spelling), chapter 7 (members), 8.2 (echoed requests).
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import struct
from collections.abc import Mapping
from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct

from batchctl.model.json_value import Json
from batchctl.model.pattern import Pattern

_SNAKE = Pattern(r"_([a-z0-9])")
_FREE = frozenset(
    {"labels", "args", "default", "example", "responseJsonSchema", "parametersJsonSchema", "metadata", "headers"}
)
"""Fields with free values of the user: they have one spelling, and no defaults."""
_FREE_INSIDE = frozenset({("functionResponse", "response")})
"""Fields with free values inside one other field only."""
_NAMED_BY_USERS = frozenset({"properties", "$defs", "defs"})
"""Fields whose members have the user's names and the API's values."""
_BYTES = frozenset({"data", "thoughtSignature"})
"""Fields of bytes, which may be written in two alphabets, with padding or without."""
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")
_TO_STANDARD = str.maketrans("-_", "+/", "=")
_DURATIONS = frozenset({("videoMetadata", "startOffset"), ("videoMetadata", "endOffset")})
"""Fields of spans of time, each inside which other one: written with any number of zeros, such as `1s` and `1.0s`."""
_DURATION = Pattern(r"(-?[0-9]{1,12}(?:\.[0-9]{1,9})?)s")
_REPEATED = frozenset({"contents", "parts", "tools", "safetySettings", "functionDeclarations"})
"""Lists of messages, in place of which one message may be written alone."""
_ASKED = ("contents", "content", "messages", "input", "prompt")
"""The members with the question; the last three are those of other publishers' models."""
_NUMBER = Pattern(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?")
_UNSPECIFIED = "_UNSPECIFIED"
"""The end of the name of an enum's default value."""
_DIGEST_SIZE = 8

_Both: TypeAlias = tuple[Json, Json]
"""A value in its exact and in its loose form."""


class Forms(Struct, frozen=True):
    """Fingerprints of one request, of 64 bits: two of a million rows meet by chance in one job of thirty million."""

    exact: int
    """Neither spelling, nor order of members, nor the writing of numbers, spans of time and bytes changes it."""
    loose: int
    """Members with default values, digits beyond those of a 32-bit float, and numbers in place of texts that look like
    numbers do not change it either."""
    core: int
    """The question alone: members that a server adds beside it do not change it."""


def forms(request: Mapping[str, Json]) -> Forms | None:
    """The forms of a request; None for one that cannot be followed: nested too deeply, or with an absurd number."""
    try:
        exact, loose = _message(request, "")
        mark = _fingerprint(exact)
        asked = {name: _without_role(loose[name]) for name in _ASKED if name in loose}
        return Forms(mark, mark if loose == exact else _fingerprint(loose), _fingerprint(asked or {"whole": loose}))
    except (RecursionError, ValueError):
        return None


def form_beside(members: Mapping[str, Json]) -> int:
    """A fingerprint of the members beside a request, which an importer does not change; 0 if there are none."""
    given = {name: value for name, value in members.items() if value is not None}
    try:
        return _fingerprint(_made_up(given, loose=True)) if given else 0
    except (RecursionError, ValueError):
        return 0


def _without_role(contents: Json) -> Json:
    """The question without the default role."""
    if isinstance(contents, list):
        return [_without_role(content) for content in contents]
    if isinstance(contents, Mapping) and contents.get("role") == "user":
        return {name: value for name, value in contents.items() if name != "role"}
    return contents


def _fingerprint(value: Json) -> int:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return int.from_bytes(hashlib.blake2b(text.encode("ascii"), digest_size=_DIGEST_SIZE).digest(), "big")


def _message(value: Mapping[str, Json], field: str) -> _Both:
    """The API's own structure: names have two spellings, null and absent are the same."""
    exact: dict[str, Json] = {}
    loose: dict[str, Json] = {}
    spelled = {name: _camel(name) for name in value}
    is_clear = len(set(spelled.values())) == len(spelled)
    for name, member in value.items():
        if member is None:
            continue
        # Where both spellings stand side by side, neither may cover the other.
        inner = spelled[name] if is_clear else name
        is_lone = inner in _REPEATED and isinstance(member, Mapping)
        exact[inner], below = _field([member] if is_lone else member, inner, field)
        if not _is_default(below, free=inner in _FREE):
            loose[inner] = below
    return exact, loose


def _field(value: Json, field: str, outer: str) -> _Both:
    if field in _FREE or (outer, field) in _FREE_INSIDE:
        return _made_up(value), _made_up(value, loose=True)
    if isinstance(value, Mapping):
        if field not in _NAMED_BY_USERS:
            return _message(value, field)
        pairs = {name: _field(member, "", field) for name, member in value.items()}
        return {name: both[0] for name, both in pairs.items()}, {name: both[1] for name, both in pairs.items()}
    if isinstance(value, list | tuple):
        both = [_field(item, field, outer) for item in value]
        return [exact for exact, _ in both], [loose for _, loose in both]
    if isinstance(value, str):
        text = _standard_text(value, field, outer)
        return text, number_like(text, single=True)
    return _scalar(value)


def _made_up(value: Json, *, loose: bool = False) -> Json:
    """Free JSON with one spelling of whole numbers, because the APIs keep numbers as doubles."""
    if isinstance(value, Mapping):
        return {name: _made_up(member, loose=loose) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_made_up(item, loose=loose) for item in value]
    if loose and isinstance(value, str):
        return number_like(value)
    if loose:
        return _scalar(value)[0]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def number_like(text: str, *, single: bool = False) -> str:
    """A text as a server gives it back that takes it for a number, where it looks like one (reference chapter 16).

    `single`: as a 32-bit float keeps it.
    """
    if not _NUMBER.fullmatch(text):
        return text
    return str(int(text)) if text.lstrip("+-").isdigit() else str(_scalar(float(text))[single])


def _scalar(value: Json) -> _Both:
    """One spelling of numbers: 1, 1.0 and, for a 64-bit integer, "1" are the same."""
    if isinstance(value, bool) or value is None:
        return value, value
    if isinstance(value, int):
        return str(value), str(value)
    if not math.isfinite(value):
        return value, value
    if value.is_integer():
        whole = str(int(value))
        return whole, whole
    return repr(value), _single(value)


def _single(value: float) -> str:
    """The value rounded to a 32-bit float, the type of most number fields."""
    single: float = struct.unpack("f", struct.pack("f", value))[0]
    return str(int(single)) if single.is_integer() else repr(single)


def _is_default(value: Json, *, free: bool) -> bool:
    if free:
        return bool(value == {})
    if isinstance(value, str):
        return value in ("", "0") or value.endswith(_UNSPECIFIED)
    return value is False or value in ({}, [])


def _camel(name: str) -> str:
    return _SNAKE.sub(lambda found: found[1].upper(), name) if "_" in name else name


def _standard_text(text: str, field: str, outer: str) -> str:
    """A string in its standard spelling, if its field allows several."""
    if field in _BYTES:
        return _standard_bytes(text)
    duration = _DURATION.fullmatch(text) if (outer, field) in _DURATIONS else None
    return text if duration is None else f"{(Decimal(duration[1]) + 0).normalize():f}s"


def _standard_bytes(text: str) -> str:
    return text.translate(_TO_STANDARD) if _BASE64.fullmatch(text) else text
