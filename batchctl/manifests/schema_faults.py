"""Describes each error in a value that a JSON Schema does not allow, in a plain sentence.

The sentences never contain terms of the schema language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any, ClassVar, TypeAlias

from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import MOST_FAULTS, Faults, did_you_mean
from batchctl.manifests.nodes import Items, Members, Node, Scalar, plain, step_into
from batchctl.manifests.schema_decision import matches
from batchctl.manifests.wrong_types import kind_of, wrong_type
from batchctl.model.json_value import Json
from batchctl.model.locations import Location
from batchctl.model.quoting import shown


def tell_faults(root: Node, schema: Json, faults: Faults) -> None:
    """Report what the schema, which has no references to other files, does not allow in a value."""
    # One by one: a file can have more errors than batchctl reports.
    for error in _strict()(schema).iter_errors(plain(root)):
        _Sentences(root, schema, faults).tell(error)


@cache
def _strict() -> Callable[[Json], Any]:
    """The validator class with our keywords, cached: creating it costs more than most checks."""
    import jsonschema

    extend: Callable[..., Any] = jsonschema.validators.extend  # its stub has no types
    ours = {"anyOf": _any_of, "pattern": _whole_pattern, "uniqueItems": _each_once}
    strict: Callable[[Json], Any] = extend(jsonschema.Draft7Validator, ours)
    return strict


def _any_of(validator: Any, branches: Sequence[Json], value: Json, _schema: object) -> Iterator[Any]:  # noqa: ANN401
    """`anyOf` with a limited number of errors per branch: a list of a million items can have a million errors."""
    from jsonschema import ValidationError

    found: list[Any] = []
    for index, branch in enumerate(branches):
        errors = list(islice(validator.descend(value, branch, schema_path=index), MOST_FAULTS))
        if not errors:
            return
        found += errors
    yield ValidationError("", context=found)


def _whole_pattern(_validator: object, pattern: str, value: Json, schema: Mapping[str, Json]) -> Iterator[Any]:
    from jsonschema import ValidationError

    if isinstance(value, str) and not matches(pattern, value, schema):
        yield ValidationError("")


def _each_once(_validator: object, _wanted: object, value: Json, _schema: object) -> Iterator[Any]:
    """`uniqueItems` for lists of strings: the library's own compares every item with every other one."""
    from jsonschema import ValidationError

    strings = [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
    if len(set(strings)) < len(strings):
        yield ValidationError("")


_Error: TypeAlias = Any
"""A jsonschema ValidationError, whose attributes are typed too loosely to help."""


class _Sentences:
    """Translates the validation errors of one document into sentences."""

    def __init__(self, root: Node, schema: Mapping[str, Json], faults: Faults) -> None:
        self._root = root
        self._schema = schema
        self._faults = faults

    def tell(self, error: _Error) -> None:
        path = list(error.absolute_path)
        named = [step for step in path if isinstance(step, str)]
        field = shown(named[-1]) if named else "the document"
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
                self._add(
                    place, Code.UNKNOWN_FIELD, f"there is no field {shown(key)} {where}", did_you_mean(key, known)
                )

    def _required(self, error: _Error, node: Node, field: str) -> None:
        where = f" in {field}" if error.absolute_path else ""
        known = error.schema.get("properties", {})
        is_closed = error.schema.get("additionalProperties") is False or "maxProperties" in error.schema
        # A misspelled name is reported as an unknown field, with the one that was meant.
        meant = {did_you_mean(name, known) for name in error.instance if name not in known} if is_closed else set()
        for key in error.validator_value:
            if key not in error.instance and f"did you mean {key}?" not in meant:
                hint = self._about(key, error.schema["properties"][key])
                self._add(node.location, Code.MISSING_FIELD, f'the field "{key}" is missing{where}', hint)

    def _about(self, key: str, schema: Mapping[str, Json]) -> str:
        if "const" in schema:
            return f"{key}: {schema['const']}"
        if "$ref" in schema:
            schema = self._schema["definitions"][schema["$ref"].removeprefix("#/definitions/")]
        return str(schema["description"]).split(". ", maxsplit=1)[0].rstrip(".")

    def _type(self, error: _Error, node: Node, field: str) -> None:
        self._wrong_type(node, field, [error])

    def _wrong_type(self, node: Node, field: str, errors: Sequence[_Error]) -> None:
        """`errors` are type errors only, one for each way to write the value."""
        wanted = [name for error in errors for name in _names(error.validator_value)]
        message, hint = wrong_type(node, field, *wanted, schemas=[error.schema for error in errors])
        self._add(node.location, Code.WRONG_TYPE, message, hint)

    def _any_of(self, error: _Error, node: Node, field: str) -> None:
        """Reports only the branches whose type fits: the errors of the others are noise."""
        depth = len(error.absolute_path)
        misfits = {inner.schema_path[0] for inner in error.context if self._misfits(inner, depth)}
        fitting = [inner for inner in error.context if inner.schema_path[0] not in misfits]
        for inner in fitting:
            self.tell(inner)
        if not fitting:
            self._wrong_type(node, field, error.context)

    @staticmethod
    def _misfits(inner: _Error, depth: int) -> bool:
        return inner.validator == "type" and len(inner.absolute_path) == depth

    def _enum(self, error: _Error, node: Node, field: str) -> None:
        known = [value for value in error.validator_value if value is not None]
        if not isinstance(error.instance, str):
            return  # its type is wrong too, and that message is more helpful
        message = f"{field} cannot be {shown(error.instance)}"
        self._add(node.location, Code.INVALID_VALUE, message, did_you_mean(error.instance, known))

    def _constant(self, error: _Error, node: Node, field: str) -> None:
        found = shown(node.text) if isinstance(node, Scalar) else kind_of(node)
        message = f"{field} must be {error.validator_value}, not {found}"
        self._add(node.location, Code.INVALID_VALUE, message)

    def _pattern(self, error: _Error, node: Node, field: str) -> None:
        says = error.schema["patternErrorMessage"]
        if "propertyNames" in error.absolute_schema_path:
            assert isinstance(node, Members)
            place = node.entries[error.instance].key_location
            self._add(place, Code.INVALID_VALUE, f"{shown(error.instance)} cannot be a name in {field}", says)
        else:
            self._add(node.location, Code.INVALID_VALUE, f"{field} cannot be {shown(error.instance)}", f"it {says}")

    def _bound(self, error: _Error, node: Node, field: str) -> None:
        bound = error.validator_value
        if error.validator in ("minLength", "minItems"):
            message = f"{field} may not be empty"
        elif error.validator == "maxLength":
            message = f"{field} is longer than {bound} characters"
        else:
            message = f"{field} must be at {'least' if error.validator == 'minimum' else 'most'} {bound}"
        self._add(node.location, Code.INVALID_VALUE, message)

    def _members(self, error: _Error, node: Node, field: str) -> None:
        known = ", ".join(error.schema.get("properties", ()))
        is_empty = error.validator == "minProperties"
        exactly = (
            "exactly one of" if error.schema.get("maxProperties") == 1 else "at least one of" if is_empty else "only"
        )
        hint = f"{exactly}: {known}" if known else ""
        says = "may not be empty" if is_empty else "has too many members"
        self._add(node.location, Code.INVALID_VALUE, f"{field} {says}", hint)

    def _twice(self, _error: _Error, node: Node, field: str) -> None:
        assert isinstance(node, Items)
        met: set[str] = set()
        for item in node.values:
            if isinstance(item, Scalar) and isinstance(item.value, str):
                if item.value in met:
                    self._add(item.location, Code.INVALID_VALUE, f"{field} names {shown(item.value)} twice")
                met.add(item.value)

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
    """One sentence for each keyword that the schemas use."""


def _names(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value
