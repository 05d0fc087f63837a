"""Merges the stack's defaults with a job's spec (RFC 7396). Each value keeps its place in its file."""

from __future__ import annotations

from batchctl.manifests.nodes import Member, Members, Node, Scalar
from batchctl.model.request.catalogue import WHOLE


def merge(under: Node | None, over: Node) -> Node:
    """Merge `over` into `under`: mappings are merged, null removes a member, anything else replaces."""
    if not isinstance(over, Members):
        return over
    entries = dict(under.entries) if isinstance(under, Members) else {}
    for key, member in over.entries.items():
        if isinstance(member.node, Scalar) and member.node.value is None:
            entries.pop(key, None)
        elif isinstance(member.node, Members) and key not in WHOLE:  # null is a value in a JSON schema
            below = entries[key].node if key in entries else None
            entries[key] = Member(member.key_location, merge(below, member.node))
        else:
            entries[key] = member
    return Members(over.location, entries)


def without_nulls(node: Node) -> Node:
    """The value without its null members: in YAML, null means that a field is not set."""
    return merge(None, node)
