"""The order in which manifests are read: a chain after the job whose answers it needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from batchctl.manifests.builder import Document
from batchctl.manifests.known_files import KnownManifest
from batchctl.manifests.nodes import value_of


def upstream_first(documents: Iterable[Document | KnownManifest]) -> Iterator[Document | KnownManifest]:
    """The documents, each after the one that its `fromJob` names. In a circle the order does not matter.

    Only chains are kept until all others were read. A known manifest is no chain.
    """
    chains = []
    for document in documents:
        if isinstance(document, KnownManifest) or _upstream(document) is None:
            yield document
        else:
            chains.append(document)
    yield from _ordered(chains)


def _ordered(chains: list[Document]) -> Iterator[Document]:
    named = {document.name: document for document in reversed(chains) if document.name is not None}
    done: set[int] = set()
    for document in chains:
        path: list[Document] = []
        one: Document | None = document
        while one is not None and id(one) not in done:
            done.add(id(one))
            path.append(one)
            one = named.get(_upstream(one) or "")
        yield from reversed(path)


def _upstream(document: Document) -> str | None:
    """The job whose answers the document's rows are made from."""
    upstream = value_of(document.root, "spec", "src", "fromJob")
    return upstream if isinstance(upstream, str) else None
