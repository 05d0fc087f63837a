"""Resolves plain scalars by the core schema of YAML 1.2: no dates, no sexagesimals, no `yes` and `no`.

Source: YAML 1.2.2, section 10.3.2.
"""

from __future__ import annotations

import math

from batchctl.model.pattern import Pattern

_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
NOT_STRINGS = frozenset("~nNtTfF+-.0123456789")
"""The first characters of values that are not strings: a quick check that settles nearly all texts."""
_BASES = {"0o": (Pattern(r"0o[0-7]+"), 8), "0x": (Pattern(r"0x[0-9a-fA-F]+"), 16)}
_DECIMAL = Pattern(r"[-+]?[0-9]+"), 10
_FLOAT = Pattern(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = frozenset(f"{sign}.{word}" for sign in ("", "+", "-") for word in ("inf", "Inf", "INF")) | {
    ".nan",
    ".NaN",
    ".NAN",
}

LARGEST_INTEGER = 2**63 - 1
"""The largest int64 of the APIs. Python also refuses to read integers of thousands of digits."""
_MOST_DIGITS = 32
"""More than any integer in range has, in any base and with a sign."""


def resolve(text: str) -> bool | float | str | None:
    """The value of a plain scalar. Raises ValueError for a number that JSON or the APIs cannot represent."""
    if text and text[0] not in NOT_STRINGS:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text[0].isalpha():
        return text
    pattern, base = _BASES.get(text[:2], _DECIMAL)
    if pattern.fullmatch(text):
        return _integer(text, base)
    if text in _NOT_FINITE:
        raise ValueError("is not a number that JSON can represent")
    if _FLOAT.fullmatch(text):
        number = float(text)
        if math.isinf(number):
            raise ValueError("is a number that JSON readers cannot represent")
        return number
    return text


def _integer(text: str, base: int) -> int:
    number = LARGEST_INTEGER + 1 if len(text) > _MOST_DIGITS else int(text, base)
    if abs(number) > LARGEST_INTEGER:
        raise ValueError("is an integer beyond 64 bits")
    return number
