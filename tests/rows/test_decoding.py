"""The fast reader of lines gives what the strict one gives: the same value, or the same reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchctl.rows import jsonl
from batchctl.rows.jsonl import parse_json

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**40), 10**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["", '"', "\\", "\x7f", "é", "😀", "\u2028", "a\nb", '{"a": 1}']),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "é", '"', ""]), inner),
    max_leaves=12,
)
SNIPPETS = st.sampled_from(
    [
        b'"a":1,',
        b'"a": 2, "a": 3',
        b'{"b":1,"b":1}',
        b"\\u0022",
        b"\\u0022\\u0022",
        b"\\ud800",
        b"\\ude00",
        b"\\ud83d\\ude00",
        b"\\u",
        b"\\x41",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
        b"\x00",
        b"\x1f",
        b"\t",
        b"\x0b",
        b"\n",
        b" ",
        b"NaN",
        b"-Infinity",
        b"1e400",
        b"-1e-400",
        b"1E+2",
        b"-0",
        b"-0.0",
        b"01",
        b"1.",
        b".5",
        b"9" * 30,
        b"9" * 5000,
        b"[" * 120,
        b"[" * 60 + b"]" * 60,
        b"[" * 101 + b"]" * 101,
        b"]" * 60,
        b'{"a":' * 50,
        b"}" * 50,
        b"{}",
        b",",
        b":",
        b'"',
        b"'",
        b"//",
    ]
)


def outcome(read: Any, raw: bytes) -> str:
    """The value, with the types of its numbers, or the error."""
    try:
        return repr(read(raw))
    except ValueError as error:
        return f"{type(error).__name__}: {error}"


def agree(raw: bytes) -> None:
    assert outcome(parse_json, raw) == outcome(jsonl._parse_strictly, raw)


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_values(value: Any, ascii_: bool, indent: int | None) -> None:
    try:
        raw = json.dumps(value, ensure_ascii=ascii_, indent=indent).encode()
    except UnicodeEncodeError:
        return
    agree(raw)
    assert repr(parse_json(raw)) == repr(json.loads(raw))


@given(VALUES, st.lists(st.tuples(st.integers(0, 80), st.integers(0, 3), SNIPPETS), min_size=1, max_size=3))
def test_damaged_values(value: Any, damage: list[tuple[int, int, bytes]]) -> None:
    raw = json.dumps(value, ensure_ascii=True).encode()
    for place, cut, put in damage:
        raw = raw[:place] + put + raw[place + cut :]
    agree(raw)


@pytest.mark.parametrize(
    "raw",
    [
        # A repeated member takes its quotes with it, and escaped quotes bring some.
        rb'{"a": "\u0022\u0022\u0022\u0022", "a": "\u0022\u0022"}',
        rb'{"a": "\u0022\u0022", "b": {"a": 1, "a": 1}}',
        rb'{"a": "\\u0022"}',
        rb'{"\u0061": 1, "a": 2}',
        b'{"a": 1, "a": 1}',
        b'{"": 1, "": 1}',
        b'[{"a": 1}, {"a": 1}]',
        b'{"a": [1.0, 1, 1e0, -0, -0.0, 1E5, 1e22, 1e23, 5e-324, 0.1e-6]}',
        b"123456789012345678901234567890",
        b"[" * 100 + b"]" * 100,
        b"[" * 101 + b"]" * 101,
        b"{}",
        b"",
        b"\xef\xbb\xbf{}",
        b"{} \x0b",
    ],
)
def test_texts_that_two_readers_may_take_differently(raw: bytes) -> None:
    agree(raw)


def test_a_line_of_many_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "LINE_VALUES", 4)
    for raw in (b'{"a": [1, 2]}', b'{"a": [1, 2, 3]}', b'{"a": ",,,,,,"}'):
        agree(raw)


def test_usual_lines_take_the_fast_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(raw: bytes) -> None:
        raise AssertionError(raw)

    monkeypatch.setattr(jsonl, "_parse_strictly", never)
    for value in ({"key": "a", "text": 'é "quoted"\n'}, {"key": "a", "request": {"temperature": 0.5, "n": [1, None]}}):
        for ascii_ in (True, False):
            assert parse_json(json.dumps(value, ensure_ascii=ascii_).encode()) == value
