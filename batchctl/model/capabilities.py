"""What each API can and cannot: one matrix, asked by validation, by the encoding of rows and by `doctor`.

Nothing else in batchctl may say "this API has no …": a difference between the two is a line here.
Source: reference 6.1 (which field on which API), chapter 10 (limits), 1.5 and 3 (filters), 2.1, 8.1, 8.2 (rows).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from batchctl.model.keys import Api


class SourceForm(StrEnum):
    """The forms of `src`, by the name of the field in its long form."""

    INLINE = "inlinedRequests"
    FILE = "file"
    UPLOADED = "fileName"
    GCS = "gcsUri"
    BIGQUERY = "bigqueryUri"
    DATASET = "vertexDatasetName"


class DestForm(StrEnum):
    """The forms of `dest`, by the name of the field in its long form."""

    GCS = "gcsUri"
    BIGQUERY = "bigqueryUri"


class RowMark(StrEnum):
    """How a row that batchctl sends in a file is known again in its result."""

    KEY = "key"
    """By the `key` beside the request."""
    LABEL = "label"
    """By that key, and by labels inside the request, which hold the row's position."""


JOBS_A_PAGE = 100
"""How many jobs a page of a list holds, as we ask for it (reference 1.5, chapter 3)."""


@dataclass(frozen=True)
class ApiLimits:
    """What an account may hold; None where the API names no number. They change often: settings of a provider."""

    active: int | None
    """Jobs that have not ended, at once."""
    rows: int | None
    """Rows of one job."""
    embedding_rows: int | None
    """Rows of one job whose model makes embeddings."""
    file_bytes: int
    """Bytes of one input file."""
    inline_bytes: int | None
    """Bytes of a create call with its rows in it; None where rows cannot stand there."""


@dataclass(frozen=True)
class Capabilities:
    """What one API can."""

    sources: frozenset[SourceForm]
    dests: frozenset[DestForm]
    """Where results may go; empty: the API keeps them itself. Where there is a choice, the user has to make it."""
    embeddings_kind: bool
    """Whether there are embeddings jobs of a kind of their own; else a model for embeddings makes them."""
    labels: bool
    """Whether remote jobs carry labels; else the mark stands in the display name."""
    list_filter: bool
    """Whether a list can be asked for our jobs alone."""
    webhooks: bool
    priority: bool
    staging: bool
    """Whether local files go to a bucket of the user's; else the API has a place of its own for them."""
    row_mark: RowMark
    limits: ApiLimits
    versions: tuple[str, ...]
    """In the paths of its calls; the first is the default (reference chapter 16)."""
    inline_result_bytes: int | None
    """Bytes of a reply that holds a job's results from which on the API was seen to fail; None where no reply does."""
    result_file_bytes: int | None
    """Bytes of a result file that the API keeps itself; None where it is written to a place of the user's."""
    results_kept: timedelta | None
    """How long after a job's end its results are sure to be there; None where they lie in a place of the user's."""


_GEMINI = Capabilities(
    sources=frozenset({SourceForm.INLINE, SourceForm.FILE, SourceForm.UPLOADED}),
    dests=frozenset(),
    embeddings_kind=True,
    labels=False,
    list_filter=False,
    webhooks=True,
    priority=True,
    staging=False,
    row_mark=RowMark.KEY,
    limits=ApiLimits(active=100, rows=None, embedding_rows=None, file_bytes=2 * 2**30, inline_bytes=20_971_520),
    versions=("v1", "v1beta"),
    # A reply of about 1.2 GB was 503 after a minute, or 504 (reference chapter 9).
    inline_result_bytes=1_200_000_000,
    result_file_bytes=2 * 2**30,
    # The documents say six weeks; results were gone after a couple of days (reference chapter 16).
    results_kept=timedelta(hours=48),
)
_VERTEX = Capabilities(
    sources=frozenset({SourceForm.FILE, SourceForm.GCS, SourceForm.BIGQUERY, SourceForm.DATASET}),
    dests=frozenset({DestForm.GCS, DestForm.BIGQUERY}),
    embeddings_kind=False,
    labels=True,
    list_filter=True,
    webhooks=False,
    priority=False,
    staging=True,
    row_mark=RowMark.LABEL,
    limits=ApiLimits(active=None, rows=200_000, embedding_rows=1_000_000, file_bytes=2**30, inline_bytes=None),
    versions=("v1", "v1beta1"),
    inline_result_bytes=None,
    result_file_bytes=None,
    results_kept=None,
)
CAPABILITIES: Mapping[Api, Capabilities] = {Api.GEMINI: _GEMINI, Api.VERTEX: _VERTEX}
"""The matrix."""

_LEGACY_EMBEDDING_MODEL = re.compile(r"(text-embedding|text-multilingual-embedding)-.*")
_EMBEDDING_MODEL = re.compile(r"(gemini-embedding|text-embedding|text-multilingual-embedding|embedding)-.*")


_PUBLISHED = re.compile(r"(?:publishers/([^/]+)/models|([^/]+))/[^/]+")
_OWN_PREFIXES = frozenset({"google", "models", "tunedModels"})


def is_partner_model(model: str) -> bool:
    """Whether a model is another publisher's than Google: its rows are in a form of their own (reference 16)."""
    found = _PUBLISHED.fullmatch(model)
    return found is not None and (found[1] or found[2]) not in _OWN_PREFIXES


def is_embedding_model(model: str) -> bool:
    """Whether a model, by the last part of its name, makes embeddings rather than text."""
    return _EMBEDDING_MODEL.fullmatch(model.rpartition("/")[2]) is not None


def has_legacy_rows(api: Api, model: str) -> bool:
    """Whether a model's rows on an API have the old form, which is no request and batchctl does not send (8.2)."""
    of_its_own = CAPABILITIES[api].embeddings_kind
    return not of_its_own and _LEGACY_EMBEDDING_MODEL.fullmatch(model.rpartition("/")[2]) is not None
