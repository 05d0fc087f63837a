"""All messages of requests by name, and which request a kind of row has."""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.model.desired import Kind
from batchctl.model.request import content, generation, retrieval, roots, tools
from batchctl.model.request.fields import Message

_ALL = (*roots.MESSAGES, *content.MESSAGES, *generation.MESSAGES, *tools.MESSAGES, *retrieval.MESSAGES)
MESSAGES: Mapping[str, Message] = {one.name: one for one in _ALL}

ROOTS: Mapping[Kind, Message] = {
    Kind.BATCH_JOB: MESSAGES[roots.GENERATE],
    Kind.EMBEDDINGS_BATCH_JOB: MESSAGES[roots.EMBED],
}
