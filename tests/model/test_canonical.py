"""Canonical JSON: the same bytes for years, however they are made."""

from __future__ import annotations

import json
from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchctl.model import canonical
from batchctl.model.canonical import canonical_json, compact_json
from batchctl.model.wire_json import wire_json

TEXTS = st.one_of(
    st.text(max_size=9),
    st.text(st.sampled_from('\\x"uU0é\x7f\x80ÿĀ\uffff😀\ue000\n\x00/'), max_size=12),
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=15,
)


def by_python(value: Any) -> bytes:
    """The definition: what Python's encoder writes, integral floats as integers."""

    def whole(one: Any) -> Any:
        if isinstance(one, dict):
            return {name: whole(member) for name, member in one.items()}
        if isinstance(one, list | tuple):
            return [whole(item) for item in one]
        return int(one) if isinstance(one, float) and one.is_integer() else one

    return json.dumps(whole(value), sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


@given(VALUES)
def test_any_value(value: Any) -> None:
    assert canonical_json(value) == by_python(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number(value: float) -> None:
    assert canonical_json([value, {"a": value}]) == by_python([value, {"a": value}])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1.0, "a": [1e5, 1e22, 0.1, 1e-7, 123456789.5]}, b'{"a":[100000,10000000000000000000000,0.1,1e-07,123456789.5],"b":1}'),
        ("é\\xe9 \\\\u005c \x7f 😀 \u2028 Ж", rb'"\u00e9\\xe9 \\\\u005c \u007f \ud83d\ude00 \u2028 \u0416"'),
        ("\ud800 half", rb'"\ud800 half"'),
        ({"\ue000": 1, "😀": 2, "é": 3, "z": 4}, rb'{"z":4,"\u00e9":3,"\ue000":1,"\ud83d\ude00":2}'),
        ((1, [2, (3,)]), b"[1,[2,[3]]]"),
        ({1: True, 2: None}, b'{"1":true,"2":null}'),
        ("\x00\x1f\b\f\n\r\t/", rb'"\u0000\u001f\b\f\n\r\t/"'),
        (2**63, b"9223372036854775808"),
    ],
)  # fmt: skip
def test_values_with_a_trap(value: Any, text: bytes) -> None:
    assert canonical_json(value) == text == by_python(value)


def test_enums_are_their_values() -> None:
    word, number = StrEnum("Word", {"A": "a"}), IntEnum("Number", {"ONE": 1})
    assert canonical_json({"a": [word.A, number.ONE]}) == b'{"a":["a",1]}'


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], {"a": -float("inf")}])
def test_what_json_cannot_represent_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="Out of range float values"):
        canonical_json(value)


@pytest.mark.parametrize("value", [b"bytes", {"a": object()}, [{1, 2}]])
def test_what_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical_json(value)


def test_usual_requests_take_the_fast_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canonical, "_dump", None)
    request = {
        "contents": [{"role": "user", "parts": [{"text": 'é "Ж" 😀'}]}],
        "generationConfig": {"temperature": 0.2},
    }
    assert canonical_json(request) == by_python(request)


@given(VALUES)
def test_wire_json_is_what_python_writes(value: Any) -> None:
    try:
        expected = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        with pytest.raises(UnicodeEncodeError):
            wire_json(value)
        return
    assert wire_json(value) == expected


@pytest.mark.parametrize("value", [float("nan"), {"a": float("inf")}, "\ud800", {"a": "\ud800"}])
def test_what_cannot_be_sent_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"not JSON compliant|surrogates not allowed"):
        wire_json(value)


@given(VALUES)
def test_compact_json_is_what_python_writes(value: Any) -> None:
    expected = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass")
    assert compact_json(value) == expected


@pytest.mark.parametrize("value", ["\ud800", {"\ud800": "a"}, 10**30, 1e300, 1.0, float("nan")])
def test_compact_json_writes_what_msgspec_does_not(value: Any) -> None:
    expected = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass")
    assert compact_json(value) == expected
