"""The kinds of job, and of the rows in them."""

from __future__ import annotations

from enum import StrEnum

from batchctl.model.capabilities import CAPABILITIES, is_embedding_model
from batchctl.model.keys import Api


class Kind(StrEnum):
    """The kinds of manifest that describe a job."""

    BATCH_JOB = "BatchJob"
    EMBEDDINGS_BATCH_JOB = "EmbeddingsBatchJob"


def kind_of_rows(api: Api | None, kind: Kind, model: str) -> Kind:
    """The kind of a job's rows. On an API without embeddings jobs the model decides (reference 8.2)."""
    by_model = api is not None and not CAPABILITIES[api].embeddings_kind
    return Kind.EMBEDDINGS_BATCH_JOB if by_model and is_embedding_model(model) else kind
