"""The stack's variables: their values, and their references `${var.name}` in strings.

A string that is only a reference gets the variable's own type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property

from msgspec import Struct, field

from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults, did_you_mean, quote_hint
from batchctl.manifests.nodes import Items, Member, Members, Node, Scalar, find, value_of
from batchctl.manifests.scalars import resolve
from batchctl.model.desired import Location
from batchctl.model.errors import UsageError
from batchctl.model.quoting import cut, shown

MOST_REPLACED = 32 * 1024 * 1024
"""The most characters that references in all manifests together expand to: a long value may be used often."""
_KINDS = ("string", "number", "boolean")
_DECLARE_HINT = "declare it under spec.variables of the stack file"
REFERENCE = re.compile(r"\$\$\{|\$\{var\.([^}]*)(\}?)")
"""A reference `${var.name}`, or an escaped `${`."""


class Variables(Struct, frozen=True, dict=True):
    """The declared variables; those without a value are in `unset`."""

    values: Mapping[str, bool | float | str] = field(default_factory=dict)
    unset: frozenset[str] = frozenset()

    @cached_property
    def known(self) -> frozenset[str]:
        """All declared names."""
        return self.unset.union(self.values)


def parse_settings(settings: Sequence[str]) -> dict[str, str]:
    """Split the `key=value` of each `--set`; the last one of a key counts. Raises UsageError without a `=`."""
    values = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise UsageError(f"--set {setting}: not key=value", hint="for example --set runId=2026-11-22")
        values[key] = value
    return values


def read_variables(declared: Node | None, settings: Mapping[str, str], faults: Faults) -> Variables:
    """The variables of a stack file, `--set` over their defaults."""
    entries = declared.entries if isinstance(declared, Members) else {}
    values: dict[str, bool | float | str] = {}
    for name, member in entries.items():
        kind = value_of(member.node, "type") or "string"
        kind = kind if kind in _KINDS else ""  # the schema check reports it
        default = find(member.node, "default")
        if isinstance(default, Scalar) and default.value is not None:
            values[name] = default.value
            if not _fits(default.value, kind):
                hint = quote_hint(default.text) if kind == "string" else f"the variable's type is {kind}"
                message = f"the default of {shown(name)} must be a {kind}"
                faults.add(default.location, Code.WRONG_TYPE, message, hint)
        if name in settings:
            _set(values, name, settings[name], kind, faults)
    for name in settings:
        if name not in entries:
            hint = did_you_mean(name, entries) or _DECLARE_HINT
            message = f"there is no variable {shown(name)}"
            faults.add(Location.without_position(f"--set {cut(name)}"), Code.UNKNOWN_VARIABLE, message, hint)
    return Variables(values, frozenset(entries) - frozenset(values))


def _set(values: dict[str, bool | float | str], name: str, text: str, kind: str, faults: Faults) -> None:
    value: bool | float | str | None = text
    if kind != "string":
        try:
            value = resolve(text)
        except ValueError:
            value = None
    if value is None or not _fits(value, kind):
        message = f"{shown(text)} is not a {kind}, the type of the variable {shown(name)}"
        faults.add(Location.without_position(f"--set {name}"), Code.INVALID_VALUE, message)
    else:
        values[name] = value


def _fits(value: bool | float | str, kind: str) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return not kind or isinstance(value, str)


def substitute(node: Node, variables: Variables, faults: Faults, *, keep: Node | None = None) -> Node:
    """The tree with every reference in its strings replaced, except in keys and in the subtree `keep`."""
    return Replacer(variables, faults).replaced(node, keep=keep)


class Replacer:
    """Replaces the references in trees, up to `MOST_REPLACED` characters in all of them together."""

    def __init__(self, variables: Variables, faults: Faults) -> None:
        self._variables = variables
        self._faults = faults
        self.expanded = 0
        """The characters that references have expanded to."""

    def replaced(self, node: Node, *, keep: Node | None = None) -> Node:
        """See `substitute`. A node without references is returned unchanged."""
        if node is keep:
            return node
        if isinstance(node, Items):
            values = tuple(self.replaced(item, keep=keep) for item in node.values)
            same = all(new is old for new, old in zip(values, node.values, strict=True))
            return node if same else Items(node.location, values)
        if isinstance(node, Members):
            changes = {}
            for key, member in node.entries.items():
                value = self.replaced(member.node, keep=keep)
                if value is not member.node:
                    changes[key] = Member(member.key_location, value)
            return Members(node.location, {**node.entries, **changes}) if changes else node
        if isinstance(node.value, str) and "${" in node.value:
            return self._scalar(node, node.value)
        return node

    def _scalar(self, node: Scalar, text: str) -> Scalar:
        known: dict[str, bool | float | str] = {}

        def look_up(match: re.Match[str]) -> bool | float | str:
            if match[0] not in known:
                known[match[0]] = self.value(match, node.location)
            return known[match[0]]

        def replacement(match: re.Match[str]) -> str:
            return "${" if match[1] is None else self.text(look_up(match), node.location)

        whole = REFERENCE.fullmatch(text)
        if whole is not None and whole[1] is not None:
            value = look_up(whole)
            return node._replace(value=value, text=_written(value), variable=whole[1])
        return node._replace(value=REFERENCE.sub(replacement, text))

    def text(self, value: bool | float | str, place: Location) -> str:
        """The value of a variable inside a longer string."""
        written = _written(value)
        self.expanded += len(written)
        if self.expanded <= MOST_REPLACED:
            return written
        message = f"the expanded variables have more than {MOST_REPLACED:,} characters"
        self._faults.add(place, Code.TOO_LARGE, message, "shorten them, or use them in fewer places")
        return ""

    def value(self, match: re.Match[str], place: Location) -> bool | float | str:
        """The value of the variable that a match of `REFERENCE` names; the reference itself after an error."""
        name = match[1]
        if not match[2]:
            hint = "write $${ for a plain ${"
            self._faults.add(place, Code.INVALID_VALUE, "a ${var.…} reference is not closed", hint)
        elif name in self._variables.unset:
            message, hint = f"the variable {shown(name)} has no value", f"--set {cut(name)}=VALUE"
            self._faults.add(place, Code.UNSET_VARIABLE, message, hint)
        elif name not in self._variables.values:
            hint = did_you_mean(name, self._variables.known) or _DECLARE_HINT
            self._faults.add(place, Code.UNKNOWN_VARIABLE, f"there is no variable {shown(name)}", hint)
        # The replacement of an invalid reference is never used, but lets the checks find more errors.
        return self._variables.values.get(name, match[0])


def _written(value: bool | float | str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
