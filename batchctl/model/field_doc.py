"""The documentation of one field of a manifest or of the stack file, as its schema has it."""

from __future__ import annotations

from msgspec import Struct

from batchctl.model.json_value import Json


class FieldDoc(Struct, frozen=True):
    """One field, with those inside of it."""

    name: str
    type: str
    """`integer`, `[]string`, `map[string]string`, `object`, `string or object`."""
    description: str
    is_required: bool = False
    has_default: bool = False
    default: Json = None
    allowed: tuple[Json, ...] = ()
    """The allowed values; empty: not a list of values."""
    range: str = ""
    """The bounds of a number, or the form of a text; empty without any."""
    example: Json = None
    fields: tuple[FieldDoc, ...] = ()
    """The fields inside, down to where a form contains itself."""


class KindDoc(Struct, frozen=True):
    """A field, and the kind of document that it belongs to."""

    kind: str
    path: str
    """From the root of the document, with dots; empty for the document itself."""
    field: FieldDoc
