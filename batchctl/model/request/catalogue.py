"""All messages of requests by name, and which request a kind of row has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from batchctl.model.kinds import Kind
from batchctl.model.request import content, generation, retrieval, roots, tools
from batchctl.model.request.fields import Free, Message, Of, message

_TYPES = (*roots.MESSAGES, *content.MESSAGES, *generation.MESSAGES, *tools.MESSAGES, *retrieval.MESSAGES)
_BY_NAME = {one.name: one for one in _TYPES}

ROOTS: Mapping[Kind, Message] = {
    Kind.BATCH_JOB: _BY_NAME[roots.GENERATE],
    Kind.EMBEDDINGS_BATCH_JOB: _BY_NAME[roots.EMBED],
}
ANY = message(
    "AnyRequest",
    "A request of either kind: a stack's defaults are for both, and each takes the members that it knows.",
    *{field.name: field for root in ROOTS.values() for field in root.fields}.values(),
)
MESSAGES: Mapping[str, Message] = _BY_NAME | {ANY.name: ANY}


def _whole(root: Message) -> Iterator[str]:
    for field in root.fields:
        match field.value:
            case Free(is_whole=True):
                yield field.name
            case Of(name):
                yield from _whole(_BY_NAME[name])
            case _:
                pass


WHOLE = frozenset(_whole(ROOTS[Kind.BATCH_JOB]))
"""Members that a row's value replaces completely when it is merged over a default: schemas."""
