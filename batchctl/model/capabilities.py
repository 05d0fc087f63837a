"""The capabilities of each API: one matrix for validation, the encoding of rows, admission and `doctor`.

A difference between the APIs that more than one package needs is a line here.
Source: reference 6.1 (which field on which API), chapter 10 (limits), 1.5 and 3 (filters), 2.1, 8.1, 8.2 (rows).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from msgspec import Struct

from batchctl.model.keys import Api
from batchctl.model.pattern import Pattern


class SourceForm(StrEnum):
    """The forms of `src`, by the name of the field in its long form."""

    INLINE = "inlinedRequests"
    FILE = "file"
    UPLOADED = "fileName"
    GCS = "gcsUri"
    BIGQUERY = "bigqueryUri"
    DATASET = "vertexDatasetName"
    CHAIN = "fromJob"


class DestForm(StrEnum):
    """The forms of `dest`, by the name of the field in its long form."""

    GCS = "gcsUri"
    BIGQUERY = "bigqueryUri"


class RowMark(StrEnum):
    """How a row that batchctl sends in a file is recognised in its result."""

    KEY = "key"
    """By the `key` beside the request."""
    LABEL = "label"
    """By the key, and by labels inside the request with the row's position."""


class ApiLimits(Struct, frozen=True):
    """Limits of an account; None if the API documents none. Providers can override them, because they change often."""

    active: int | None
    """Unfinished jobs."""
    rows: int | None
    """Rows of one job."""
    embedding_rows: int | None
    """Rows of one job with an embedding model."""
    file_bytes: int
    """Bytes of one input file."""
    inline_bytes: int | None
    """Bytes of a create call with inline rows; None if the API accepts none."""


class Capabilities(Struct, frozen=True):
    """The capabilities of one API."""

    sources: frozenset[SourceForm]
    dests: frozenset[DestForm]
    """Destinations of results; empty: the API keeps them. If there are several, the user has to choose one."""
    embeddings_kind: bool
    """Whether embeddings jobs are a separate kind; else the model decides."""
    labels: bool
    """Whether remote jobs have labels; else the mark is in the display name."""
    list_filter: bool
    """Whether lists can be filtered by our labels."""
    webhooks: bool
    priority: bool
    staging: bool
    """Whether local files are uploaded to a user's bucket; else the API stores them itself."""
    row_mark: RowMark
    limits: ApiLimits
    versions: tuple[str, ...]
    """In the paths of its calls; the first is the default (reference chapter 16)."""
    inline_result_bytes: int | None
    """Size at which replies with inline results were seen to fail; None if replies contain no results."""
    result_file_bytes: int | None
    """Bytes of a result file that the API keeps; None if results are written to a user's place."""
    results_kept: timedelta | None
    """How long after a job's end its results certainly exist; None if they are in a user's place."""
    start_time: bool
    """Whether it reports when a job began to run; else the first look that shows it running counts."""


_GEMINI = Capabilities(
    sources=frozenset({SourceForm.INLINE, SourceForm.FILE, SourceForm.UPLOADED, SourceForm.CHAIN}),
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
    # Replies of about 1.2 GB failed with 503 after a minute, or with 504 (reference chapter 9).
    inline_result_bytes=1_200_000_000,
    result_file_bytes=2 * 2**30,
    # Documented are six weeks, but results were gone after a couple of days (reference chapter 16).
    results_kept=timedelta(hours=48),
    start_time=False,
)
_VERTEX = Capabilities(
    sources=frozenset({SourceForm.FILE, SourceForm.GCS, SourceForm.BIGQUERY, SourceForm.DATASET, SourceForm.CHAIN}),
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
    start_time=True,
)
CAPABILITIES: Mapping[Api, Capabilities] = {Api.GEMINI: _GEMINI, Api.VERTEX: _VERTEX}
"""The matrix."""

_LEGACY_EMBEDDING_MODEL = Pattern(r"(text-embedding|text-multilingual-embedding)-.*")
_EMBEDDING_MODEL = Pattern(r"(gemini-embedding|text-embedding|text-multilingual-embedding|embedding)-.*")


_PUBLISHED = Pattern(r"(?:publishers/([^/]+)/models|([^/]+))/[^/]+")
_OWN_PREFIXES = frozenset({"google", "models", "tunedModels"})


def is_partner_model(model: str) -> bool:
    """Whether a model is from another publisher than Google: its rows have another form (reference 16)."""
    found = _PUBLISHED.fullmatch(model) if "/" in model else None
    return found is not None and (found[1] or found[2]) not in _OWN_PREFIXES


def is_embedding_model(model: str) -> bool:
    """Whether a model makes embeddings, by the last part of its name."""
    return _EMBEDDING_MODEL.fullmatch(model.rpartition("/")[2]) is not None


def has_legacy_rows(api: Api, model: str) -> bool:
    """Whether a model's rows on an API have the old form, which batchctl does not send (reference 8.2)."""
    of_its_own = CAPABILITIES[api].embeddings_kind
    return not of_its_own and _LEGACY_EMBEDDING_MODEL.fullmatch(model.rpartition("/")[2]) is not None
