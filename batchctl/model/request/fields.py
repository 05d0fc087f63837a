"""The words in which requests are described: fields, the values they take, and messages made of fields."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from msgspec import Struct

from batchctl.model.keys import Api


class Text(Struct, frozen=True):
    """A string. `pattern` and `says` bound what batchctl lets through; `non_empty` forbids the empty string."""

    pattern: str = ""
    says: str = ""
    non_empty: bool = False


class Base64(Struct, frozen=True):
    """Bytes in base64, standard or URL-safe, as protocol buffers take them in JSON."""


class Boolean(Struct, frozen=True):
    """true or false."""


class Integer(Struct, frozen=True):
    """An integer. JSON has 64-bit integers as strings; both forms are accepted."""

    least: int | None = None
    most: int | None = None


class Number(Struct, frozen=True):
    """Any number."""

    least: float | None = None
    most: float | None = None


class Duration(Struct, frozen=True):
    """A number of seconds as text, such as `1.5s`."""


class Choice(Struct, frozen=True):
    """One value of an enum. APIs grow: another value is a warning, not an error."""

    values: tuple[str, ...]
    is_closed: bool = False
    """Whether the API is known to refuse any other value. In another case, a value is a warning: it may be accepted."""
    instead: tuple[tuple[str, str], ...] = ()
    """Values that other APIs have, each with what to do about it."""


class Of(Struct, frozen=True):
    """A message, by its name in `catalogue.MESSAGES`."""

    message: str


class Each(Struct, frozen=True):
    """A list."""

    item: Value
    least: int = 0
    one_is_enough: bool = False
    """Whether the API takes one item in place of the list, as Google's samples for Vertex do with `parts`."""


class Named(Struct, frozen=True):
    """A mapping with names that the user chooses."""

    value: Value


class Free(Struct, frozen=True):
    """Any JSON: data of the user, or a schema. Names inside are the user's own and keep their spelling."""

    takes: tuple[str, ...] = ("object",)
    """Its types, as JSON Schema names them."""
    is_whole: bool = False
    """Whether a row's value replaces a default's as a whole: half of one schema and half of another means nothing."""


Value: TypeAlias = Text | Base64 | Boolean | Integer | Number | Duration | Choice | Of | Each | Named | Free

TEXT = Text()
BASE64 = Base64()
BOOLEAN = Boolean()
DURATION = Duration()
OBJECT = Free()
SCHEMA = Free(is_whole=True)
JSON_SCHEMA = Free(("object", "boolean"), is_whole=True)
TEXTS = Each(TEXT)


class Field(Struct, frozen=True):
    """One member of a message."""

    name: str
    """In camelCase, the spelling that the APIs document."""
    value: Value
    description: str
    only: Api | None = None
    """The one API that has it; None where both do."""
    is_required: bool = False
    required_on: Api | None = None
    """The one API that requires it; the other does without."""
    undocumented_on: Api | None = None
    """An API whose documents lack it although Google's SDK sends it there: a warning, because the API may accept it."""
    instead: str = ""
    """The replacement, if the API has deprecated the field."""
    examples: tuple[object, ...] = ()

    def is_needed(self, api: Api | None) -> bool:
        """Whether an API refuses a message without it."""
        return self.is_required or (api is not None and self.required_on is api)

    def is_on(self, api: Api | None) -> bool:
        """Whether an API has it; on an API that is not known, everything is let through."""
        return self.only is None or api is None or self.only is api


class Message(Struct, frozen=True):
    """One object of a request."""

    name: str
    description: str
    fields: tuple[Field, ...] = ()
    exactly_one: bool = False
    """Whether one member has to be given, and the API refuses an object with none."""
    alternatives: frozenset[str] = frozenset()
    """Members that exclude each other: a `oneof`, of which JSON may have one member (proto-JSON, reference 1.2)."""
    examples: tuple[object, ...] = ()


def message(
    name: str,
    description: str,
    *fields: Field,
    exactly_one: bool = False,
    alternatives: Iterable[str] = (),
    examples: Sequence[object] = (),
) -> Message:
    """A message with its fields in the order in which docs show them."""
    return Message(name, description, fields, exactly_one, frozenset(alternatives), tuple(examples))


def choice(*values: str) -> Choice:
    """An enum with these values."""
    return Choice(values)


def both(name: str, value: Value, description: str) -> Field:
    """A field that both APIs have."""
    return Field(name, value, description)


def example(name: str, value: Value, description: str, *examples: object, only: Api | None = None) -> Field:
    """A field with values that show how it is written."""
    return Field(name, value, description, only, examples=examples)


def gemini(name: str, value: Value, description: str) -> Field:
    """A field that only the Gemini Developer API has."""
    return Field(name, value, description, Api.GEMINI)


def vertex(name: str, value: Value, description: str) -> Field:
    """A field that only Vertex AI has."""
    return Field(name, value, description, Api.VERTEX)


def undocumented_on_vertex(name: str, value: Value, description: str) -> Field:
    """A field that both APIs may have: the documents of Vertex AI lack it, and Google's SDK sends it there."""
    return Field(name, value, description, undocumented_on=Api.VERTEX)


def required(name: str, value: Value, description: str) -> Field:
    """A field that has to be there."""
    return Field(name, value, description, is_required=True)


def needed_on_vertex(name: str, value: Value, description: str) -> Field:
    """A field that both APIs have, and that Vertex AI requires."""
    return Field(name, value, description, required_on=Api.VERTEX)


def deprecated(name: str, value: Value, instead: str, *, only: Api | None = None) -> Field:
    """A field that the API still takes, and advises against."""
    return Field(name, value, f"Deprecated: use {instead}.", only, instead=instead)
