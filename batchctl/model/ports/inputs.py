"""The rows of an input, and the protocol of what encodes them for sending."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import BinaryIO, ClassVar, Protocol, TypeAlias

import msgspec
from msgspec import Struct

from batchctl.model.desired import DesiredJob
from batchctl.model.json_value import Json
from batchctl.model.partly_equal import PartlyEqual
from batchctl.model.sources import InlineRows


class InputRow(msgspec.Struct, frozen=True, gc=False):
    """One row of an input, with what is needed to choose it and to join its result."""

    key: str | None
    request: Mapping[str, Json] | None
    """As it was sent; None if no result repeats it."""
    members: Mapping[str, Json] = msgspec.field(default_factory=dict)
    """The members beside the request, such as `custom_id`."""
    sent: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Names that were sent instead of its own, by member, such as `key`."""
    asked: Mapping[str, Json] | None = None
    """See `asked_of`; None: it follows from `request`."""
    output: int = 0
    """The most output tokens, if the request has a limit."""
    fingerprint: bytes = b""
    """See `RowPrinter`; empty for a row that batchctl does not send."""
    size: int = 0
    """The approximate bytes of the row as it is sent."""
    in_body: bool = False
    """See `RequestRow`."""


UNREADABLE: Mapping[str, Json] = {"unreadable": float("nan")}
"""The request of a row that has none: JSON has no NaN, so no reply can repeat it."""


class SourceFile(PartlyEqual, frozen=True, eq=False):
    """A file of an input that batchctl did not upload, as it was at one moment."""

    BESIDE: ClassVar = frozenset({"created"})

    name: str
    """Such as `gs://bucket/name`."""
    size: int
    generation: str
    """Changes whenever the file is overwritten."""
    created: datetime | None = None
    """When this generation was written."""


class SentRows(Struct, frozen=True):
    """An input that batchctl sent: results have the rows' names or our mark."""

    rows: Iterable[InputRow]
    """In input order, streamed; reading may raise ResultsError."""


class ForeignRows(Struct, frozen=True):
    """An input that batchctl did not send: results match it by name or by the repeated request."""

    rows: Iterable[InputRow]
    """In input order, streamed; reading may raise ApiError."""
    files: tuple[SourceFile, ...] = ()
    """The files that have them, if rows with fingerprints are the ones that the attempt was sent with."""


class UnorderedRows(Struct, frozen=True):
    """An input that batchctl did not send and that has no order.

    So no result has a position. Labels or metadata in it are the user's and prove nothing.
    """


KnownInput: TypeAlias = SentRows | ForeignRows | UnorderedRows
"""The known part of the input, for joining results."""


class EncodedFile(Struct, frozen=True, eq=False):
    """The rows of a job as they are uploaded."""

    content: BinaryIO
    """A temporary file, gone when it is closed."""
    sha256: str


class InputEncoder(Protocol):
    """Encodes a job's source for sending."""

    def inline_rows(self, job: DesiredJob, positions: Sequence[int] | None = None) -> InlineRows:
        """The rows of an inline source at these positions, by default all, with `request` defaults merged in."""
        ...

    def encode_file(
        self, job: DesiredJob, positions: Sequence[int] | None = None, files: tuple[SourceFile, ...] = ()
    ) -> EncodedFile:
        """The JSONL for the upload, with defaults merged in. The caller closes it.

        `positions` are those of the rows to write, in order; None: all. `files`: those at Cloud Storage in which the
        rows have these positions.

        Raises ResultsError with code `InputChanged` if the local file changed after it was digested, or the files at
        Cloud Storage are others; ApiError; and OSError if the disk has no space for it.
        """
        ...

    def files(self, job: DesiredJob) -> tuple[SourceFile, ...]:
        """The files at Cloud Storage that have the rows of a job, read now; empty for other jobs. Raises ApiError."""
        ...

    def may_exceed(self, job: DesiredJob) -> bool:
        """Whether a source at Cloud Storage has, or may have, more than one remote job may have. Raises ApiError.

        It goes by the sizes of files, and by the first rows where they may be too many.
        """
        ...

    def rows(self, job: DesiredJob, *, ahead: bool = False) -> Iterable[InputRow] | None:
        """The rows as they are sent, in input order, streamed; None if batchctl does not have the input.

        `ahead`: all of them will most likely be sent, so that their upload may be prepared at the same time.

        Reading raises ResultsError with code `InputChanged` if the file changed after it was digested. Then the rows
        that were already read are not valid either. Raises ApiError for rows at Cloud Storage.
        """
        ...

    def with_fingerprints(self, job: DesiredJob, rows: Iterable[InputRow]) -> Iterator[InputRow]:
        """Rows that were sent as they are at Cloud Storage, with their fingerprints."""
        ...

    def release(self) -> None:
        """Delete temporary copies of inputs."""
        ...

    def former_rows(self, job: DesiredJob, sha256: str) -> Iterable[InputRow] | None:
        """The rows of a chain that were made from earlier answers, by their hash; None if they are not kept."""
        ...
