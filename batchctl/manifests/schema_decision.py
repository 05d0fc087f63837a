"""Decides whether a value is valid by a JSON Schema. Of a value that is not, `schema_check` finds the errors.

A schema becomes one function over the tree of values, made of the functions of its keywords. It knows the keywords of
draft 7 that the schemas of manifests use, and refuses all others. References are followed when a value needs them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import NoneType
from typing import Final, TypeAlias

from batchctl.manifests.nodes import Items, Members, Node, Scalar
from batchctl.manifests.schema import definition_of, read_schema, referred
from batchctl.model.json_value import Json

Decision: TypeAlias = Callable[[Node], bool]
"""Whether a value is valid."""

Schema: TypeAlias = Mapping[str, Json]

Compiled: TypeAlias = Callable[["_Compiler", Schema], Decision]
"""Makes the function of a keyword."""

LONGEST_MATCHED = 4096
"""Longer texts match no pattern: no valid name or duration is that long, and matching takes memory."""


def decision_by(schema: Schema) -> Decision:
    """The function that decides by a schema. Raises ValueError for a keyword that it does not know."""
    return _Compiler(schema).compiled(schema)


def decision_at(schema: Schema, path: Sequence[str]) -> Decision:
    """The function that decides whether a valid object may have another value at a path of names.

    Raises ValueError if more than the schema at that path decides about it.
    """
    compiler, part = _part_at(schema, path)
    return compiler.compiled(part)


def text_decision_at(schema: Schema, path: Sequence[str]) -> Callable[[str], bool]:
    """The same as `decision_at` for a value that is a text. Raises ValueError, too if the schema allows no text."""
    compiler, part = _part_at(schema, path)
    _, part = compiler.resolved(part)
    if "string" not in part.get("type", "string") or part.keys() - _OF_TEXTS - _NOTES:
        raise ValueError(f"more than the length and the pattern of a text decide about {path[-1]}")
    least, most = part.get("minLength", 0), part.get("maxLength", LONGEST_MATCHED if "pattern" in part else math.inf)
    search = _whole(part.get("pattern", "")).search
    return lambda text: least <= len(text) <= most and search(text) is not None


def _part_at(schema: Schema, path: Sequence[str]) -> tuple[_Compiler, Schema]:
    """The schema of the value at a path of names, and the compiler of its file."""
    compiler = _Compiler(schema)
    part: Json = schema
    for name in path:
        compiler, part = compiler.resolved(part)
        if part.keys() - _OF_NAMES - _NOTES:
            raise ValueError(f"the value of {name} is not decided by its own schema alone")
        part = part.get("properties", {}).get(name, part.get("additionalProperties"))
    return compiler, part


def matches(pattern: str, value: str, schema: Schema) -> bool:
    """`pattern` where `$` is the very end: Python allows a line end after it, and JSON Schema does not."""
    if len(value) > schema.get("maxLength", LONGEST_MATCHED):
        return "maxLength" in schema  # whose message is more helpful
    return _whole(pattern).search(value) is not None


@cache
def _whole(pattern: str) -> re.Pattern[str]:
    """The pattern of a schema. The cache of `re` takes longer than most matches."""
    return re.compile(pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern)


class _Compiler:
    """Compiles the parts of one schema. Definitions are compiled when a value first needs them, and once."""

    def __init__(self, root: Schema, files: dict[str, _Compiler] | None = None) -> None:
        self.root = root
        """The file."""
        self._files = {} if files is None else files
        """The compilers of other files, by name."""
        self._definitions: dict[str, Decision] = {}

    def compiled(self, schema: Schema) -> Decision:
        # By draft 7, nothing beside a reference counts.
        if "$ref" in schema:
            return self._reference(schema["$ref"])
        unknown = schema.keys() - _KEYWORDS.keys() - _NOTES
        if unknown:
            raise ValueError(f"unknown keywords: {', '.join(sorted(unknown))}")
        decisions = [compiled(self, schema) for keyword, compiled in _KEYWORDS.items() if keyword in schema]
        return decisions[0] if len(decisions) == 1 else _all(decisions)

    def resolved(self, schema: Schema) -> tuple[_Compiler, Schema]:
        """The schema itself, or the one that it refers to, and the compiler of its file."""
        compiler = self
        while "$ref" in schema:
            file, definition = referred(schema["$ref"])
            compiler = compiler.of_file(file) if file else compiler
            name, *steps = definition.split("/")
            schema = definition_of(compiler.root, name)
            for step in steps:
                schema = schema[step]
        return compiler, schema

    def of_file(self, name: str) -> _Compiler:
        """The compiler of another file."""
        if name not in self._files:
            self._files[name] = _Compiler(read_schema(name), self._files)
        return self._files[name]

    def _reference(self, reference: str) -> Decision:
        def decide(node: Node) -> bool:
            if reference not in self._definitions:
                compiler, schema = self.resolved({"$ref": reference})
                self._definitions[reference] = compiler.compiled(schema)
            return self._definitions[reference](node)

        return decide


def _all(decisions: Sequence[Decision]) -> Decision:
    def decide(node: Node) -> bool:
        for decision in decisions:  # noqa: SIM110 - a generator takes twice the time
            if not decision(node):
                return False
        return True

    return decide


_TYPES: Final = {bool: "boolean", int: "integer", NoneType: "null", str: "string"}


def _type_of(node: Node) -> str:
    if isinstance(node, Scalar):
        # By draft 6 and later, 1.0 is an integer.
        if isinstance(node.value, float):
            return "integer" if node.value.is_integer() else "number"
        return _TYPES[type(node.value)]
    return "array" if isinstance(node, Items) else "object"


def _type(_compiler: _Compiler, schema: Schema) -> Decision:
    names = schema["type"]
    allowed = {names} if isinstance(names, str) else set(names)
    if "number" in allowed:
        allowed.add("integer")
    return lambda node: _type_of(node) in allowed


def _object(compiler: _Compiler, schema: Schema) -> Decision:
    """`properties` and `additionalProperties`."""
    known = {name: compiler.compiled(part) for name, part in schema.get("properties", {}).items()}
    other = schema.get("additionalProperties", True)
    decide_other = None if isinstance(other, bool) else compiler.compiled(other)

    def decide(node: Node) -> bool:
        if not isinstance(node, Members):
            return True
        for name, member in node.entries.items():
            decide_one = known.get(name, decide_other)
            if not (other if decide_one is None else decide_one(member.node)):
                return False
        return True

    return decide


def _additional(compiler: _Compiler, schema: Schema) -> Decision:
    # Beside `properties`, the function of that one contains it.
    return (lambda _node: True) if "properties" in schema else _object(compiler, schema)


def _required(_compiler: _Compiler, schema: Schema) -> Decision:
    names = frozenset(schema["required"])
    return lambda node: not isinstance(node, Members) or names <= node.entries.keys()


def _property_names(compiler: _Compiler, schema: Schema) -> Decision:
    decide = compiler.compiled(schema["propertyNames"])
    return lambda node: (
        not isinstance(node, Members)
        or all(decide(Scalar(member.key_location, name, name)) for name, member in node.entries.items())
    )


def _items(compiler: _Compiler, schema: Schema) -> Decision:
    decide = compiler.compiled(schema["items"])
    return lambda node: not isinstance(node, Items) or all(map(decide, node.values))


def _one_of(values: Sequence[Json]) -> Decision:
    if not all(value is None or isinstance(value, str) for value in values):
        raise ValueError("only texts and null are compared")
    allowed = frozenset(values)
    return lambda node: (
        isinstance(node, Scalar) and (node.value is None or isinstance(node.value, str)) and node.value in allowed
    )


def _pattern(_compiler: _Compiler, schema: Schema) -> Decision:
    pattern = schema["pattern"]
    return lambda node: (
        not isinstance(node, Scalar) or not isinstance(node.value, str) or matches(pattern, node.value, schema)
    )


def _each_once(_compiler: _Compiler, _schema: Schema) -> Decision:
    """`uniqueItems`, for texts."""

    def decide(node: Node) -> bool:
        items = node.values if isinstance(node, Items) else ()
        texts = [item.value for item in items if isinstance(item, Scalar) and isinstance(item.value, str)]
        return len(set(texts)) == len(texts)

    return decide


def _any_of(compiler: _Compiler, schema: Schema) -> Decision:
    branches = [compiler.compiled(branch) for branch in schema["anyOf"]]
    return lambda node: any(decide(node) for decide in branches)


def _if(compiler: _Compiler, schema: Schema) -> Decision:
    """`if` with `then` and `else`."""
    condition = compiler.compiled(schema["if"])
    then, otherwise = compiler.compiled(schema["then"]), compiler.compiled(schema["else"])
    return lambda node: then(node) if condition(node) else otherwise(node)


def _characters(node: Node) -> int | None:
    return len(node.value) if isinstance(node, Scalar) and isinstance(node.value, str) else None


def _members(node: Node) -> int | None:
    return len(node.entries) if isinstance(node, Members) else None


def _number(node: Node) -> float | None:
    is_number = isinstance(node, Scalar) and isinstance(node.value, int | float) and not isinstance(node.value, bool)
    return node.value if is_number else None  # type: ignore[union-attr, return-value] # mypy loses the narrowing


def _at_least(measure: Callable[[Node], float | None], keyword: str) -> Compiled:
    def compiled(_compiler: _Compiler, schema: Schema) -> Decision:
        bound = schema[keyword]
        return lambda node: (found := measure(node)) is None or found >= bound

    return compiled


def _at_most(measure: Callable[[Node], float | None], keyword: str) -> Compiled:
    def compiled(_compiler: _Compiler, schema: Schema) -> Decision:
        bound = schema[keyword]
        return lambda node: (found := measure(node)) is None or found <= bound

    return compiled


_KEYWORDS: Final[Mapping[str, Compiled]] = {
    "type": _type,
    "required": _required,
    "properties": _object,
    "additionalProperties": _additional,
    "propertyNames": _property_names,
    "minProperties": _at_least(_members, "minProperties"),
    "maxProperties": _at_most(_members, "maxProperties"),
    "items": _items,
    "minItems": _at_least(lambda node: len(node.values) if isinstance(node, Items) else None, "minItems"),
    "uniqueItems": _each_once,
    "const": lambda _, schema: _one_of([schema["const"]]),
    "enum": lambda _, schema: _one_of(schema["enum"]),
    "pattern": _pattern,
    "minLength": _at_least(_characters, "minLength"),
    "maxLength": _at_most(_characters, "maxLength"),
    "minimum": _at_least(_number, "minimum"),
    "maximum": _at_most(_number, "maximum"),
    "anyOf": _any_of,
    "if": _if,
}
_OF_NAMES: Final = frozenset(
    {"type", "required", "properties", "additionalProperties", "propertyNames", "minProperties", "maxProperties"}
)
"""Keywords that decide about the members of an object by their names, or leave it to the schema of each member."""
_OF_TEXTS: Final = frozenset({"type", "minLength", "maxLength", "pattern"})
"""Keywords that may decide about a text."""
_NOTES: Final = frozenset(
    {"$schema", "default", "definitions", "description", "else", "examples", "patternErrorMessage", "then", "title"}
)
"""Keywords that decide nothing, or that the function of another one contains."""
