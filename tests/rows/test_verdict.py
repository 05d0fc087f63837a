"""The verdict on a row, by tables of values; and that no JSON whatever makes it fail."""

from __future__ import annotations

import io
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchctl.model.json_value import Json
from batchctl.model.verdicts import FINISH_REASONS, RowVerdict
from batchctl.rows.expectation import ANYTHING, UNSEEN, Expectation, Expectations, asked_of, expectation_of
from batchctl.rows.verdict import verdict

ASK: Json = [{"role": "user", "parts": [{"text": "?"}]}]
CITY = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]}
IMAGE = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
SOUND = {"inline_data": {"mime_type": "audio/L16;rate=24000", "data": "AAAA"}}
CALL = {"functionCall": {"name": "f", "args": {}}}


def text(value: str, **more: Json) -> Json:
    return {"text": value, **more}


def answer(*parts: Json, reason: Json = "STOP", **more: Json) -> Json:
    return {"candidates": [{"content": {"parts": list(parts), "role": "model"}, "finishReason": reason}], **more}


def asked(**config: Json) -> Expectation:
    return expectation_of(asked_of({"contents": ASK, "generationConfig": config}))


def asks_json(**config: Json) -> Expectation:
    return asked(responseMimeType="application/json", **config)


@pytest.mark.parametrize("code", sorted(FINISH_REASONS))
def test_every_finish_reason_but_stop_is_bad_whatever_the_answer_holds(code: str) -> None:
    assert verdict(answer(text("some text"), reason=code), None) is FINISH_REASONS[code]
    assert verdict({"candidates": [{"finishReason": code, "index": 0}]}, None) is FINISH_REASONS[code]
    assert verdict({"candidates": [{"finish_reason": code.lower()}]}, None) is FINISH_REASONS[code]


GENERATED = [
    ("text", answer(text("fine")), ANYTHING, "OK"),
    ("text in two parts", answer(text(""), text("fine")), ANYTHING, "OK"),
    ("one part without a list", {"candidates": [{"content": {"parts": text("fine")}}]}, ANYTHING, "OK"),
    ("one candidate without a list", {"candidates": {"content": {"parts": [text("fine")]}}}, ANYTHING, "OK"),
    ("no finish reason", answer(text("fine"), reason=None), ANYTHING, "OK"),
    ("an unspecified one", answer(text("fine"), reason="FINISH_REASON_UNSPECIFIED"), ANYTHING, "OK"),
    ("the number of STOP", answer(text("fine"), reason=1), ANYTHING, "OK"),
    ("the number of MAX_TOKENS", answer(text("fine"), reason=2), ANYTHING, "MAX_TOKENS"),
    ("a number that the APIs do not share", answer(text("fine"), reason=9), ANYTHING, "UNKNOWN_FINISH_REASON"),
    ("an unknown reason", answer(text("fine"), reason="TIRED"), ANYTHING, "UNKNOWN_FINISH_REASON"),
    ("thoughts before the text", answer(text("hm", thought=True), text("fine")), ANYTHING, "OK"),
    ("thoughts alone", answer(text("hm", thought=True)), ANYTHING, "THOUGHTS_ONLY"),
    ("blank text", answer(text(" \n")), ANYTHING, "NO_TEXT"),
    ("no part", answer(), ANYTHING, "NO_TEXT"),
    ("no content", {"candidates": [{"finishReason": "STOP"}]}, ANYTHING, "NO_TEXT"),
    ("code that was run, and no word", answer({"executableCode": {"code": "1"}}), ANYTHING, "NO_TEXT"),
    ("no candidate", {"candidates": [], "usageMetadata": {}}, ANYTHING, "NO_CANDIDATE"),
    ("usage alone", {"usageMetadata": {"promptTokenCount": 9}, "modelVersion": "m"}, ANYTHING, "NO_CANDIDATE"),
    ("an empty response", {}, ANYTHING, "NO_CANDIDATE"),
    ("a blocked prompt", {"promptFeedback": {"blockReason": "SAFETY"}}, ANYTHING, "PROMPT_BLOCKED"),
    ("in snake_case", {"prompt_feedback": {"block_reason": "JAILBREAK"}}, ANYTHING, "PROMPT_BLOCKED"),
    ("ratings alone", {"promptFeedback": {"safetyRatings": []}}, ANYTHING, "NO_CANDIDATE"),
    (
        "a block without a reason",
        {"promptFeedback": {"blockReason": "BLOCK_REASON_UNSPECIFIED"}},
        ANYTHING,
        "NO_CANDIDATE",
    ),
    ("ratings beside an answer", answer(text("fine"), promptFeedback={"safetyRatings": []}), ANYTHING, "OK"),
    ("a function call", answer(CALL), ANYTHING, "OK"),
    ("a call without tools", answer(CALL), asked(), "NO_TEXT"),
    ("an image, nothing asked", answer(IMAGE), ANYTHING, "OK"),
    ("an image where text was asked", answer(IMAGE), asked(responseModalities=["TEXT"]), "NO_TEXT"),
    ("an image as asked", answer(IMAGE), asked(responseModalities=["TEXT", "IMAGE"]), "OK"),
    ("text in place of an image", answer(text("no")), asked(responseModalities=["Text", "Image"]), "MISSING_MODALITY"),
    (
        "an image without data",
        answer({"inlineData": {"mimeType": "image/png"}}),
        asked(responseModalities=["IMAGE"]),
        "MISSING_MODALITY",
    ),
    ("audio as asked", answer(SOUND), asked(responseModalities="AUDIO"), "OK"),
    (
        "an image in a file",
        answer({"fileData": {"fileUri": "gs://b/i", "mimeType": "image/png"}}),
        asked(responseModalities=["IMAGE"]),
        "OK",
    ),
    ("a transcript", answer({"audioTranscription": {"text": "hello"}}), ANYTHING, "OK"),
    ("JSON", answer(text('{"a": 1}')), asks_json(), "OK"),
    ("JSON in two parts", answer(text('{"a"'), text(": 1}")), asks_json(), "OK"),
    ("half a JSON", answer(text('{"a":')), asks_json(), "INVALID_JSON"),
    ("JSON in a fence", answer(text('```json\n{"a": 1}\n```')), asks_json(), "INVALID_JSON"),
    ("NaN", answer(text("NaN")), asks_json(), "INVALID_JSON"),
    ("a number of 5,000 digits", answer(text("9" * 5000)), asks_json(), "OK"),
    ("JSON nested without an end", answer(text("[" * 100_000)), asks_json(), "INVALID_JSON"),
    ("half a JSON that was cut", answer(text('{"a":'), reason="MAX_TOKENS"), asks_json(), "MAX_TOKENS"),
    ("half a JSON, none asked", answer(text('{"a":')), asked(), "OK"),
    ("a match", answer(text('{"city": "Rome"}')), asks_json(responseSchema=CITY), "OK"),
    ("a member is missing", answer(text("{}")), asks_json(responseSchema=CITY), "SCHEMA"),
    ("another type", answer(text('{"city": 1}')), asks_json(responseSchema=CITY), "SCHEMA"),
    ("a schema alone asks for JSON", answer(text("Rome")), asked(response_schema=CITY), "INVALID_JSON"),
    (
        "another spelling",
        answer(text("{}")),
        asked(response_mime_type="application/json", response_schema=CITY),
        "SCHEMA",
    ),
    (
        "JSON Schema",
        answer(text('{"n": 7}')),
        asks_json(responseJsonSchema={"properties": {"n": {"maximum": 5}}}),
        "SCHEMA",
    ),
    (
        "JSON Schema, fine",
        answer(text('{"n": 5}')),
        asks_json(responseJsonSchema={"properties": {"n": {"maximum": 5}}}),
        "OK",
    ),
    ("its preview name", answer(text("1")), asks_json(_responseJsonSchema={"type": "string"}), "SCHEMA"),
    (
        "responseFormat",
        answer(text("1")),
        asked(responseFormat={"text": {"mimeType": "APPLICATION_JSON", "schema": {"type": "string"}}}),
        "SCHEMA",
    ),
    (
        "one of the choices",
        answer(text("red\n")),
        asked(responseMimeType="text/x.enum", responseSchema={"enum": ["red"]}),
        "OK",
    ),
    (
        "none of them",
        answer(text("pink")),
        asked(responseMimeType="text/x.enum", responseSchema={"enum": ["red"]}),
        "SCHEMA",
    ),
]


@pytest.mark.parametrize(("response", "expected", "code"), [pytest.param(*row[1:], id=row[0]) for row in GENERATED])
def test_generated_answers(response: Json, expected: Expectation, code: str) -> None:
    assert verdict(response, None, expected) == code


def test_a_call_is_an_answer_where_there_are_tools_or_a_cache_may_hold_them() -> None:
    for more in (
        {"tools": [{"functionDeclarations": []}]},
        {"cachedContent": "cachedContents/1"},
        {"cached_content": "c"},
    ):
        assert verdict(answer(CALL), None, expectation_of(asked_of({"contents": ASK, **more}))) == "OK"


def test_of_several_candidates_one_good_one_is_enough() -> None:
    good, cut = answer(text("fine"))["candidates"], answer(text("fi"), reason="MAX_TOKENS")["candidates"]
    safety = [{"finishReason": "SAFETY"}]
    assert verdict({"candidates": cut + good}, None) == "OK"
    assert verdict({"candidates": safety + cut}, None) == "SAFETY"


SCHEMAS = [
    ({"type": "STRING", "nullable": True}, "null", "OK"),
    ({"type": "STRING"}, "null", "SCHEMA"),
    ({"type": "STRING", "enum": ["a"], "nullable": True}, "null", "OK"),
    ({"type": "STRING", "enum": ["a"]}, '"b"', "SCHEMA"),
    ({"type": "ARRAY", "items": {"type": "INTEGER"}, "minItems": "2"}, "[1]", "SCHEMA"),
    ({"type": "ARRAY", "items": {"type": "INTEGER"}, "min_items": "2"}, "[1, 2]", "OK"),
    ({"type": "array", "items": {"type": "INTEGER"}}, '["x"]', "SCHEMA"),
    ({"anyOf": [{"type": "STRING"}, {"type": "NUMBER"}]}, "true", "SCHEMA"),
    ({"any_of": [{"type": "STRING"}], "nullable": True}, "null", "OK"),
    ({"type": "OBJECT", "properties": {"type": {"type": "STRING"}}}, '{"type": 1}', "SCHEMA"),
    ({"type": "OBJECT", "properties": {"anyOf": {"type": "STRING"}}}, '{"anyOf": "x", "more": 1}', "OK"),
    ({"type": "OBJECT", "additionalProperties": False}, '{"more": 1}', "SCHEMA"),
    ({"type": "STRING", "maxLength": "3", "pattern": "^a"}, '"abcd"', "SCHEMA"),
    ({"type": "NUMBER", "minimum": 0}, "-1", "SCHEMA"),
    ({"type": "STRING", "pattern": "[unclosed"}, '"b"', "OK"),
    ({"type": "STRING", "format": "date-time"}, '"no date"', "OK"),
    ({"type": "NONSENSE", "required": 5}, "1", "OK"),
    ({"ref": "#/defs/n", "defs": {"n": {"type": "INTEGER"}}}, '"x"', "SCHEMA"),
]


@pytest.mark.parametrize(("schema", "said", "code"), SCHEMAS)
def test_the_openapi_subset(schema: Json, said: str, code: str) -> None:
    assert verdict(answer(text(said)), None, asks_json(responseSchema=schema)) == code


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "https://example.invalid/schema"},
        {"$ref": "#"},
        {"$ref": "#/nowhere"},
        {"type": 7},
        5,
        {"pattern": "("},
    ],
)
def test_a_schema_that_cannot_be_followed_checks_nothing_and_fetches_nothing(
    schema: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: pytest.fail("a schema was fetched"))
    assert verdict(answer(text("{}")), None, asks_json(responseJsonSchema=schema)) == "OK"


VECTOR = [0.5, -1, 2]
EMBEDDED = [
    ({"embedding": {"values": VECTOR}}, None, "OK"),
    ({"embedding": {"values": VECTOR}}, 3, "OK"),
    ({"embedding": {"values": VECTOR}}, "3", "OK"),
    ({"embedding": {"values": VECTOR}}, 768, "WRONG_DIMENSION"),
    ({"embeddings": [{"values": VECTOR}, {"values": VECTOR}]}, 3, "OK"),
    ({"embeddings": {"values": VECTOR}}, 3, "OK"),
    ({"predictions": [{"embeddings": {"statistics": {}, "values": VECTOR}}]}, 3, "OK"),
    ({"embedding": {"values": []}}, None, "NO_VECTOR"),
    ({"embedding": {}}, None, "NO_VECTOR"),
    ({"embedding": {"values": ["NaN"]}}, None, "NO_VECTOR"),
    ({"embedding": {"values": [True]}}, None, "NO_VECTOR"),
    ({"tokenCount": "2"}, None, "NO_VECTOR"),
    ({}, None, "NO_VECTOR"),
]


@pytest.mark.parametrize(("response", "dimensions", "code"), EMBEDDED)
@pytest.mark.parametrize("place", ["beside", "inside"])
def test_embeddings(response: Json, dimensions: Json, code: str, place: str) -> None:
    settings = {"outputDimensionality": dimensions}
    request = {"content": {}, **(settings if place == "beside" else {"embed_content_config": settings})}
    assert verdict(response, None, expectation_of(asked_of(request))) == code


PARTNERS = [
    ({"type": "message", "content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn"}, "OK"),
    ({"type": "message", "content": [{"type": "text", "text": "hi"}]}, "OK"),
    ({"type": "message", "content": [{"type": "text", "text": "h"}], "stop_reason": "max_tokens"}, "MAX_TOKENS"),
    ({"type": "message", "content": [{"type": "tool_use", "input": {}}], "stop_reason": "tool_use"}, "OK"),
    ({"type": "message", "content": [], "stop_reason": "end_turn"}, "NO_TEXT"),
    ({"type": "message", "content": [], "stop_reason": "refusal"}, "SAFETY"),
    ({"type": "message", "content": [], "stop_reason": "tired"}, "UNKNOWN_FINISH_REASON"),
    ({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}, "OK"),
    ({"choices": [{"message": {"content": "h"}, "finish_reason": "length"}]}, "MAX_TOKENS"),
    ({"choices": [{"message": {"content": None, "tool_calls": [{}]}, "finish_reason": "tool_calls"}]}, "OK"),
    ({"choices": [{"message": {"content": ""}, "finish_reason": "content_filter"}]}, "SAFETY"),
    ({"choices": [{"text": "hi", "finish_reason": "stop"}]}, "OK"),
    (
        {"status_code": 200, "body": {"choices": [{"message": {"content": "h"}, "finish_reason": "length"}]}},
        "MAX_TOKENS",
    ),
    ({"generation": "hi"}, "OK"),
]


@pytest.mark.parametrize(("response", "code"), PARTNERS)
def test_answers_of_other_publishers(response: Json, code: str) -> None:
    expected = expectation_of(asked_of({"messages": [{"role": "user", "content": "?"}]}))
    assert verdict(response, None, expected) == verdict(response, None) == code


ERRORS = [
    ({"code": 3, "message": "bad"}, "INVALID_ARGUMENT", False),
    ({"code": 8}, "RESOURCE_EXHAUSTED", True),
    ({"code": 13}, "INTERNAL", True),
    ({"code": 429}, "RESOURCE_EXHAUSTED", True),
    ({"code": 400, "status": "FAILED_PRECONDITION"}, "FAILED_PRECONDITION", False),
    ({"code": 9, "message": "Service agents are being provisioned (https://…)."}, "UNAVAILABLE", True),
    ({"code": 9, "message": 5}, "FAILED_PRECONDITION", False),
    ({"code": "unavailable"}, "UNAVAILABLE", True),
    ({"code": "503"}, "UNAVAILABLE", True),
    ({"code": "server_error", "message": "?"}, "UNKNOWN", True),
    ({"message": "?"}, "UNKNOWN", True),
    ({"code": 77}, "UNKNOWN", True),
    ({"code": True}, "UNKNOWN", True),
    ({}, "UNKNOWN", True),
]


@pytest.mark.parametrize(("error", "code", "is_transient"), ERRORS)
def test_errors(error: Json, code: str, is_transient: bool) -> None:
    found = verdict(None, error)
    assert (found, found.is_transient) == (code, is_transient)


def test_expectations_are_kept_on_disk_once_and_compiled_once() -> None:
    aside = io.BytesIO()
    kept = Expectations(aside)
    one = kept.place({"contents": ASK, "generationConfig": {"responseSchema": CITY}})
    size = len(aside.getvalue())
    for number in range(10):
        again = {"contents": [number], "generationConfig": {"seed": number, "response_schema": CITY}}
        assert kept.place(again) == one
    other = kept.place({"contents": ASK})
    assert (len(aside.getvalue()) > size, other != one) == (True, True)
    assert kept.at(one) is kept.at(one)
    assert kept.at(one).schema is not None
    assert kept.at(other).schema is None
    assert kept.at(UNSEEN) is ANYTHING
    assert kept.place(None) == UNSEEN


def test_rows_that_all_ask_for_something_else_are_still_judged_by_what_they_ask() -> None:
    kept = Expectations(io.BytesIO())
    places = [
        kept.place({"contents": ASK, "generationConfig": {"responseJsonSchema": {"const": n}}}) for n in range(5000)
    ]
    assert len(set(places)) == 5000
    for number in (0, 4999, 1, 0):
        found = kept.at(places[number])
        assert [verdict(answer(text(said)), None, found) for said in (str(number), "x")] == ["OK", "INVALID_JSON"]
        assert verdict(answer(text("-1")), None, found) == "SCHEMA"


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
WORDS = st.sampled_from(
    [
        "candidates", "content", "parts", "text", "thought", "finishReason", "STOP", "promptFeedback", "blockReason",
        "embedding", "embeddings", "values", "predictions", "choices", "message", "stop_reason", "body", "type",
        "functionCall", "inlineData", "mimeType", "data", "contents", "generationConfig", "responseSchema", "items",
        "responseJsonSchema", "responseMimeType", "application/json", "responseModalities", "properties", "required",
        "$ref", "#", "enum", "anyOf", "pattern", "minItems", "outputDimensionality", "tools", "code", "status", "format",
        "responseFormat", "schema", "STRING", "nullable", "multipleOf", "minimum",
    ]
)  # fmt: skip
VALUES = st.recursive(
    SCALARS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)


def objects() -> st.SearchStrategy[Json]:
    return st.dictionaries(WORDS, VALUES, max_size=4)


@given(objects(), objects())
def test_no_json_makes_it_fail(response: Json, request: Json) -> None:
    kept = Expectations(io.BytesIO())
    assert isinstance(verdict(response, None, kept.at(kept.place(request))), RowVerdict)
    assert isinstance(verdict(None, response), RowVerdict)


@given(st.lists(VALUES, max_size=2), objects(), VALUES)
def test_no_schema_makes_it_fail(parts: Json, schema: Json, said: Json) -> None:
    for name in ("responseSchema", "responseJsonSchema"):
        found = verdict(answer(*parts, text(str(said).replace("'", '"'))), None, asks_json(**{name: schema}))
        assert isinstance(found, RowVerdict)
