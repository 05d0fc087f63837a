"""The stack's variables: their values, and their use as `${var.name}` in strings.

Owns the reference syntax. A string that is one reference and nothing else takes on the variable's own type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from batchctl.manifests.codes import Code
from batchctl.manifests.faults import Faults, did_you_mean
from batchctl.manifests.nodes import Items, Member, Members, Node, Scalar, find, value_of
from batchctl.manifests.scalars import resolve
from batchctl.model.desired import Location
from batchctl.model.errors import UsageError

_REFERENCE = re.compile(r"\$\$\{|\$\{var\.([^}]*)(\}?)")


@dataclass(frozen=True)
class Variables:
    """The declared variables; those without a value are in `unset`."""

    values: Mapping[str, bool | float | str] = field(default_factory=dict)
    unset: frozenset[str] = frozenset()

    def known(self) -> list[str]:
        """All declared names."""
        return sorted([*self.values, *self.unset])


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
        default = find(member.node, "default")
        if isinstance(default, Scalar) and default.value is not None:
            values[name] = default.value
            if not _fits(default.value, kind):
                hint = f'quote it: "{default.text}"' if kind == "string" else f"the variable's type is {kind}"
                faults.add(default.location, Code.WRONG_TYPE, f'the default of "{name}" must be a {kind}', hint)
        if name in settings:
            _set(values, name, settings[name], str(kind), faults)
    for name in settings:
        if name not in entries:
            hint = did_you_mean(name, entries) or "declare it under spec.variables of the stack file"
            faults.add(Location(f"--set {name}"), Code.UNKNOWN_VARIABLE, f'there is no variable "{name}"', hint)
    return Variables(values, frozenset(entries) - frozenset(values))


def _set(values: dict[str, bool | float | str], name: str, text: str, kind: str, faults: Faults) -> None:
    value: bool | float | str | None = text
    if kind != "string":
        try:
            value = resolve(text)
        except ValueError:
            value = None
    if value is None or not _fits(value, kind):
        message = f'"{text}" is not a {kind}, which the variable "{name}" is'
        faults.add(Location(f"--set {name}"), Code.INVALID_VALUE, message)
    else:
        values[name] = value


def _fits(value: bool | float | str, kind: str) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str)


def substitute(node: Node, variables: Variables, faults: Faults, *, keep: Node | None = None) -> Node:
    """The same tree with every reference in its strings replaced; keys and the subtree `keep` are left as they are."""
    if node is keep:
        return node
    if isinstance(node, Items):
        return Items(node.location, tuple(substitute(item, variables, faults, keep=keep) for item in node.values))
    if isinstance(node, Members):
        entries = {
            key: Member(member.key_location, substitute(member.node, variables, faults, keep=keep))
            for key, member in node.entries.items()
        }
        return Members(node.location, entries)
    if isinstance(node.value, str) and "${" in node.value:
        return _Substitution(node, node.value, variables, faults).result()
    return node


class _Substitution:
    """Replaces the references in one string."""

    def __init__(self, node: Scalar, text: str, variables: Variables, faults: Faults) -> None:
        self._node = node
        self._text = text
        self._variables = variables
        self._faults = faults

    def result(self) -> Scalar:
        whole = _REFERENCE.fullmatch(self._text)
        if whole is not None and whole[1] is not None:
            value = self._look_up(whole)
            return replace(self._node, value=value, text=_written(value), variable=whole[1])
        return replace(self._node, value=_REFERENCE.sub(self._replacement, self._text))

    def _replacement(self, match: re.Match[str]) -> str:
        if match[1] is None:
            return "${"
        return _written(self._look_up(match))

    def _look_up(self, match: re.Match[str]) -> bool | float | str:
        name = match[1]
        place = self._node.location
        if not match[2]:
            hint = "write $${ for a plain ${"
            self._faults.add(place, Code.INVALID_VALUE, "a ${var.…} reference is not closed", hint)
        elif name in self._variables.unset:
            self._faults.add(place, Code.UNSET_VARIABLE, f'the variable "{name}" has no value', f"--set {name}=VALUE")
        elif name not in self._variables.values:
            hint = did_you_mean(name, self._variables.known()) or "declare it under spec.variables of the stack file"
            self._faults.add(place, Code.UNKNOWN_VARIABLE, f'there is no variable "{name}"', hint)
        # What stands in for a faulty reference is never used, but more faults are to be found.
        return self._variables.values.get(name, match[0])


def _written(value: bool | float | str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
