"""Writes what the schemas of manifests say of requests, from the model of requests in `batchctl.model.request`.

Run it after a change there: `python docs/generate_schemas.py`. A test holds the files against it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from batchctl.model.kinds import Kind
from batchctl.model.request.catalogue import MESSAGES, ROOTS
from batchctl.model.request.fields import (
    Boolean,
    Choice,
    Duration,
    Each,
    Field,
    Free,
    Integer,
    Message,
    Named,
    Number,
    Of,
    Text,
    Value,
)
from batchctl.model.request.spelling import snake_case

Schema: TypeAlias = dict[str, Any]

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"
FILES = {Kind.BATCH_JOB: "batchjob", Kind.EMBEDDINGS_BATCH_JOB: "embeddingsbatchjob"}
OF_EACH_ROW = ("contents", "content", "model")
"""What a row has of its own, and defaults cannot give."""
ABOUT_DEFAULTS = (
    "Defaults put under every row that batchctl itself sends (rows in the manifest and local files); the row wins."
)
IN_SNAKE_CASE = {"^[a-z]+(_[a-z]+)+$": {"description": "A member in snake_case, which counts like its camelCase name."}}
INSTRUCTION = {"type": "string", "minLength": 1}


def definition_name(message: str) -> str:
    """The name of a message among the definitions of a schema."""
    return message[0].lower() + message[1:]


def type_of(value: Value) -> Schema:
    """The schema of a value, without a description."""
    match value:
        case Of(name):
            return {"$ref": f"#/definitions/{definition_name(name)}"}
        case Each(item, least):
            return {"type": "array", "items": {"description": "One entry.", **type_of(item)}} | bound(
                minItems=least or None
            )
        case Named(inner):
            return {"type": "object", "additionalProperties": type_of(inner)}
        case Free(takes):
            return {"type": list(takes) if len(takes) > 1 else takes[0]}
        case _:
            return scalar_type(value)


def scalar_type(value: Value) -> Schema:
    """The schema of a value that is no list and no object."""
    match value:
        case Choice(values, is_closed):
            known = {"enum": list(values)}
            return known if is_closed else {"anyOf": [known, {"type": "string"}]}
        case Boolean():
            return {"type": "boolean"}
        case Integer(least, most):
            return {"type": "integer"} | bound(minimum=least, maximum=most)
        case Number(least, most):
            return {"type": "number"} | bound(minimum=least, maximum=most)
        case Text(pattern, says, non_empty):
            return {"type": "string"} | bound(minLength=1 if non_empty else None) | worded(pattern, says)
        case Duration():
            return {"type": "string"} | worded(r"^-?[0-9]+(\.[0-9]{1,9})?s$", "must be seconds, such as 1.5s")
        case _:
            return {"type": "string"}


def bound(**bounds: float | None) -> Schema:
    """The bounds that are given."""
    return {name: value for name, value in bounds.items() if value is not None}


def worded(pattern: str, says: str) -> Schema:
    """A pattern with the sentence for what does not match it."""
    return {"pattern": pattern, "patternErrorMessage": says} if pattern else {}


def field_schema(field: Field) -> Schema:
    """The schema of one member. Null takes a default away, so every optional member may be null."""
    only = f"{field.only.value.capitalize()} only: " if field.only is not None else ""
    missing = f"Undocumented on {field.undocumented_on.value.capitalize()}: " if field.undocumented_on else ""
    text = only + missing + field.description
    schema = type_of(field.value)
    if "$ref" in schema or "anyOf" in schema:
        options = schema.get("anyOf", [schema])
        schema = {"description": text, "anyOf": [*options, {"type": "null"}]}
    elif not field.is_required:
        types = schema.get("type", [])
        schema = {"description": text, **schema}
        if types:
            schema["type"] = [*(types if isinstance(types, list) else [types]), "null"]
        else:
            schema["enum"] = [*schema["enum"], None]
    else:
        schema = {"description": text, **schema}
    return schema | ({"examples": list(field.examples)} if field.examples else {})


def message_schema(message: Message) -> Schema:
    """The schema of one message."""
    schema: Schema = {
        "description": message.description,
        "type": "object",
        "additionalProperties": False,
        "properties": {field.name: field_schema(field) for field in message.fields},
        "patternProperties": IN_SNAKE_CASE,
    }
    needed = [field.name for field in message.fields if field.is_required and snake_case(field.name) == field.name]
    if needed:
        schema["required"] = needed
    if message.exactly_one:
        schema["minProperties"] = 1
    return schema | ({"examples": list(message.examples)} if message.examples else {})


def request_schema(kind: Kind) -> Schema:
    """The schema of `spec.request` for rows of one kind."""
    root = ROOTS[kind]
    properties = {field.name: field_schema(field) for field in root.fields if field.name not in OF_EACH_ROW}
    if "systemInstruction" in properties:
        options = properties["systemInstruction"]["anyOf"]
        properties["systemInstruction"]["anyOf"] = [INSTRUCTION, *options]
        properties["systemInstruction"]["examples"] = ["You are a translator."]
    examples = {
        Kind.BATCH_JOB: {"systemInstruction": "You are a translator.", "generationConfig": {"temperature": 0.2}},
        Kind.EMBEDDINGS_BATCH_JOB: {
            "embedContentConfig": {"taskType": "RETRIEVAL_DOCUMENT", "outputDimensionality": 768}
        },
    }
    return {
        "description": ABOUT_DEFAULTS,
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": properties,
        "patternProperties": IN_SNAKE_CASE,
        "examples": [examples[kind]],
    }


def reached(schema: object, names: Mapping[str, str]) -> Iterator[str]:
    """The messages that a schema refers to, by the names of their definitions."""
    if isinstance(schema, dict):
        name = names.get(str(schema.get("$ref", "")).removeprefix("#/definitions/"))
        if name is not None:
            yield name
        for member in schema.values():
            yield from reached(member, names)
    elif isinstance(schema, list):
        for item in schema:
            yield from reached(item, names)


def definitions(kind: Kind) -> Schema:
    """The definitions of `request` and of every message that it can hold."""
    names = {definition_name(name): name for name in MESSAGES}
    found = {"request": request_schema(kind)}
    left = sorted(set(reached(found["request"], names)))
    while left:
        name = left.pop()
        if definition_name(name) not in found:
            found[definition_name(name)] = message_schema(MESSAGES[name])
            left += sorted(set(reached(found[definition_name(name)], names)))
    return dict(sorted(found.items()))


def defaults_properties() -> Schema:
    """The members of `request` among a stack's defaults: those of both kinds."""
    return {
        field.name: {"$ref": f"{FILES[kind]}.schema.json#/definitions/request/properties/{field.name}"}
        for kind, root in ROOTS.items()
        for field in root.fields
        if field.name not in OF_EACH_ROW
    }


def current(name: str) -> str:
    """What a schema file should hold."""
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    ours = {definition_name(message) for message in MESSAGES} | {"request"} | OUTDATED
    for kind, file in FILES.items():
        if file == name:
            kept = {key: value for key, value in schema.get("definitions", {}).items() if key not in ours}
            schema["definitions"] = kept | definitions(kind)
    if name == "stack":
        request = schema["definitions"]["request"]
        request["properties"] = defaults_properties()
        request["patternProperties"] = IN_SNAKE_CASE
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


OUTDATED = {"speechConfig", "voiceConfig"}
"""Definitions of former releases, written by hand."""
NAMES = (*FILES.values(), "stack")


def main() -> None:
    """Write the files."""
    for name in NAMES:
        (SCHEMAS / f"{name}.schema.json").write_text(current(name), encoding="utf-8")


if __name__ == "__main__":
    main()
