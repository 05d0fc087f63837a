"""The tree of YAML values with their places in the file, and functions to read it. It knows nothing of manifests.

The values are named tuples, which take a third of the time of frozen dataclasses: a manifest has fifty of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from msgspec import Struct

from batchctl.model.json_value import Json
from batchctl.model.locations import Location


class Scalar(Struct, frozen=True, gc=False):
    """A single value: null, a boolean, a number or a string."""

    location: Location
    value: bool | float | str | None
    text: str
    """As written, without quotes."""
    variable: str | None = None
    """The variable that the complete value came from."""


class Items(Struct, frozen=True, gc=False):
    """A list."""

    location: Location
    values: tuple[Node, ...]


class Member(Struct, frozen=True, gc=False):
    """One entry of a mapping."""

    key_location: Location
    node: Node


class Members(Struct, frozen=True, gc=False):
    """A mapping, in the order it was written."""

    location: Location
    entries: Mapping[str, Member]


Node: TypeAlias = Scalar | Items | Members


def plain(node: Node) -> Json:
    """The value without its places."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Items):
        return [plain(item) for item in node.values]
    return {key: plain(member.node) for key, member in node.entries.items()}


def size(node: Node) -> tuple[int, int]:
    """The number of values in the tree, including the root, and of characters in their texts."""
    if isinstance(node, Scalar):
        return 1, len(node.text)
    inner = node.values if isinstance(node, Items) else [member.node for member in node.entries.values()]
    sizes = [size(item) for item in inner]
    return 1 + sum(values for values, _ in sizes), sum(characters for _, characters in sizes)


def find(node: Node | None, *keys: str) -> Node | None:
    """The node at a path of keys; None if there is none, or a node on the way is not a mapping."""
    for key in keys:
        if not isinstance(node, Members) or key not in node.entries:
            return None
        node = node.entries[key].node
    return node


def value_of(node: Node | None, *keys: str) -> Json:
    """The plain value at a path of keys; None if there is none."""
    found = find(node, *keys)
    return None if found is None else plain(found)


def key_place(node: Node, *keys: str) -> Location:
    """The place of the last key of a path; if it is not in the file, the place of its nearest parent."""
    place = node.location
    for key in keys:
        if not isinstance(node, Members) or key not in node.entries:
            return place
        place, node = node.entries[key].key_location, node.entries[key].node
    return place


def step_into(node: Node, path: Iterable[str | int]) -> Node:
    """The node at a path that exists."""
    for step in path:
        if isinstance(node, Members):
            node = node.entries[str(step)].node
        else:
            assert isinstance(node, Items), "a path leads through mappings and lists"
            node = node.values[int(step)]
    return node


def changed(node: Node, path: tuple[str, ...], change: Callable[[Node], Node]) -> Node:
    """The tree with the node at a path changed; the same object if there is no such node."""
    if not path:
        return change(node)
    if not isinstance(node, Members) or path[0] not in node.entries:
        return node
    member = node.entries[path[0]]
    entries = {**node.entries, path[0]: Member(member.key_location, changed(member.node, path[1:], change))}
    return Members(node.location, entries)
