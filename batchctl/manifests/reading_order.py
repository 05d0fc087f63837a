"""The order in which manifests are read: a chain after the job whose answers it needs."""

from __future__ import annotations

from collections.abc import Iterable

from batchctl.manifests.builder import Document
from batchctl.manifests.nodes import value_of


def upstream_first(documents: Iterable[Document]) -> list[Document]:
    """The documents, each after the one that its `fromJob` names. In a circle the order does not matter."""
    found = list(documents)
    named = {str(document.name.value): document for document in reversed(found) if document.name is not None}
    ordered: list[Document] = []
    done: set[int] = set()
    for document in found:
        path: list[Document] = []
        one: Document | None = document
        while one is not None and id(one) not in done:
            done.add(id(one))
            path.append(one)
            upstream = value_of(one.root, "spec", "src", "fromJob")
            one = named.get(upstream) if isinstance(upstream, str) else None
        ordered += reversed(path)
    return ordered
