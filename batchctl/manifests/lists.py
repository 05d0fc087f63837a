"""Reads `kind: List`: several manifests in one document, as kubectl writes them."""

from __future__ import annotations

from functools import cache

from batchctl.manifests.fault_list import Faults
from batchctl.manifests.nodes import Items, Node, find, value_of
from batchctl.manifests.schema import read_schema, with_part
from batchctl.manifests.schema_check import Checker

LIST_KIND = "List"


def listed(root: Node, faults: Faults) -> tuple[Node, ...]:
    """The manifests of a list, each with its own place; the value itself if it is no list.

    Whether an item is a manifest, and no list itself, is decided by the reader of manifests. Errors of the list go to
    `faults`; its items are read nevertheless.
    """
    if value_of(root, "kind") != LIST_KIND:
        return (root,)
    _checker().check(root, faults)
    items = find(root, "items")
    return items.values if isinstance(items, Items) else ()


@cache
def _checker() -> Checker:
    """Checks a list without its items."""
    return Checker(with_part(read_schema("list"), ("properties", "items", "items"), {}))
