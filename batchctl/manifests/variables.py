"""The stack's variables: their declarations, and their values.

A value comes from the first of these that has one: `--set`, the environment, the target, the default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeAlias

from msgspec import Struct, field

from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults, did_you_mean, quote_hint
from batchctl.manifests.nodes import Items, Members, Node, Scalar, find, value_of
from batchctl.manifests.scalars import resolve
from batchctl.model.errors import UsageError
from batchctl.model.locations import Location
from batchctl.model.origins import Origin, OriginKind
from batchctl.model.quoting import cut, shown

Plain: TypeAlias = bool | float | str
Value: TypeAlias = Plain | tuple[Plain, ...]

ENVIRONMENT_PREFIX = "BATCHCTL_VAR_"
DECLARE_HINT = "declare it under spec.variables of the stack file"
_KINDS = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "a boolean",
    "list": "a list",
}


class Variables(Struct, frozen=True, dict=True):
    """The declared variables of a stack."""

    values: Mapping[str, Value] = field(default_factory=dict)
    unset: Mapping[str, Location] = field(default_factory=dict)
    """Those without a value, each with the place of its declaration."""
    invalid: frozenset[str] = frozenset()
    """Those whose value was an error."""
    origins: Mapping[str, Origin] = field(default_factory=dict)
    """Of each value."""
    sensitive: frozenset[str] = frozenset()
    """Those whose values `config view` and messages do not show."""
    builtin: frozenset[str] = frozenset()
    """Those that batchctl itself defines."""

    @cached_property
    def known(self) -> frozenset[str]:
        """All declared names."""
        return self.invalid.union(self.unset, self.values)

    @property
    def given(self) -> tuple[str, ...]:
        """Those whose values are not from the stack file, sorted."""
        outside = {OriginKind.ENVIRONMENT, OriginKind.OPTION}
        names = (name for name, origin in self.origins.items() if origin.kind in outside)
        return tuple(sorted(name for name in names if name not in self.builtin))


class Given(Struct, frozen=True):
    """The sources of values besides the defaults."""

    settings: Mapping[str, str] = field(default_factory=dict)
    """Of `--set`, by name."""
    env: Mapping[str, str] = field(default_factory=dict)
    """The whole environment."""
    target: Members | None = None
    """`variables` of the target."""
    builtin: Mapping[str, tuple[str, Origin]] = field(default_factory=dict)
    """Variables that batchctl itself defines."""


def parse_settings(settings: Sequence[str]) -> dict[str, str]:
    """Split the `key=value` of each `--set`; the last one of a key counts. Raises UsageError without a `=`."""
    values = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise UsageError(f"--set {setting}: not key=value", hint="for example --set runId=2026-11-22")
        values[key] = value
    return values


def environment_name(variable: str) -> str:
    """The environment variable that sets a variable: `BATCHCTL_VAR_RUN_ID` for `run-id`."""
    return ENVIRONMENT_PREFIX + variable.upper().replace("-", "_")


def set_in_environment(env: Mapping[str, str]) -> dict[str, str]:
    """The variables' environment variables that are set, in the spelling of `environment_name`, with their own."""
    names = (name for name in env if name.upper().startswith(ENVIRONMENT_PREFIX))
    return {environment_name(name[len(ENVIRONMENT_PREFIX) :]): name for name in sorted(names, reverse=True)}


def read_variables(declared: Node | None, given: Given, faults: Faults) -> Variables:
    """The variables of a stack file with their values. Errors go to `faults`, which hide sensitive values."""
    entries = declared.entries if isinstance(declared, Members) else {}
    reader = _Reader({name: _Declaration.of(name, member.node) for name, member in entries.items()}, faults)
    for name, (text, origin) in given.builtin.items():
        if name in entries:
            message = f"{shown(name)} is the name of a variable that batchctl defines"
            faults.add(entries[name].key_location, Code.DUPLICATE_NAME, message, "choose another name")
        reader.values[name], reader.origins[name] = text, origin
    reader.read_defaults()
    reader.read_target(given.target)
    reader.read_environment(given.env)
    reader.read_settings(given.settings)
    unset = entries.keys() - reader.values.keys() - reader.invalid
    return Variables(
        reader.values,
        {name: entries[name].key_location for name in unset},
        frozenset(reader.invalid - reader.values.keys()),
        reader.origins,
        frozenset(name for name, one in reader.declared.items() if one.is_sensitive),
        frozenset(given.builtin),
    )


class _Declaration(Struct, frozen=True):
    name: str
    kind: str
    """Empty if it is invalid, which the schema check reports; then any value fits."""
    default: Node | None
    enum: tuple[Plain, ...]
    """The only values, if there are any; of a list, of its items."""
    is_sensitive: bool

    @classmethod
    def of(cls, name: str, node: Node) -> _Declaration:
        kind = value_of(node, "type") or "string"
        items = find(node, "enum")
        enum = _plain_items(items) if isinstance(items, Items) else ()
        kind = kind if isinstance(kind, str) and kind in _KINDS else ""
        return cls(name, kind, find(node, "default"), enum or (), value_of(node, "sensitive") is True)

    def parse(self, text: str) -> Value | None:
        """The value of a text from the command line or the environment; None if it is of another type."""
        if self.kind == "list":
            return _parse_list(text)
        if self.kind in ("string", ""):
            return text
        try:
            return resolve(text)
        except ValueError:
            return None

    def fits(self, value: Value | None) -> bool:
        if not self.kind:
            return True
        if self.kind == "list":
            return isinstance(value, tuple)
        if self.kind == "boolean":
            return isinstance(value, bool)
        if self.kind == "string":
            return isinstance(value, str)
        kinds = int if self.kind == "integer" else int | float
        return isinstance(value, kinds) and not isinstance(value, bool)

    def stranger(self, value: Value) -> Plain | None:
        """The first value that is not among the allowed ones."""
        strangers = (one for one in (value if isinstance(value, tuple) else (value,)) if one not in self.enum)
        return next(strangers, None) if self.enum else None


class _Reader:
    """Collects the values of declared variables."""

    def __init__(self, declared: Mapping[str, _Declaration], faults: Faults) -> None:
        self.declared = declared
        self._faults = faults
        self.values: dict[str, Value] = {}
        self.origins: dict[str, Origin] = {}
        self.invalid: set[str] = set()

    def read_defaults(self) -> None:
        for name, one in self.declared.items():
            if one.default is not None:
                self._take_node(one, one.default, f"the default of {shown(name)}")

    def read_target(self, values: Members | None) -> None:
        for name, member in {} if values is None else values.entries.items():
            if self._is_declared(name, member.key_location):
                self._take_node(self.declared[name], member.node, f"the value of {shown(name)}")

    def read_environment(self, env: Mapping[str, str]) -> None:
        found = set_in_environment(env)
        for name, one in self.declared.items():
            key = found.pop(environment_name(name), None)
            if key is not None:
                self._take_text(one, env[key], Origin.environment(key))
        for key in found.values():
            place = Location.without_position(cut(key))
            hint = did_you_mean(key, [environment_name(name) for name in self.declared]) or DECLARE_HINT
            self._faults.warn(place, Code.UNKNOWN_VARIABLE, "the stack has no variable of this name", hint)

    def read_settings(self, settings: Mapping[str, str]) -> None:
        for name, text in settings.items():
            if self._is_declared(name, Location.without_position(f"--set {cut(name)}")):
                self._take_text(self.declared[name], text, Origin.option(f"--set {name}"))

    def _is_declared(self, name: str, place: Location) -> bool:
        if name not in self.declared:
            hint = did_you_mean(name, self.declared) or DECLARE_HINT
            self._faults.add(place, Code.UNKNOWN_VARIABLE, f"there is no variable {shown(name)}", hint)
        return name in self.declared

    def _take_node(self, one: _Declaration, node: Node, what: str) -> None:
        value = node.value if isinstance(node, Scalar) else _plain_items(node) if isinstance(node, Items) else None
        if value is not None and one.fits(value):
            self._take(one, value, Origin.file(node.location))
            return
        self.invalid.add(one.name)
        if value is None:
            return  # the schema check reports it
        is_text = one.kind == "string" and isinstance(node, Scalar)
        hint = quote_hint(node.text) if is_text and isinstance(node, Scalar) else f"the variable's type is {one.kind}"
        says = f"{what} must be {_KINDS.get(one.kind, 'a string, a number, a boolean or a list')}"
        self._faults.add(node.location, Code.WRONG_TYPE, says, "" if one.is_sensitive else hint)

    def _take_text(self, one: _Declaration, text: str, origin: Origin) -> None:
        value = one.parse(text)
        if value is not None and one.fits(value):
            self._take(one, value, origin)
            return
        self.invalid.add(one.name)
        what = "the value" if one.is_sensitive else shown(text)
        message = f"{what} is not {_KINDS[one.kind]}, the type of the variable {shown(one.name)}"
        hint = 'write it as a,b,c or ["a", "b", "c"]' if one.kind == "list" else ""
        self._faults.add(origin.place, Code.INVALID_VALUE, message, hint)

    def _take(self, one: _Declaration, value: Value, origin: Origin) -> None:
        stranger = one.stranger(value)
        if stranger is not None:
            self.invalid.add(one.name)
            what = "the value" if one.is_sensitive else shown(written(stranger))
            message = f"{what} is not allowed for the variable {shown(one.name)}"
            hint = "" if one.is_sensitive else did_you_mean(written(stranger), [written(item) for item in one.enum])
            self._faults.add(origin.place, Code.INVALID_VALUE, message, hint)
            return
        self.values[one.name], self.origins[one.name] = value, origin
        if one.is_sensitive:
            self._faults.hide([text for text in _texts(value) if text])


def _texts(value: Value) -> Iterator[str]:
    yield from (written(one) for one in (value if isinstance(value, tuple) else (value,)))


def _plain_items(node: Items) -> tuple[Plain, ...] | None:
    """The items of a list of single values; None if there are others."""
    items = [item.value for item in node.values if isinstance(item, Scalar) and item.value is not None]
    return tuple(items) if len(items) == len(node.values) else None


def _parse_list(text: str) -> tuple[Plain, ...] | None:
    """`a,b` or a JSON list; None if it is neither."""
    if not text.lstrip().startswith("["):
        return tuple(item.strip() for item in text.split(",")) if text.strip() else ()
    import json  # few stacks have such a list

    try:
        items = json.loads(text, parse_int=resolve, parse_float=resolve, parse_constant=resolve)
    except (ValueError, RecursionError):
        return None
    is_plain = all(isinstance(item, bool | int | float | str) for item in items)
    return tuple(items) if is_plain else None


def written(value: Plain) -> str:
    """The value as a part of a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
