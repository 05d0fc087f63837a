"""`explain spec.lifecycle.backoffLimit`: a field as text, in kubectl's form, and as `batchctl/field/v1`."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator

from batchctl.model.field_doc import FieldDoc, KindDoc
from batchctl.model.json_value import Json
from batchctl.report.console import Console
from batchctl.report.layout import write_line
from batchctl.report.text import Text

_VERSION = "batchctl.dev/v1"
_WIDTH = 96
"""Columns of descriptions."""


def write_field(shown: KindDoc, console: Console, *, recursive: bool = False) -> None:
    """The field, and the fields inside; `recursive`: all of them as a tree, without descriptions."""
    field = shown.field
    write_line(console, f"KIND:     {shown.kind}")
    write_line(console, f"VERSION:  {_VERSION}")
    if shown.path:
        write_line(console)
        required = " -required-" if field.is_required else ""
        write_line(console, "FIELD:    ", (field.name, "bold"), f" <{field.type}>{required}")
    write_line(console)
    write_line(console, "DESCRIPTION:")
    _write_wrapped(console, field.description, 4)
    facts = list(_facts(field))
    if facts:
        write_line(console)
    for title, text in facts:
        write_line(console, f"{title:<10}{text}")
    if field.fields:
        write_line(console)
        write_line(console, "FIELDS:")
        if recursive:
            _write_tree(console, field, 2)
        else:
            _write_fields(console, field)


def field_document(shown: KindDoc) -> dict[str, Json]:
    """`batchctl/field/v1`: the field, and the fields inside, one level deep."""
    field = shown.field
    return {
        "format": "batchctl/field/v1",
        "kind": shown.kind,
        "path": shown.path,
        **_fields_of(field),
        **({"default": field.default} if field.has_default else {}),
        "allowed": list(field.allowed),
        "range": field.range or None,
        "example": field.example,
        "fields": [_fields_of(inner) for inner in field.fields],
    }


def _fields_of(field: FieldDoc) -> dict[str, Json]:
    return {
        "name": field.name,
        "type": field.type,
        "required": field.is_required,
        "description": field.description,
    }


def _facts(field: FieldDoc) -> Iterator[tuple[str, str]]:
    if field.has_default and field.default is not None:
        yield "DEFAULT:", _plain(field.default)
    if field.allowed:
        yield "ALLOWED:", ", ".join(_plain(value) for value in field.allowed)
    elif field.range:
        yield "ALLOWED:", field.range
    if field.example is not None:
        yield "EXAMPLE:", _plain(field.example)


def _plain(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _write_fields(console: Console, field: FieldDoc) -> None:
    for number, inner in enumerate(field.fields):
        if number:
            write_line(console)
        required = " -required-" if inner.is_required else ""
        write_line(console, "  ", (inner.name, "bold"), f" <{inner.type}>{required}")
        _write_wrapped(console, inner.description, 4)


def _write_tree(console: Console, field: FieldDoc, indent: int) -> None:
    for inner in field.fields:
        required = " -required-" if inner.is_required else ""
        write_line(console, " " * indent, Text(inner.name), f" <{inner.type}>{required}")
        _write_tree(console, inner, indent + 2)


def _write_wrapped(console: Console, text: str, indent: int) -> None:
    for line in textwrap.wrap(text, _WIDTH - indent, break_long_words=False, break_on_hyphens=False):
        write_line(console, " " * indent, line)
