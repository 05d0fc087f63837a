"""What counts as the same request, however a server prints it again."""

from __future__ import annotations

import base64
import math
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchctl.rows.echo import forms
from tests.support.long_mode import effort


def same(one: Any, other: Any) -> str:
    """`exact`, `loose` or empty: how alike two requests are."""
    found, others = forms(one), forms(other)
    assert found is not None
    assert others is not None
    if found.exact == others.exact:
        assert found.loose == others.loose
        return "exact"
    return "loose" if found.loose == others.loose else ""


def config(**members: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "generationConfig": members}


def video(**members: Any) -> dict[str, Any]:
    return {"contents": [{"parts": [{"videoMetadata": members}]}]}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"generation_config": {"top_p": 0.5}}, {"generationConfig": {"topP": 0.5}}),
        ({"system_instruction": {"parts": []}}, {"systemInstruction": {"parts": []}}),
        (config(maxOutputTokens=512), config(maxOutputTokens="512")),
        (config(temperature=1), config(temperature=1.0)),
        (config(temperature=0.2), config(temperature=0.20)),
        (config(seed=-0.0), config(seed=0)),
        (config(seed=None), config()),
        (config(seed=10**20), config(seed=1e20)),
        (
            {"inlineData": {"mimeType": "i", "data": "-_8"}},
            {"inline_data": {"mime_type": "i", "data": "+/8="}},
        ),
        (
            {"generationConfig": {"responseSchema": {"type": "OBJECT", "properties": {"a": {"min_items": 1}}}}},
            {"generationConfig": {"responseSchema": {"properties": {"a": {"minItems": "1"}}, "type": "OBJECT"}}},
        ),
        ({"functionCall": {"args": {"n": 1, "m": 2}}}, {"function_call": {"args": {"m": 2.0, "n": 1.0}}}),
        ({"labels": {"a": "1", "b": "2"}}, {"labels": {"b": "2", "a": "1"}}),
        (video(startOffset="1s", endOffset="90s"), video(startOffset="1.0s", endOffset="90.000000000s")),
        (video(start_offset="0s"), video(startOffset="0.000s")),
        (video(endOffset="3.5s"), {"contents": [{"parts": [{"video_metadata": {"end_offset": "3.500s"}}]}]}),
        (video(endOffset="-0.5s"), video(endOffset="-00.50s")),
        (video(endOffset="100s"), video(endOffset="0100s")),
        ({"contents": {"parts": {"text": "a"}}}, {"contents": [{"parts": [{"text": "a"}]}]}),
        ({}, {}),
    ],
)
def test_the_same_request_in_other_words(one, other):
    assert same(one, other) == "exact"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (config(temperature=0), config()),
        (config(maxOutputTokens="0"), config()),
        (config(responseLogprobs=False), config()),
        (config(stopSequences=[]), config()),
        (config(responseMimeType=""), config()),
        (config(thinkingConfig={"thinkingBudget": 0}), config()),
        (config(mediaResolution="MEDIA_RESOLUTION_UNSPECIFIED"), config()),
        (config(temperature=0.123456789), config(temperature=0.12345679)),
        (config(temperature=0.1), config(temperature=0.10000000149011612)),
        (config(temperature=0.99999999999), config(temperature=1)),
        ({**config(), "labels": {}}, config()),
        ({"contents": [{"role": "", "parts": []}]}, {"contents": [{}]}),
        ({"parameters": {"properties": {"a": {"nullable": False}}}}, {"parameters": {"properties": {"a": {}}}}),
        # An importer takes what looks like a number for one.
        ({"functionCall": {"args": {"a": 1}}}, {"functionCall": {"args": {"a": "1"}}}),
        ({"labels": {"a": "007"}}, {"labels": {"a": 7}}),
        ({"labels": {"a": "0.50"}}, {"labels": {"a": 0.5}}),
        ({"contents": [{"parts": [{"text": "0012"}]}]}, {"contents": [{"parts": [{"text": 12}]}]}),
        ({"contents": [{"parts": [{"text": "-1.10"}]}]}, {"contents": [{"parts": [{"text": -1.1}]}]}),
        ({"contents": [{"parts": [{"text": "1e3"}]}]}, {"contents": [{"parts": [{"text": 1000}]}]}),
    ],
)
def test_defaults_and_far_digits_are_told_apart_by_the_exact_form_only(one, other):
    assert same(one, other) == "loose"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (config(temperature=0.2), config(temperature=0.3)),
        (config(seed=16777216), config(seed=16777217)),
        (config(seed=True), config(seed=1)),
        (config(temperature=1e300), config(temperature=1e301)),
        ({"contents": [{"parts": [{"text": "a"}]}]}, {"contents": [{"parts": [{"text": "b"}]}]}),
        ({"contents": [{"parts": [{"text": "a_b"}]}]}, {"contents": [{"parts": [{"text": "aB"}]}]}),
        ({"contents": [1, 2]}, {"contents": [2, 1]}),
        ({"contents": [""]}, {"contents": []}),
        ({"text": "-_8"}, {"text": "+/8"}),
        (video(endOffset="1s"), video(endOffset="1.000000001s")),
        (video(endOffset="0.5s"), video(endOffset="-0.5s")),
        (video(endOffset="1e1s"), video(endOffset="10s")),
        (video(endOffset="1 s"), video(endOffset="1s")),
        # Only those fields hold spans of time, and only there.
        ({"text": "1.0s"}, {"text": "1s"}),
        ({"contents": [{"parts": [{"startOffset": "1.0s"}]}]}, {"contents": [{"parts": [{"startOffset": "1s"}]}]}),
        ({"labels": {"endOffset": "1.0s"}}, {"labels": {"endOffset": "1s"}}),
        (
            {"functionCall": {"args": {"videoMetadata": {"endOffset": "1.0s"}}}},
            {"functionCall": {"args": {"videoMetadata": {"endOffset": "1s"}}}},
        ),
        # What users name themselves has one spelling.
        ({"labels": {"a_b": "1"}}, {"labels": {"aB": "1"}}),
        ({"labels": {"a": ""}}, {"labels": {}}),
        ({"functionCall": {"args": {"a_b": 1}}}, {"functionCall": {"args": {"aB": 1}}}),
        ({"functionCall": {"args": {"a": 0}}}, {"functionCall": {"args": {}}}),
        ({"functionCall": {"args": {"a": None}}}, {"functionCall": {"args": {}}}),
        ({"functionCall": {"args": {"a": [0.1]}}}, {"functionCall": {"args": {"a": [0.10000000149011612]}}}),
        (
            {"functionResponse": {"response": {"a_b": 1}}},
            {"functionResponse": {"response": {"aB": 1}}},
        ),
        ({"responseSchema": {"properties": {"a_b": {}}}}, {"responseSchema": {"properties": {"aB": {}}}}),
        ({"responseSchema": {"properties": {"a": {}}}}, {"responseSchema": {"properties": {}}}),
        ({"responseSchema": {"properties": {"args": {"min_items": 1}}}}, {"responseSchema": {"properties": {}}}),
        ({"responseJsonSchema": {"any_of": 1}}, {"responseJsonSchema": {"anyOf": 1}}),
        ({"responseSchema": {"default": 0}}, {"responseSchema": {}}),
        # Both spellings at once are no request of either.
        ({"top_p": 1, "topP": 2}, {"topP": 2}),
        ({"top_p": 1, "topP": 2}, {"top_p": 2, "topP": 1}),
        ({"x": math.nan}, {"x": "NaN"}),
        ({"x": math.inf}, {"x": "Infinity"}),
        ({"x": math.nan}, {}),
    ],
)
def test_other_requests(one, other):
    assert same(one, other) == ""
    assert same(other, one) == ""


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (config(), config(temperature=1), True),
        (config(), {**config(), "safetySettings": [{"category": "A"}]}, True),
        (config(), {"contents": [{"parts": [{"text": "hi"}]}]}, True),
        (config(), {"contents": [{"role": "model", "parts": [{"text": "hi"}]}]}, False),
        (config(), {"contents": [{"role": "user", "parts": [{"text": "ho"}]}]}, False),
        ({"content": {"parts": ["x"]}, "title": "a"}, {"content": {"parts": ["x"]}, "title": "b"}, True),
        ({"messages": [{"role": "user", "content": "a"}]}, {"messages": [{"role": "user", "content": "b"}]}, False),
        ({"messages": ["a"], "max_tokens": 1}, {"messages": ["a"], "max_tokens": 2}, True),
        ({"unknown": 1}, {"unknown": 2}, False),
    ],
)
def test_what_a_server_fills_in_does_not_change_what_was_asked(one, other, is_same):
    found, others = forms(one), forms(other)
    assert found is not None
    assert others is not None
    assert (found.core == others.core) == is_same


def test_the_fields_inside_a_schema_are_the_apis_whatever_the_users_names_are():
    def schema(field: str) -> Any:
        return {"response_schema": {"properties": {"labels": {"type": "ARRAY", field: 2}}}}

    assert same(schema("min_items"), schema("minItems")) == "exact"


def test_a_request_that_cannot_be_followed_has_no_form():
    deep: Any = {}
    for _ in range(100_000):
        deep = {"a": deep}
    assert forms(deep) is None
    assert forms({"n": 10**5000}) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(st.characters(), max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=6), inner, max_size=4)
    ),
)


@settings(max_examples=effort(30, 1500))
@given(st.dictionaries(st.text(st.characters(), max_size=6), JSON, max_size=4))
def test_any_request_has_forms(request):
    assert forms(request) == forms(dict(reversed(request.items())))


NAMES = ["topP", "maxOutputTokens", "generationConfig", "parts", "text", "labels", "args", "properties", "data", "x1y"]
MESSAGES = st.recursive(
    st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | st.text(max_size=6)
    | st.binary(max_size=5).map(lambda raw: base64.b64encode(raw).decode()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
)


def reprinted(value: Any, chance: random.Random, field: str = "") -> Any:
    """The value as another printer may write it: names, order and numbers; what users made up keeps its names."""
    if isinstance(value, dict):
        named = field in ("labels", "args", "properties")
        pairs = [(name, member) for name, member in value.items()]
        chance.shuffle(pairs)
        free = field in ("labels", "args")
        return {
            name if named or chance.random() < 0.5 else snake(name): made_up(member)
            if free
            else reprinted(member, chance, "" if named else name)
            for name, member in pairs
        }
    if isinstance(value, list):
        return [made_up(item) if field in ("labels", "args") else reprinted(item, chance, field) for item in value]
    if field in ("labels", "args"):
        return made_up(value)
    if field == "data":
        return value  # bytes are no number
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return chance.choice([value, str(value), float(value)])
    return value


def made_up(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)


@settings(max_examples=effort(30, 1500))
@given(st.dictionaries(st.sampled_from(NAMES), MESSAGES, max_size=5), st.randoms(use_true_random=False))
def test_any_request_is_known_again_however_it_is_printed(request, chance):
    assert same(request, reprinted(request, chance)) == "exact"
