"""Texts that are proven in columns are the ones that JSON has, and are written as canonical JSON writes them."""

from __future__ import annotations

import json
import random

import pytest

from batchctl.model.canonical import canonical_json
from batchctl.model.forms.gap_texts import Gap, prove
from batchctl.model.wire_json import wire_json

PIECES = [
    *(b"a", b"xyz" * 30, b" ", b"/", b"{", b",", b"%b", "é".encode(), "Ж".encode(), "😀".encode(), "\u2028".encode()),
    *(
        b'\\"',
        b"\\\\",
        b"\\/",
        b"\\n",
        b"\\t",
        b"\\u0041",
        b"\\u00e9",
        b"\\u00E9",
        b"\\u0001",
        b"\\ud83d\\ude00",
        b"\\u005c",
    ),
]
BAD = [
    b'"',
    b"\\",
    b"\n",
    b"\x00",
    b"\x1f",
    b"\xff",
    b"\xed\xa0\x80",
    b"\\ud800",
    b"\\x41",
    b"\\u12",
    b'","',
    b'"\n"',
    b'"\x7f"',
    b"\\\x7f",
]
DOUBTFUL = [b"\x7f", b"\\u007f"]
"""Texts that JSON has, and that may be read one by one."""


@pytest.mark.parametrize("seed", range(60))
def test_texts_are_those_of_json(seed: int) -> None:
    draw = random.Random(seed)
    others = draw.choice([[], [], BAD, DOUBTFUL])
    column = [b"".join(draw.choices(PIECES, k=draw.randint(0, 4))) for _ in range(draw.randint(1, 9))]
    if others:
        place, text = draw.randrange(len(column)), draw.choice(others)
        at = draw.randint(0, len(column[place]))
        column[place] = column[place][:at] + text + column[place][at:]
    found = prove([Gap.TEXT], [column])
    values = [_value(text) for text in column]
    if None in values:
        assert found is None
    elif found is None:
        assert others is DOUBTFUL
    else:
        assert list(found.canonical[0]) == [canonical_json(value)[1:-1] for value in values]
        assert list(found.plain[0]) == [wire_json(value)[1:-1] for value in values]


def _value(text: bytes) -> str | None:
    """The text as Python reads it; None if it is none that can be sent."""
    try:
        found: str = json.loads(b'"' + text + b'"')
        found.encode()
    except ValueError:
        return None
    return found


@pytest.mark.parametrize(
    ("gap", "good", "bad"),
    [
        (Gap.TEXT, [b"", b"a"], [b'"']),
        (Gap.SOME_TEXT, [b"a", b"\\n"], [b""]),
        (Gap.BASE64, [b"", b"aGk=", b"_-+/"], [b"a=b", b"a\n", b'"']),
        (Gap.WHOLE, [b"0", b"-7", b"9" * 18], [b"-0", b"07", b"1.0", b"", b"9" * 19, b"1\n"]),
    ],
)
def test_each_gap_has_texts_of_its_own(gap: Gap, good: list[bytes], bad: list[bytes]) -> None:
    found = prove([gap], [good])
    assert found is not None
    assert list(found.canonical[0]) == list(found.plain[0]) == good
    for text in bad:
        for place in range(len(good) + 1):
            assert prove([gap], [[*good[:place], text, *good[place:]]]) is None, text


def test_two_wrong_texts_do_not_make_up_for_each_other() -> None:
    assert prove([Gap.TEXT], [[b"a\\", b' "b', b"c"]]) is None
    assert prove([Gap.TEXT], [[b'a"', b'"b']]) is None
    assert prove([Gap.TEXT], [[b'a","b', b"c"]]) is None
    assert prove([Gap.WHOLE, Gap.TEXT], [[b"1", b"2"], [b"a", b'"']]) is None
