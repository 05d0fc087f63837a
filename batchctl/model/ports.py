"""The protocols between rooms: what the engine needs, and what implements it elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol, TypeAlias

from batchctl.model.desired import (
    LINE_BYTES,
    DesiredJob,
    InlineRows,
    Json,
    Kind,
    LocalFile,
    RemoteSource,
    RequestRow,
    UploadedFile,
)
from batchctl.model.errors import RowProblem
from batchctl.model.inventory import Inventory
from batchctl.model.keys import Account, Api, AttemptKey, Mark
from batchctl.model.notices import Hook, Notice
from batchctl.model.observed import RemoteJob
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.recorded import Recorded, Write
from batchctl.model.request.problems import Problem


class Clock(Protocol):
    """Time, so that tests can move it."""

    def now(self) -> datetime:
        """The local time, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; returns early when the process was asked to stop."""
        ...


@dataclass(frozen=True)
class CreateRequest:
    """All that one create call needs."""

    mark: Mark
    kind: Kind
    model: str
    source: InlineRows | UploadedFile | RemoteSource
    """Inline rows have the job's `request` defaults merged in already."""
    display_name: str | None = None
    """The user's part; the provider puts the mark where its API can carry it."""
    dest: str | None = None
    """See `DesiredJob.dest`."""
    labels: Mapping[str, str] = field(default_factory=dict)
    priority: int = 0
    """0 where the API has no such field; the same for the next."""
    webhook: Mapping[str, Json] = field(default_factory=dict)
    extra_body: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Upload:
    """A file of rows on its way to where an API reads it."""

    content: Iterable[bytes]
    """The bytes, streamed; read at most once."""
    size: int
    sha256: str
    """Over the bytes, in hex: what makes a repeated upload recognisable."""
    display_name: str


@dataclass(frozen=True)
class ResultItem:
    """One row of a result as the API gave it, in arrival order. One of `response` and `error` is set."""

    key: str | None
    index: int | None
    """The 0-based input position where the row carries our mark; None otherwise."""
    response: Mapping[str, Json] | None = None
    error: Mapping[str, Json] | None = None
    request: Mapping[str, Json] | None = None
    """The request as the API echoes it beside the result, where it does."""
    members: Mapping[str, Json] = field(default_factory=dict)
    """What else stood beside the result: the user's own members of the row, such as `custom_id`."""
    key_is_number: bool = False
    """Whether the key came as a number: an importer may have made one of a text."""
    early: bool = False
    """Whether it comes from what the API wrote before the end: the row is there again, as a rule."""
    aside: BinaryIO | None = None
    """The bytes of a line that was too long to be read; open only until the next row is asked for."""


@dataclass(frozen=True)
class InputRow:
    """One row of an input, as far as its result has to know it."""

    key: str | None
    request: Mapping[str, Json] | None
    """None where no result echoes it."""
    members: Mapping[str, Json] = field(default_factory=dict)
    """The members beside the request, such as `custom_id`."""
    sent: Mapping[str, str] = field(default_factory=dict)
    """The names that were sent with it, where these are others than its own: by member, such as `key`."""


@dataclass(frozen=True)
class SentRows:
    """The input of a job whose rows batchctl sent: its results carry their names or our mark."""

    rows: Iterable[InputRow]
    """In input order, streamed; reading may raise ResultsError."""


@dataclass(frozen=True)
class ForeignRows:
    """The input of a job whose rows batchctl never sent: results match it by their names or the echoed request."""

    rows: Iterable[InputRow]
    """In input order, streamed; reading may raise ApiError."""


@dataclass(frozen=True)
class UnorderedRows:
    """The input of a job whose rows batchctl never sent, where nothing tells in which order they stand.

    So no result has a position, whatever it carries: a label or metadata in it are the rows' own, and prove nothing.
    """


KnownInput: TypeAlias = SentRows | ForeignRows | UnorderedRows
"""What is known of the rows that went in, for the join of results."""


@dataclass(frozen=True)
class FileUse:
    """The content of the place where an API reads uploaded files."""

    files: int
    size: int
    """Bytes of all."""
    own_files: int
    own_size: int
    """Bytes of those that batchctl has uploaded."""
    most: int | None = None
    """Bytes that there may be; None where that has no bound."""


@dataclass(frozen=True)
class Fact:
    """Something that `doctor` shows of a provider, such as who its credentials are."""

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
        """A fingerprint of the credentials, where they alone decide which jobs there are; empty elsewhere.

        Nothing that helps to guess them. Another fingerprint may stand for the same jobs, as after a key's rotation.
        """
        ...

    @property
    def lists_foreign(self) -> bool:
        """Whether `list_jobs` shows jobs that carry no mark of ours too."""
        ...

    def now(self) -> datetime:
        """The local clock plus the offset that `Date` headers show; a single one that is far off does not count."""
        ...

    def confirm_clock(self) -> bool:
        """Ask once more where the last `Date` header was far off and no other confirms it; gives whether it is clear.

        An answer that agrees makes it count. Raises ApiError.
        """
        ...

    def facts(self) -> Sequence[Fact]:
        """Who we are there and where, no secret in it. Raises BatchctlError when there are no usable credentials."""
        ...

    def list_jobs(self, *, foreign: bool = False) -> Iterator[RemoteJob]:
        """All jobs of the stack on this account, page by page; with `foreign`, other people's too.

        Where `lists_foreign` holds they come in any case. A failed page raises, so a list that ends is complete.
        """
        ...

    def get_job(self, name: str) -> RemoteJob:
        """One job, without its results. Raises NotFound.

        The name may be written in any of the API's ways; the job's own is the one that the API gives.
        """
        ...

    def create_job(self, request: CreateRequest) -> RemoteJob:
        """Send the create call, once. The error's `effect` tells what a failed call may have done."""
        ...

    def cancel_job(self, name: str) -> None:
        """Ask for the job's end. Raises NotFound."""
        ...

    def delete_job(self, name: str) -> None:
        """Delete the remote job. Raises NotFound."""
        ...

    def upload_file(self, upload: Upload) -> tuple[str, datetime | None]:
        """Put JSONL where the API reads it; gives the file's name and when it expires, None: not by itself.

        Where files do not expire, the name follows from the content, and a file that is there is not sent again.
        """
        ...

    def delete_file(self, name: str) -> None:
        """Delete a file that `upload_file` gave; one of another name than it gives is left alone. Raises NotFound."""
        ...

    def uploads(self) -> FileUse | None:
        """How much of the place for uploads is used; None where there is no such place."""
        ...

    def read_input(self, source: RemoteSource) -> Iterator[InputRow] | None:
        """The rows of an input that batchctl did not send, streamed, in input order; None when it has no order.

        Raises ApiError, also midway.
        """
        ...

    def read_results(self, name: str) -> Iterator[ResultItem]:
        """The results of a terminal job, streamed, in arrival order; nothing when it has none.

        Raises ResultsNotReady (an ApiError with code `ResultsNotReady`) when the job has ended but its result file
        cannot be read yet.
        """
        ...

    def close(self) -> None: ...


class ProviderFactory(Protocol):
    """Opens the provider of an account, for jobs of the stack and for recorded jobs whose provider left it."""

    def __call__(self, account: Account) -> Provider:
        """Raises UsageError or ManifestError when the account cannot be reached from here, with the way out."""
        ...


@dataclass(frozen=True)
class RowsSummary:
    """What one reading of a local file of rows found."""

    sha256: str
    rows: int
    members: Mapping[str, int]
    """How many rows have each member of a request, which replaces a default."""
    row_hashes: str | None = None
    """See `RowHashes`."""
    warnings: tuple[RowProblem, ...] = ()
    """What is doubtful in the first rows that have such a thing."""
    output_tokens: int = 0
    """The most tokens that the answers to the rows may have, of those rows that bound them."""


@dataclass(frozen=True)
class RowRules:
    """What the requests of rows are checked against."""

    api: Api | None = None
    """None where it is not known."""
    defaults: Mapping[str, Json] = field(default_factory=dict)
    """`request` of the job, which goes under each row."""
    is_google_model: bool = True
    """Requests for another publisher's model have forms of their own, and are not checked."""


class RowReader(Protocol):
    """Reads rows from local JSONL files; given to `manifests`, which needs their fingerprint."""

    def fingerprint(
        self, path: Path, kind: Kind, line_bytes: int = LINE_BYTES, rules: RowRules | None = None
    ) -> RowsSummary:
        """Read the whole file once, streamed. Raises RowsError listing what is wrong, line by line.

        A line of more than `line_bytes` is one of the faults. Without `rules` requests are not checked.
        """
        ...

    def check(self, rows: Sequence[RequestRow], kind: Kind, rules: RowRules) -> Iterator[tuple[int, Problem]]:
        """The problems in the requests of rows that are in the manifest, each with the index of its row."""
        ...

    def output_tokens(self, rows: Sequence[RequestRow], kind: Kind, rules: RowRules) -> int:
        """The most tokens that the answers to rows of the manifest may have, of those rows that bound them."""
        ...

    def parse(self, value: Json, kind: Kind) -> RequestRow:
        """Turn `{key, request}` or `{key, text}` into a row in REST form. Raises ValueError with the reason."""
        ...


class InputEncoder(Protocol):
    """Turns a job's source into what is sent."""

    def inline_rows(self, job: DesiredJob) -> tuple[RequestRow, ...]:
        """The rows of an inline source with the job's `request` defaults under each."""
        ...

    def encode_file(self, job: DesiredJob, source: LocalFile, into: BinaryIO) -> str:
        """Write the JSONL that is uploaded, defaults merged in; gives the sha256 of the bytes in hex.

        Raises ResultsError with code `InputChanged` when the file is no longer the one that was digested.
        """
        ...

    def rows(self, job: DesiredJob) -> Iterator[InputRow] | None:
        """The rows as they are sent, in input order, streamed; None when batchctl does not hold the input.

        Reading raises ResultsError with code `InputChanged` when the file is no longer the one that was digested: then
        nothing is known of the rows that came before.
        """
        ...


@dataclass(frozen=True)
class Collected:
    """What a collection brought."""

    path: str
    """Relative to the results folder, with `/`."""
    ok: int
    failed: int
    missing: int | None
    """Input rows without a result; None when the input is not known."""
    unmatched: int
    """Results that belong to no input row, or to one that has another answer."""
    anonymous: int = 0
    """Results that nothing tells apart: no key, no position, no member of their own."""
    tokens: int | None = None
    """Tokens of the input that the API counted in the rows that brought an answer; None where it counted none."""


class Shelf(Protocol):
    """Tells what of all that was collected is whole. Never writes, never raises."""

    def look(self) -> Inventory:
        """The whole results folder, as far as names, manifests and sizes tell: cheap, and made in every pass."""
        ...

    def verify(self, path: str) -> str | None:
        """Read collected rows against their hash, right before anything is done that counts on them.

        Gives why they are not whole, None when they are; the next `look` knows it too.
        """
        ...


class ResultStore(Protocol):
    """The results folder."""

    def collect(
        self,
        key: AttemptKey,
        digest: str,
        remote: RemoteJob,
        items: Iterable[ResultItem],
        known: KnownInput | None,
        marks: Mapping[str, Json],
    ) -> Collected:
        """Write all items durably under `<job>/<digest8>-<attempt>/`, sorted by input position.

        `known` is what is known of the input; None: only that batchctl sent its rows. `marks` are further facts for
        that folder's manifest. Repeating it is harmless. Raises ResultsError, and whatever `items`
        and a foreign input raise.
        """
        ...

    def reuse(self, key: AttemptKey, digest: str, source: str, marks: Mapping[str, Json]) -> str:
        """Put a copy of collected results, whole by their hash, where those of an attempt lie; gives its path.

        Repeating it is harmless. Raises ResultsError.
        """
        ...

    def point_current(self, job: str, path: str) -> None:
        """Let `<job>/current` point at a collected folder."""
        ...

    def rename_job(self, job: str, to: str) -> bool:
        """Give a job's folder another name; False when there is none. Raises ResultsError, also when it is taken."""
        ...


class StateSession(AbstractContextManager["StateSession"], Protocol):
    """The state, locked for writing by this process."""

    def load(self) -> Recorded: ...

    def commit(self, writes: Sequence[Write]) -> None:
        """Make all changes durable, or none. Raises StateError when another process took the lock over meanwhile."""
        ...

    def check(self) -> None:
        """Raise StateError when another process took the lock over meanwhile."""
        ...


class StateStore(Protocol):
    """The state file."""

    def load(self) -> Recorded:
        """A snapshot without locking; empty when there is no file yet. Raises StateError."""
        ...

    def lock(self) -> StateSession:
        """Take the lock for one pass. Raises LockedError (exit 5) and StateError."""
        ...


class Progress(Protocol):
    """Told what the engine does while it does it. The engine never prints."""

    def planned(self, plan: Plan) -> None: ...

    def step(self, job: str, message: str) -> None:
        """Something was done for a job."""
        ...

    def warn(self, message: str) -> None: ...

    def waiting(self, jobs: Sequence[JobPlan], seconds: float) -> None:
        """A pass has ended; the next comes in so many seconds."""
        ...


class Notifier(Protocol):
    """Tells hooks. Safe to call from several threads at once."""

    def send(self, hook: Hook, notice: Notice) -> None:
        """Deliver a notice, once, within bounded time.

        Raises NotDelivered, and HookUnusable when the set-up here did not even allow to try.
        """
        ...

    def check(self, hook: Hook) -> None:
        """Look whether the set-up here allows to tell a hook, without telling it anything. Raises as `send` does."""
        ...
