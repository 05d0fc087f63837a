"""Puts one mapping over another, as RFC 7396 says, keeping where each value was written.

Owns the merging of the stack's defaults with a job's spec.
"""

from __future__ import annotations

from batchctl.manifests.nodes import Member, Members, Node, Scalar
from batchctl.model.request.catalogue import WHOLE


def merge(under: Node | None, over: Node) -> Node:
    """Put `over` on `under`: mappings are merged, null takes a member away, anything else replaces."""
    if not isinstance(over, Members):
        return over
    entries = dict(under.entries) if isinstance(under, Members) else {}
    for key, member in over.entries.items():
        if isinstance(member.node, Scalar) and member.node.value is None:
            entries.pop(key, None)
        elif key in WHOLE:  # in a schema, null means something
            entries[key] = member
        else:
            below = entries[key].node if key in entries else None
            entries[key] = Member(member.key_location, merge(below, member.node))
    return Members(over.location, entries)


def without_nulls(node: Node) -> Node:
    """The same value with null members left out: null is how YAML says that a field is not given."""
    return merge(None, node)
