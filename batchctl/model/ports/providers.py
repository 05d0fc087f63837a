"""The protocol of a provider, with the values that its methods exchange."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import BinaryIO, Protocol

import msgspec
from msgspec import Struct

from batchctl.model.json_value import Json
from batchctl.model.keys import Account, Mark
from batchctl.model.kinds import Kind
from batchctl.model.observed import RemoteJob
from batchctl.model.ports.inputs import InputRow, SourceFile
from batchctl.model.sources import InlineRows, RemoteSource, UploadedFile


class CreateRequest(Struct, frozen=True):
    """The content of one create call."""

    mark: Mark
    kind: Kind
    model: str
    source: InlineRows | UploadedFile | RemoteSource
    """In inline rows, the job's `request` defaults are merged in."""
    display_name: str | None = None
    """The user's part; the provider adds the mark or sends it as labels."""
    dest: str | None = None
    """See `DesiredJob.dest`."""
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    priority: int = 0
    """0 if the API has no such field; `webhook` is empty then."""
    webhook: Mapping[str, Json] = msgspec.field(default_factory=dict)
    extra_body: Mapping[str, Json] = msgspec.field(default_factory=dict)


class Upload(Struct, frozen=True):
    """A file of rows to upload."""

    content: Iterable[bytes]
    """The bytes, streamed; read at most once."""
    size: int
    sha256: str
    """Of the bytes, in hex. It identifies a repeated upload."""
    display_name: str


class ResultItem(msgspec.Struct, frozen=True):
    """One row of a result as the API gave it, in arrival order. One of `response` and `error` is set."""

    key: str | None
    index: int | None
    """The 0-based input position if the row has our mark; else None."""
    response: Mapping[str, Json] | None = None
    error: Mapping[str, Json] | None = None
    request: Mapping[str, Json] | None = None
    """The request that the API repeats beside the result; None if it does not."""
    members: Mapping[str, Json] = msgspec.field(default_factory=dict)
    """Other members beside the result: the user's own members of the row, such as `custom_id`."""
    key_is_number: bool = False
    """Whether the key is a number: an importer may have converted a text."""
    early: bool = False
    """Whether the API wrote it before the end of the job: the final results usually have the row again."""
    aside: BinaryIO | None = None
    """The bytes of a line that is too long; open only until the next row is read."""


class FileUse(Struct, frozen=True):
    """The content of the place where an API reads uploaded files."""

    files: int
    size: int
    """Bytes of all."""
    own_files: int
    own_size: int
    """Bytes of the files that batchctl uploaded."""
    most: int | None = None
    """The most bytes; None without a limit."""


class Fact(Struct, frozen=True):
    """A fact about a provider for `doctor`, such as the owner of its credentials."""

    check: str
    detail: str


class Provider(Protocol):
    """One account on one API. Safe to call from several threads at once.

    Every method raises ApiError; reads are retried politely inside, create is sent once.
    """

    @property
    def account(self) -> Account: ...

    @property
    def identity(self) -> str:
        """A fingerprint of the credentials if only they determine the visible jobs; else empty.

        It does not help to guess them. After the rotation of a key, another fingerprint shows the same jobs.
        """
        ...

    @property
    def lists_foreign(self) -> bool:
        """Whether `list_jobs` always includes jobs without our mark."""
        ...

    def now(self) -> datetime:
        """The local clock plus the offset of `Date` headers; a single header with a large difference does not count."""
        ...

    def confirm_clock(self) -> bool:
        """Make one more call if the last `Date` header had a large difference; returns whether the clock is certain.

        An answer that agrees confirms the header. Raises ApiError.
        """
        ...

    def facts(self) -> Sequence[Fact]:
        """Facts about account and credentials, without secrets. Raises BatchctlError without usable credentials."""
        ...

    def list_jobs(self, *, foreign: bool = False) -> Iterator[RemoteJob]:
        """All jobs of the stack on this account, page by page; with `foreign`, other people's too.

        If `lists_foreign` is true, those are always included. A failed page raises, so a list that ends is complete.
        """
        ...

    def calls_of_list(self, jobs: int) -> int:
        """The calls that a list of so many jobs takes, by the size of the pages that the API has given so far."""
        ...

    def get_job(self, name: str) -> RemoteJob:
        """One job, without its results. Raises NotFound.

        The name may have any form that the API accepts; the returned job has the API's own.
        """
        ...

    def create_job(self, request: CreateRequest) -> RemoteJob:
        """Send the create call, once. The `effect` of the error is what a failed call may have done."""
        ...

    def cancel_job(self, name: str) -> None:
        """Request the cancellation of the job. Raises NotFound."""
        ...

    def delete_job(self, name: str) -> None:
        """Delete the remote job. Raises NotFound."""
        ...

    def upload_file(self, upload: Upload) -> tuple[str, datetime | None]:
        """Upload JSONL; returns the file's name and its expiry, None if it does not expire.

        If files do not expire, the name follows from the content, and an existing file is not sent again.
        """
        ...

    def delete_file(self, name: str) -> None:
        """Delete a file from `upload_file`; files with other names are not touched. Raises NotFound."""
        ...

    def uploads(self) -> FileUse | None:
        """The use of the storage for uploads; None if the API has none."""
        ...

    def find_input(self, source: RemoteSource) -> tuple[SourceFile, ...] | None:
        """The files of an input that batchctl did not send, in input order; None if it is not in files.

        Raises ApiError: NotFound if a file does not exist, or a pattern matches none.
        """
        ...

    def read_input(self, files: Sequence[SourceFile]) -> Generator[InputRow]:
        """The rows of these files, streamed, in input order.

        Raises ApiError during the iteration: BadRequest with HTTP 412 if a file was overwritten in the meantime.
        """
        ...

    def read_results(self, name: str) -> Iterator[ResultItem]:
        """The results of a terminal job, streamed, in arrival order; empty if it has none.

        Raises ResultsNotReady (an ApiError with code `ResultsNotReady`) if the job has ended but its result file cannot
        be read yet.
        """
        ...

    def close(self) -> None: ...


class ProviderFactory(Protocol):
    """Opens the provider of an account, also for recorded jobs whose provider is no longer in the stack."""

    def __call__(self, account: Account) -> Provider:
        """Raises UsageError or ManifestError with a hint if the account cannot be used from here."""
        ...
