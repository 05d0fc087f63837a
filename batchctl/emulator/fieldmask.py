"""Partial replies: the `fields` parameter of Google's APIs, such as `a,b/c,d(e,f(g)),h.i,*`.

Pure. The reply keeps only what the mask names. Even page tokens are dropped if they are not named, as by the real
services.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from msgspec import Struct

from batchctl.emulator.wire import Refused

Tree: TypeAlias = "dict[str, Tree]"
"""Names, each with the subtree of wanted names; an empty tree means everything."""

_TOKEN = re.compile(r"[A-Za-z0-9_@-]+|[*,/.()]")
_BELOW = frozenset("/.")


class FieldMask(Struct, frozen=True):
    """The parts of a reply that the caller wants; everything, without a tree."""

    tree: Tree | None = None

    def wants(self, *path: str) -> bool:
        """Whether anything at or below this path is wanted; what is not need not be computed."""
        tree = self.tree
        for name in path:
            if not tree:
                return True
            found = [tree[key] for key in (name, "*") if key in tree]
            if not found:
                return False
            tree = found[0]
        return True

    def keep(self, value: object) -> object:
        """The reply reduced to the wanted parts."""
        return value if self.tree is None else _keep(value, self.tree)


def parse_mask(text: str | None) -> FieldMask:
    """Parse the parameter. Raises Refused (400) if it is malformed."""
    if text is None or not text.strip():
        return FieldMask()
    squeezed = re.sub(r"\s+", "", text)
    tokens = _TOKEN.findall(squeezed)
    if "".join(tokens) != squeezed:
        raise _malformed(text)
    tree: Tree = {}
    if _read_list(tokens, 0, tree, text) != len(tokens):
        raise _malformed(text)
    return FieldMask(tree)


def _read_list(tokens: list[str], at: int, into: Tree, text: str) -> int:
    """Parse `a,b/c,d(e)` from token `at` into the tree; returns the index of the next token."""
    while True:
        node = into
        while True:
            if at >= len(tokens) or tokens[at] in {",", "/", ".", "(", ")"}:
                raise _malformed(text)
            node = node.setdefault(camel_name(tokens[at]), {})
            at += 1
            if at >= len(tokens) or tokens[at] not in _BELOW:
                break
            at += 1
        if at < len(tokens) and tokens[at] == "(":
            at = _read_list(tokens, at + 1, node, text)
            if at >= len(tokens) or tokens[at] != ")":
                raise _malformed(text)
            at += 1
        if at >= len(tokens) or tokens[at] != ",":
            return at
        at += 1


def camel_name(name: str) -> str:
    """The JSON spelling of a snake_case name; a camelCase name is unchanged."""
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


def _keep(value: object, tree: Tree) -> object:
    if not tree:
        return value
    if isinstance(value, list):
        return [_keep(item, tree) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, item in value.items():
        below = tree.get(key, tree.get("*"))
        if below is not None:
            part = _keep(item, below)
            if part != {} or item == {}:
                kept[key] = part
    return kept


def _malformed(text: str) -> Refused:
    return Refused(400, f"Request contains an invalid argument: invalid field mask {text!r}.")
