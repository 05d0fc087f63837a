"""YAML values that remember where they were written.

Owns the tree and the ways to look into it. Knows nothing of manifests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from batchctl.model.desired import Json, Location


@dataclass(frozen=True)
class Scalar:
    """A single value: null, a boolean, a number or a string."""

    location: Location
    value: bool | float | str | None
    text: str
    """As written, without quotes."""
    variable: str | None = None
    """The variable that the whole value came from."""


@dataclass(frozen=True)
class Items:
    """A list."""

    location: Location
    values: tuple[Node, ...]


@dataclass(frozen=True)
class Member:
    """One entry of a mapping."""

    key_location: Location
    node: Node


@dataclass(frozen=True)
class Members:
    """A mapping, in the order it was written."""

    location: Location
    entries: Mapping[str, Member]


Node: TypeAlias = Scalar | Items | Members


def plain(node: Node) -> Json:
    """The value alone."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Items):
        return [plain(item) for item in node.values]
    return {key: plain(member.node) for key, member in node.entries.items()}


def size(node: Node) -> tuple[int, int]:
    """How many values there are in it, itself included, and how many characters in all their texts."""
    if isinstance(node, Scalar):
        return 1, len(node.text)
    inner = node.values if isinstance(node, Items) else [member.node for member in node.entries.values()]
    sizes = [size(item) for item in inner]
    return 1 + sum(values for values, _ in sizes), sum(characters for _, characters in sizes)


def find(node: Node | None, *keys: str) -> Node | None:
    """The value below a path of keys; None where there is none, or no mapping on the way."""
    for key in keys:
        if not isinstance(node, Members) or key not in node.entries:
            return None
        node = node.entries[key].node
    return node


def value_of(node: Node | None, *keys: str) -> Json:
    """The plain value below a path of keys; None where there is none."""
    found = find(node, *keys)
    return None if found is None else plain(found)


def key_place(node: Node, *keys: str) -> Location:
    """Where the last key of a path is written; where its nearest parent is when it is not written at all."""
    place = node.location
    for key in keys:
        if not isinstance(node, Members) or key not in node.entries:
            return place
        place, node = node.entries[key].key_location, node.entries[key].node
    return place


def step_into(node: Node, path: Iterable[str | int]) -> Node:
    """The value below a path that is known to exist."""
    for step in path:
        if isinstance(node, Members):
            node = node.entries[str(step)].node
        else:
            assert isinstance(node, Items), "a path leads through mappings and lists"
            node = node.values[int(step)]
    return node


def changed(node: Node, path: tuple[str, ...], change: Callable[[Node], Node]) -> Node:
    """The same tree with the value below a path changed; the very same tree when there is none."""
    if not path:
        return change(node)
    if not isinstance(node, Members) or path[0] not in node.entries:
        return node
    member = node.entries[path[0]]
    entries = {**node.entries, path[0]: Member(member.key_location, changed(member.node, path[1:], change))}
    return Members(node.location, entries)
