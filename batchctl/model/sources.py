"""The sources of a job's rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, TypeAlias

import msgspec
from msgspec import Struct

from batchctl.model.chain import Chain, ChainCount, Obstacle
from batchctl.model.json_value import Json
from batchctl.model.partly_equal import PartlyEqual


class RequestRow(Struct, frozen=True):
    """One request of a job's input in the API's REST form, before `request` defaults are merged in."""

    key: str | None
    """None for a row that only its position identifies."""
    request: Mapping[str, Json]
    members: Mapping[str, Json] = msgspec.field(default_factory=dict)
    """The members beside the request, such as `custom_id` and `metadata`: they come back in the results."""
    in_body: bool = False
    """Whether the line is for another publisher's model: `custom_id`, `method`, `url`, and the request as `body`."""

    @property
    def name(self) -> str | None:
        """The name that must be unique in the input: the key, or the `custom_id` that joins the result."""
        custom_id = self.members.get("custom_id") if self.in_body else None
        return self.key if self.key is not None or custom_id is None else str(custom_id)


class InlineRows(Struct, frozen=True, gc=False):
    """Rows in the manifest, sent inside the create call."""

    rows: Sequence[RequestRow]
    positions: tuple[int, ...] = ()
    """Their 0-based positions in the input, if they are a part of it; empty: these are all rows."""
    output_tokens: int | None = None
    """The most tokens of output of all rows; None if a row sets no limit."""


class LocalFile(PartlyEqual, frozen=True, eq=False):
    """A JSONL file beside the manifest; uploaded before the create call."""

    BESIDE: ClassVar = frozenset({"size", "row_hashes", "output_tokens"})

    path: Path
    """Absolute, symlinks resolved, inside the stack's folder unless allowed otherwise."""
    sha256: str
    """Of the parsed rows, not of the bytes: line ends, spaces and member order do not matter."""
    rows: int
    size: int = 0
    """The approximate bytes that are sent, defaults included. Two files with the same rows may differ in it."""
    row_hashes: str | None = None
    """See `RowHashes`."""
    output_tokens: int | None = None
    """The most tokens of output of all rows; None if a row sets no limit."""


class ChainedFile(LocalFile, frozen=True, eq=False, kw_only=True):
    """A file that batchctl made from the answers of another job."""

    BESIDE: ClassVar = LocalFile.BESIDE | {"count"}

    chain: Chain
    count: ChainCount


class AwaitedRows(PartlyEqual, frozen=True, eq=False):
    """Rows that cannot be made yet, because the other job has no results of its present work."""

    BESIDE: ClassVar = frozenset({"obstacle"})

    chain: Chain
    obstacle: Obstacle | None = None
    """The reason why the results that are there give no rows."""


class ChainRows(Struct, frozen=True):
    """The rows of a chain, for reports."""

    job: str
    """The job whose answers they are made from."""
    count: ChainCount | None
    """None: they are not made yet."""

    @classmethod
    def of(cls, source: ChainedFile | AwaitedRows) -> ChainRows:
        """The rows of a source."""
        if isinstance(source, ChainedFile):
            return cls(source.chain.job, source.count)
        return cls(source.chain.job, None if source.obstacle is None else source.obstacle.count)


class UploadedFile(Struct, frozen=True):
    """A file that is where the API reads it already, through batchctl or by the user's hand."""

    name: str
    """The API's name: `files/…` at the Gemini Files API, `gs://…` at Cloud Storage."""


class RemoteSource(PartlyEqual, frozen=True, eq=False):
    """Input that batchctl did not send: Cloud Storage, BigQuery or a dataset."""

    BESIDE: ClassVar = frozenset({"is_divisible"})

    uris: tuple[str, ...]
    """All of one form: `gs://…` (one or several, with wildcards), one `bq://…`, or one `projects/…/datasets/…`."""
    is_divisible: bool = False
    """Whether batchctl can send a part of its rows: it reads them, and writes the part to the provider's bucket."""


class UnknownSource(Struct, frozen=True):
    """The unknown input of a job that was adopted with `spec.adopt`."""


Source: TypeAlias = InlineRows | LocalFile | AwaitedRows | UploadedFile | RemoteSource | UnknownSource
