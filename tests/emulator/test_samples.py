"""Answers to requests for JSON fit the schema."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from batchctl.emulator.samples import sample
from tests.support.embedded_emulator import MODEL, World

TREE = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"value": {"type": "integer"}, "below": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
            "required": ["value", "below"],
        }
    },
}
PARTS = {
    "allOf": [
        {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
        {"properties": {"b": {"const": "x"}}, "required": ["b"]},
    ]
}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"type": "string", "maxLength": 5}}, "required": ["a", "other"]},
        {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3, "maximum": 9}}},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        {"type": "number", "exclusiveMinimum": 0},
        {"type": "integer", "exclusiveMinimum": 4},
        {"type": "integer", "exclusiveMaximum": 0},
        {"type": "number", "maximum": -1.5},
        {"type": "integer", "multipleOf": 7, "minimum": 10},
        {"type": "number", "minimum": 0.5, "maximum": 0.5},
        {"type": "number", "minimum": 0.25, "maximum": 0.75},
        TREE,
        PARTS,
        {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False, "minItems": 2},
        {"type": "array", "items": {"type": "string"}, "maxItems": 0},
        {"type": "array", "items": {"enum": ["p"]}, "minItems": 3},
        {"oneOf": [{"type": "null"}, {"type": "string"}]},
        {"anyOf": [{"$ref": "#/$defs/q"}], "$defs": {"q": {"enum": [4]}}},
        {"type": ["null", "boolean"]},
        {"type": "string", "format": "date"},
        {"type": "string", "minLength": 40},
        {"type": "string", "maxLength": 0},
        {"items": {"type": "integer"}},
        {},
    ],
)
def test_a_sample_fits_its_schema(schema: dict[str, Any]) -> None:
    checker = jsonschema.FormatChecker()
    jsonschema.Draft202012Validator(schema, format_checker=checker).validate(sample(schema, "an answer"))


@pytest.mark.parametrize(
    "schema",
    [
        True,
        None,
        {"$ref": "#"},
        {"$ref": "#/nowhere/else"},
        {"anyOf": [{"$ref": "#"}]},
        {"allOf": [5, {"allOf": [{"$ref": "#"}]}]},
        {"type": "array", "items": {"$ref": "#"}, "minItems": 3},
        {"type": "array", "items": {"$ref": "#"}, "minItems": 100},
        {"allOf": [{"$ref": "#"}] * 100},
        {"type": "array", "minItems": "many"},
        {"type": "array", "minItems": 10**30},
        {"type": "string", "minLength": 1e300},
        {"type": "integer", "minimum": 1e300, "multipleOf": 3},
        {"type": "integer", "minimum": True, "maximum": "x"},
        {"type": "object", "properties": [], "required": "a"},
    ],
)
def test_an_unusual_schema_gets_a_short_answer(schema: object) -> None:
    assert len(json.dumps(sample(schema, "an answer"))) < 1_000_000


def test_answers_have_the_schema_of_the_request(world: World) -> None:
    asked = {
        "type": "OBJECT",
        "properties": {
            "score": {"type": "NUMBER", "minimum": 1, "maximum": 5},
            "tags": {"type": "ARRAY", "items": {"type": "STRING", "enum": ["a", "b"]}, "minItems": "2"},
            "sure": {"type": "BOOLEAN"},
        },
        "required": ["score", "tags", "sure"],
    }
    config = {"responseMimeType": "application/json", "responseSchema": asked}
    request = {"contents": [{"parts": [{"text": "rate it"}]}], "generationConfig": config}
    job = world.post_batch(MODEL, {"inputConfig": {"requests": {"requests": [{"request": request}]}}})
    world.finish(job)
    (part,) = world.inline_results(job)[0]["response"]["candidates"][0]["content"]["parts"]
    assert json.loads(part["text"]) == {"score": 3, "tags": ["a", "a"], "sure": True}
