"""Replaces references to variables, `${var.name}`, in the strings of a tree.

A string that is only a reference gets the variable's own type.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults, did_you_mean
from batchctl.manifests.nodes import Items, Member, Members, Node, Scalar
from batchctl.manifests.targets import NAME_VARIABLE
from batchctl.manifests.variables import DECLARE_HINT, Value, Variables, environment_name, written
from batchctl.model.locations import Location
from batchctl.model.pattern import Pattern
from batchctl.model.quoting import cut, shown

MOST_REPLACED = 32 * 1024 * 1024
"""The most characters that references in all manifests together expand to: a long value may be used often."""
_NO_TARGETS = "it is the name of the target, and the stack file has no spec.targets"
REFERENCE = Pattern(r"\$\$\{|\$\{var\.([^}]*)(\}?)")
"""A reference `${var.name}`, or an escaped `${`."""
_MATRIX = Pattern(r"(?<!\$)\$\{matrix\.")
"""An unescaped reference to a matrix, whose own references were replaced before."""


class Replacer:
    """Replaces the references in trees, up to `MOST_REPLACED` characters in all of them together."""

    def __init__(self, variables: Variables, faults: Faults) -> None:
        self._variables = variables
        self._faults = faults
        self.expanded = 0
        """The characters that references have expanded to."""

    def replaced(self, node: Node, *, keep: Node | None = None) -> Node:
        """The tree with every reference in its strings replaced, except in keys.

        The subtree `keep` stays as it is. A node without references is returned unchanged.
        """
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

    def _scalar(self, node: Scalar, text: str) -> Node:
        refuse_matrix(text, node.location, self._faults)
        known: dict[str, Value] = {}

        def look_up(match: re.Match[str]) -> Value:
            if match[0] not in known:
                known[match[0]] = self.value(match, node.location)
            return known[match[0]]

        def replacement(match: re.Match[str]) -> str:
            return "${" if match[1] is None else self.text(look_up(match), node.location)

        whole = REFERENCE.fullmatch(text)
        if whole is not None and whole[1] is not None:
            value = look_up(whole)
            if isinstance(value, tuple):
                return Items(node.location, tuple(_item(node, one, whole[1]) for one in value))
            return _item(node, value, whole[1])
        return replace(node, value=REFERENCE.sub(replacement, text))

    def text(self, value: Value, place: Location) -> str:
        """The value of a variable inside a longer string."""
        if isinstance(value, tuple):
            hint = "write the reference as the whole value"
            self._faults.add(place, Code.WRONG_TYPE, "a list cannot be a part of a text", hint)
            return ""
        text = written(value)
        self.expanded += len(text)
        if self.expanded <= MOST_REPLACED:
            return text
        message = f"the expanded variables have more than {MOST_REPLACED:,} characters"
        self._faults.add(place, Code.TOO_LARGE, message, "shorten them, or use them in fewer places")
        return ""

    def value(self, match: re.Match[str], place: Location) -> Value:
        """The value of the variable that a match of `REFERENCE` names; the reference itself after an error."""
        name = match[1]
        if not match[2]:
            hint = "write $${ for a plain ${"
            self._faults.add(place, Code.INVALID_VALUE, "a ${var.…} reference is not closed", hint)
        elif name in self._variables.unset:
            # At the declaration, so that a variable with many references is one error.
            message = f"the variable {shown(name)} has no value"
            hint = f"--set {cut(name)}=VALUE, or {cut(environment_name(name))}=VALUE in the environment"
            self._faults.add(self._variables.unset[name], Code.UNSET_VARIABLE, message, hint)
        elif name not in self._variables.known:
            is_target = name == NAME_VARIABLE
            hint = _NO_TARGETS if is_target else did_you_mean(name, self._variables.known) or DECLARE_HINT
            self._faults.add(place, Code.UNKNOWN_VARIABLE, f"there is no variable {shown(name)}", hint)
        # The replacement of an invalid reference is never used, but lets the checks find more errors.
        return self._variables.values.get(name, match[0])


def refuse_matrix(text: str, place: Location, faults: Faults) -> None:
    """Report a reference to a matrix where there is none: it would be sent as it is."""
    if "${matrix." in text and _MATRIX.search(text):
        hint = "declare spec.matrix in the manifest, or write $${ for a plain ${"
        faults.add(place, Code.UNKNOWN_VARIABLE, "there is no matrix for a ${matrix.…} reference", hint)


def _item(node: Scalar, value: bool | float | str, variable: str) -> Scalar:
    return Scalar(node.location, value, written(value), variable)
