"""Checks values against a JSON Schema and says what is wrong in plain sentences.

Owns the sentences; a fault's text never shows words of the schema language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

from batchctl.manifests.codes import Code
from batchctl.manifests.faults import Faults, did_you_mean
from batchctl.manifests.nodes import Members, Node, Scalar, plain, step_into
from batchctl.manifests.schema import load_schema
from batchctl.model.desired import Json, Location

_WORDS = {
    "null": "null",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "string": "a string",
    "array": "a list",
    "object": "a mapping",
}
_SHOWN = 60
"""Characters of a wrong value that are repeated in the message."""


class Checker:
    """Checks documents against one schema."""

    def __init__(self, name: str) -> None:
        import jsonschema

        extend: Callable[..., Any] = jsonschema.validators.extend  # its stub has no types
        strict = extend(jsonschema.Draft7Validator, {"pattern": _whole_pattern})
        self._validator = strict(load_schema(name))

    def check(self, root: Node, faults: Faults) -> bool:
        """Whether the value keeps to the schema; what does not goes to `faults`."""
        errors = list(self._validator.iter_errors(plain(root)))
        for error in errors:
            _Sentences(root, faults).tell(error)
        return not errors


def _whole_pattern(_validator: object, pattern: str, value: Json, _schema: object) -> Iterator[Any]:
    """`pattern`, but `$` means the very end: Python would let a line end follow, which JSON Schema does not."""
    from jsonschema import ValidationError

    strict = pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern
    if isinstance(value, str) and not re.search(strict, value):
        yield ValidationError("")


_Error: TypeAlias = Any
"""A jsonschema ValidationError, whose attributes are typed too loosely to help."""


class _Sentences:
    """Turns the errors of one document into faults."""

    def __init__(self, root: Node, faults: Faults) -> None:
        self._root = root
        self._faults = faults

    def tell(self, error: _Error) -> None:
        path = list(error.absolute_path)
        named = [step for step in path if isinstance(step, str)]
        field = f'"{named[-1]}"' if named else "the document"
        if path and not isinstance(path[-1], str):
            field = f"an item of {field}"
        self.TELLERS[error.validator](self, error, step_into(self._root, path), field)

    def _add(self, location: Location, code: Code, message: str, hint: str = "") -> None:
        self._faults.add(location, code, message, hint)

    def _unknown(self, error: _Error, node: Node, field: str) -> None:
        assert isinstance(node, Members)
        known = error.schema["properties"]
        where = f"in {field}" if error.absolute_path else "here"
        for key, member in node.entries.items():
            if key not in known:
                place = member.key_location
                self._add(place, Code.UNKNOWN_FIELD, f'there is no field "{key}" {where}', did_you_mean(key, known))

    def _required(self, error: _Error, node: Node, field: str) -> None:
        where = f" in {field}" if error.absolute_path else ""
        for key in error.validator_value:
            if key not in error.instance:
                hint = _first_sentence(error.schema["properties"][key].get("description", ""))
                self._add(node.location, Code.MISSING_FIELD, f'the field "{key}" is missing{where}', hint)

    def _type(self, error: _Error, node: Node, field: str) -> None:
        wanted = error.validator_value
        self._wrong_type(node, field, [wanted] if isinstance(wanted, str) else wanted)

    def _wrong_type(self, node: Node, field: str, wanted: Sequence[str]) -> None:
        names = [_WORDS[name] for name in wanted if name != "null"]
        hint = ""
        if isinstance(node, Scalar) and "string" in wanted:
            hint = (
                f'quote it: "{node.text}"' if node.variable is None else f'declare "{node.variable}" with type: string'
            )
        message = f"{field} must be {_listed(names)}, not {_kind_of(node)}"
        self._add(node.location, Code.WRONG_TYPE, message, hint)

    def _any_of(self, error: _Error, node: Node, field: str) -> None:
        """Only the branch whose type fits has something to say; the others are noise."""
        depth = len(error.absolute_path)
        misfits = {inner.schema_path[0] for inner in error.context if self._misfits(inner, depth)}
        fitting = [inner for inner in error.context if inner.schema_path[0] not in misfits]
        for inner in fitting:
            self.tell(inner)
        if not fitting:
            wanted = [name for inner in error.context for name in _names(inner.validator_value)]
            self._wrong_type(node, field, wanted)

    @staticmethod
    def _misfits(inner: _Error, depth: int) -> bool:
        return inner.validator == "type" and len(inner.absolute_path) == depth

    def _enum(self, error: _Error, node: Node, field: str) -> None:
        known = [value for value in error.validator_value if value is not None]
        if not isinstance(error.instance, str):
            return  # its type is wrong too, and that says more
        message = f"{field} cannot be {_shown(error.instance)}"
        self._add(node.location, Code.INVALID_VALUE, message, did_you_mean(error.instance, known))

    def _constant(self, error: _Error, node: Node, field: str) -> None:
        message = f"{field} must be {error.validator_value}, not {_shown(error.instance)}"
        self._add(node.location, Code.INVALID_VALUE, message)

    def _pattern(self, error: _Error, node: Node, field: str) -> None:
        says = error.schema["patternErrorMessage"]
        if "propertyNames" in error.absolute_schema_path:
            assert isinstance(node, Members)
            place = node.entries[error.instance].key_location
            self._add(place, Code.INVALID_VALUE, f"{_shown(error.instance)} cannot be a name in {field}", says)
        else:
            self._add(node.location, Code.INVALID_VALUE, f"{field} cannot be {_shown(error.instance)}", f"it {says}")

    def _bound(self, error: _Error, node: Node, field: str) -> None:
        bound = error.validator_value
        if error.validator in ("minLength", "minItems"):
            message = f"{field} may not be empty"
        elif error.validator == "maxLength":
            message = f"{field} is longer than {bound}"
        else:
            message = f"{field} must be at {'least' if error.validator == 'minimum' else 'most'} {bound}"
        self._add(node.location, Code.INVALID_VALUE, message)

    def _members(self, error: _Error, node: Node, field: str) -> None:
        known = ", ".join(error.schema.get("properties", ()))
        exactly = "exactly one" if error.schema.get("maxProperties") == 1 else "at least one"
        hint = f"{exactly} of: {known}" if known else ""
        says = "may not be empty" if error.validator == "minProperties" else "has too many members"
        self._add(node.location, Code.INVALID_VALUE, f"{field} {says}", hint)

    def _twice(self, _error: _Error, node: Node, field: str) -> None:
        self._add(node.location, Code.INVALID_VALUE, f"{field} names something twice")

    TELLERS: ClassVar[Mapping[str, Callable[[_Sentences, _Error, Node, str], None]]] = {
        "additionalProperties": _unknown,
        "anyOf": _any_of,
        "const": _constant,
        "enum": _enum,
        "maxLength": _bound,
        "maxProperties": _members,
        "maximum": _bound,
        "minItems": _bound,
        "minLength": _bound,
        "minProperties": _members,
        "minimum": _bound,
        "pattern": _pattern,
        "required": _required,
        "type": _type,
        "uniqueItems": _twice,
    }
    """One sentence for every word of the schema language that the schemas use."""


def _names(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def _listed(names: Sequence[str]) -> str:
    unique = list(dict.fromkeys(names))
    return unique[0] if len(unique) == 1 else f"{', '.join(unique[:-1])} or {unique[-1]}"


def _kind_of(node: Node) -> str:
    if isinstance(node, Scalar):
        value = node.value
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "a boolean"
        return "a string" if isinstance(value, str) else "a number"
    return "a mapping" if isinstance(node, Members) else "a list"


def _shown(value: Json) -> str:
    text = str(value)
    return f'"{text[:_SHOWN]}…"' if len(text) > _SHOWN else f'"{text}"'


def _first_sentence(text: str) -> str:
    return text.split(". ", maxsplit=1)[0].rstrip(".")
