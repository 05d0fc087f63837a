"""The protocols between packages: the engine uses them, and other packages implement them.

The file is long because each protocol is beside the values that its methods exchange.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol, TypeAlias

import msgspec
from msgspec import Struct

from batchctl.model.chain import ChainCount, Obstacle
from batchctl.model.cost.tokens import Counted
from batchctl.model.desired import (
    LINE_BYTES,
    DesiredJob,
    InlineRows,
    Json,
    Kind,
    RemoteSource,
    RequestRow,
    SharedPlace,
    UploadedFile,
)
from batchctl.model.errors import RowProblem
from batchctl.model.inventory import Inventory
from batchctl.model.keys import Account, Api, AttemptKey, Mark
from batchctl.model.notices import Hook, Notice
from batchctl.model.observed import RemoteJob, RowCounts
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.recorded import Recorded, RecordedAttempt, StateVersion, Write
from batchctl.model.request.problems import Problem
from batchctl.model.row_template import RowTemplate
from batchctl.model.row_work import RowChoice, RowsSent, RowWork
from batchctl.model.rows_left import RowsLeft
from batchctl.model.verdicts import RowVerdict


class Clock(Protocol):
    """The clock. Tests replace it."""

    def now(self) -> datetime:
        """The local time, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; returns early if the process was asked to stop."""
        ...


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


@dataclass(frozen=True)
class SourceFile:
    """A file of an input that batchctl did not upload, as it was at one moment."""

    name: str
    """Such as `gs://bucket/name`."""
    size: int
    generation: str
    """Changes whenever the file is overwritten."""
    created: datetime | None = field(default=None, compare=False)
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


class RowsSummary(Struct, frozen=True):
    """The result of reading a local file of rows."""

    sha256: str
    rows: int
    members: Mapping[str, int]
    """How many rows have each member of a request, which replaces a default."""
    row_hashes: str | None = None
    """See `RowHashes`."""
    warnings: tuple[RowProblem, ...] = ()
    """Warnings about the first rows that have any."""
    output_tokens: int = 0
    """The most output tokens of all rows that set a limit."""
    bounded_rows: int = 0
    """The number of these."""

    @property
    def most_output(self) -> int | None:
        """The most output tokens of all rows; None if a row sets no limit."""
        return self.output_tokens if self.rows and self.bounded_rows == self.rows else None


class OutputLimit(NamedTuple):
    """The most tokens of the answers to some rows."""

    tokens: int
    """Of all rows that set a limit."""
    rows: int
    """The number of these."""


class RowRules(Struct, frozen=True):
    """The rules for checking the requests of rows."""

    api: Api | None = None
    """None if it is not known."""
    defaults: Mapping[str, Json] = msgspec.field(default_factory=dict)
    """`request` of the job, which is merged into each row."""
    is_google_model: bool = True
    """Requests for another publisher's model have other forms and are not checked."""


class RowsOrder(Struct, frozen=True):
    """The rows that a chain asks for."""

    job: str
    """The job that gets the rows."""
    upstream: str
    """The job whose answers they are made from."""
    digest: str | None
    """The digest of that job's present work; None: results of earlier work count, too."""
    accepted: frozenset[str]
    """Verdicts of its rows that count as good besides OK."""
    template: RowTemplate
    kind: Kind
    """The kind of the rows that are made."""
    rules: RowRules
    line_bytes: int = LINE_BYTES


class MadeRows(Struct, frozen=True):
    """A file of rows that were made."""

    path: Path
    sha256: str
    """Of the parsed rows, see `LocalFile`."""
    count: ChainCount


class RowReader(Protocol):
    """Reads rows from local JSONL files, and makes those of chains, for `manifests`, which needs their fingerprint."""

    def fingerprint(
        self, path: Path, kind: Kind, line_bytes: int = LINE_BYTES, rules: RowRules | None = None
    ) -> RowsSummary:
        """Read the complete file once, streamed. Raises RowsError with the errors by line.

        A line of more than `line_bytes` is an error. Without `rules`, requests are not checked.
        """
        ...

    def check(self, rows: Sequence[RequestRow], kind: Kind, rules: RowRules) -> Iterator[tuple[int, Problem]]:
        """The problems in the requests of rows in the manifest, each with the index of its row."""
        ...

    def output_limit(self, rows: Sequence[RequestRow], kind: Kind, rules: RowRules) -> OutputLimit:
        """The most output tokens of the rows in the manifest."""
        ...

    def parse(self, value: Json, kind: Kind) -> RequestRow:
        """Turn `{key, request}` or `{key, text}` into a row in REST form. Raises ValueError with the reason."""
        ...

    def make(
        self, results: Path | SharedPlace, order: RowsOrder, *, afresh: bool = False
    ) -> MadeRows | Obstacle | None:
        """The rows of a chain; None: the other job has no results of its present work.

        They are in a file below `results`, or in a private copy of it. A file that is there already is used, unless
        `afresh`. Never raises.
        """
        ...


class InputEncoder(Protocol):
    """Encodes a job's source for sending."""

    def inline_rows(self, job: DesiredJob, positions: Sequence[int] | None = None) -> InlineRows:
        """The rows of an inline source at these positions, by default all, with `request` defaults merged in."""
        ...

    def encode_file(
        self,
        job: DesiredJob,
        into: BinaryIO,
        positions: Sequence[int] | None = None,
        files: tuple[SourceFile, ...] = (),
    ) -> str:
        """Write the JSONL for the upload, with defaults merged in; returns the sha256 of the bytes in hex.

        `positions` are those of the rows to write, in order; None: all. `files`: those at Cloud Storage in which the
        rows have these positions.

        Raises ResultsError with code `InputChanged` if the local file changed after it was digested, or the files at
        Cloud Storage are others; and ApiError.
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

    def rows(self, job: DesiredJob) -> Iterable[InputRow] | None:
        """The rows as they are sent, in input order, streamed; None if batchctl does not have the input.

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


class Collected(Struct, frozen=True):
    """The outcome of a collection."""

    path: str
    """Relative to the results folder, with `/`."""
    ok: int
    """Rows with a good answer."""
    failed: int
    """Rows with a result that is not good."""
    missing: int | None
    """Input rows without a result; None if the input is not known."""
    unmatched: int
    """Results without an input row, or whose row has another answer."""
    anonymous: int = 0
    """Results without a key, a position or a member that identifies them."""
    tokens: int | None = None
    """Input tokens that the API counted for the answered rows; None if it counted none."""
    counted: Counted | None = None
    """The tokens of its own answers by kind."""
    verdicts: Mapping[str, int] = msgspec.field(default_factory=dict)
    """Rows by the code of their verdict, including rows without a result."""
    came: int = 0
    """Rows with a result of this attempt; the numbers above are those of all attempts."""
    sent: RowsSent | None = None
    """The rows that this attempt sent, with their verdicts; None if their list is not known."""

    def counts(self, reported: RowCounts | None = None) -> RowCounts:
        """The counts of rows. If the input is not known, the API's own numbers say how many rows there were."""
        came = self.ok + self.failed
        if self.missing is not None:
            return RowCounts(came + self.missing, self.ok, self.failed, dict(self.verdicts))
        total = max(came, (reported.total if reported is not None else None) or 0)
        missing = {RowVerdict.NO_RESULT.value: total - came} if total > came else {}
        return RowCounts(total, self.ok, self.failed, {**self.verdicts, **missing})


class Shelf(Protocol):
    """Checks which collected results are complete. Never writes, never raises."""

    def look(self) -> Inventory:
        """The content of the results folder by names, manifests and sizes: cheap, for every pass."""
        ...

    def verify(self, path: str) -> str | None:
        """Compare collected rows with their hash, right before something relies on them.

        Returns why they are not complete, None if they are; the next `look` knows it too.
        """
        ...


class CollectOptions(Struct, frozen=True):
    """The settings of a collection."""

    choice: RowChoice = msgspec.field(default_factory=RowChoice)
    """Which answers of earlier attempts count."""
    counts_missing: bool = True
    """Whether rows without a result count as tried."""
    shards: int = 1
    """The number of remote jobs of the attempt. The results of several are merged later."""
    sent: RowsSent | None = None
    """The rows that it sent by the record, should their list be lost; None: not known."""
    reported: int | None = None
    """The number of its rows by the API's own count; None: not known."""
    is_current: Callable[[Collected], bool] = lambda _collected: False
    """Whether the results become the current ones of the job."""


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
        options: CollectOptions = ...,
    ) -> Collected:
        """Write all items durably under `<job>/<digest8>-<attempt>/`, sorted by input position.

        `known` is what is known of the input; None: only that batchctl sent its rows. `marks` are more facts for the
        folder's manifest: the stack, its uid, and the token of the create call. Repeating it is harmless.

        Raises ResultsError, and the errors of `items` and of a foreign input.
        """
        ...

    def reuse(self, key: AttemptKey, digest: str, source: str, marks: Mapping[str, Json]) -> str:
        """Copy collected results, checked by their hash, to the folder of an attempt; returns its path.

        Repeating it is harmless. Raises ResultsError.
        """
        ...

    def point_current(self, job: str, path: str) -> None:
        """Point `<job>/current` at a collected folder."""
        ...

    def rename_job(self, job: str, to: str) -> bool:
        """Rename a job's folder; False if there is none. Raises ResultsError, also if the new name exists."""
        ...


class RowLedger(Protocol):
    """The answers of a job's rows over all its attempts, in the results folder."""

    def survey(self, job: DesiredJob, choice: RowChoice) -> RowWork | None:
        """The rows of a job's input compared with its ledger. Reads all of them; of rows at Cloud Storage, their list.

        None if the job has no ledger, batchctl does not send its rows, or they cannot be read now. Never raises.
        """
        ...

    def choose(
        self, job: DesiredJob, key: AttemptKey, token: str, choice: RowChoice, new_token: Callable[[], str]
    ) -> ChosenRows:
        """Choose the rows that an attempt sends, and write their list durably. Raises ResultsError and ApiError.

        Rows at Cloud Storage have to be those of the attempts before, or the choice sends all.

        More rows than one remote job may have are split into shards, each with a list and a token of its own.
        A list that the same token wrote before is used again: the call may have got through.
        """
        ...

    def has_list(self, key: AttemptKey, digest: str, token: str) -> bool:
        """Whether the list of rows that this token wrote is there, and whole. Raises ResultsError."""
        ...

    def assemble(
        self, job: DesiredJob, key: AttemptKey, marks: Mapping[str, Json], choice: RowChoice, state: str | None = None
    ) -> tuple[str, Collected]:
        """Write the results of an attempt from answers that are collected already; returns their path.

        `state` is that in which the attempt ended; None: it sends nothing, so its rows show it. Repeating it is
        harmless. Raises ResultsError.
        """
        ...

    def left(
        self, job: DesiredJob, choice: RowChoice, under_way: Iterable[RecordedAttempt], *, follows: bool
    ) -> RowsLeft | None:
        """The rows without a good answer; None if the job has no results, or batchctl does not have its rows.

        `choice` is that of the next attempt; `follows`: whether one follows by itself. `under_way` are the shards of
        the current attempt without results. Raises ResultsError.
        """
        ...


class ChosenRows(Struct, frozen=True):
    """The rows that an attempt sends."""

    sent: RowsSent
    positions: Sequence[int] | None
    """Their 0-based positions in the input, in order; None: all rows, and a source at Cloud Storage as it is."""
    damaged: tuple[str, ...] = ()
    """Parts of the ledger that cannot be read, with the reason: their rows count as not answered."""
    others: tuple[OtherShard, ...] = ()
    """The further shards of the attempt, which are created on their own."""
    files: tuple[SourceFile, ...] = ()
    """The files at Cloud Storage that have the rows at these positions."""


class OtherShard(Struct, frozen=True):
    """A shard of an attempt that is not sent yet."""

    key: AttemptKey
    token: str
    sent: RowsSent


class StateSession(AbstractContextManager["StateSession"], Protocol):
    """The state, locked for writing by this process."""

    def load(self) -> Recorded: ...

    def commit(self, writes: Sequence[Write]) -> None:
        """Make all changes durable, or none. Raises StateError if another process has taken the lock."""
        ...

    def check(self) -> None:
        """Raise StateError if another process has taken the lock."""
        ...


class StateStore(Protocol):
    """The state file."""

    def load(self) -> Recorded:
        """A snapshot without locking; empty if there is no file yet. Raises StateError."""
        ...

    def version(self) -> StateVersion:
        """The version of the present snapshot, without its records. Raises StateError."""
        ...

    def lock(self) -> StateSession:
        """Take the lock for one pass. Raises LockedError (exit 5) and StateError."""
        ...


class Progress(Protocol):
    """Receives the progress of the engine, which never prints."""

    def planned(self, plan: Plan) -> None: ...

    def step(self, job: str, message: str, attempt: int | None = None) -> None:
        """A step of a job was executed; `attempt` is the one that it is about."""
        ...

    def warn(self, message: str) -> None: ...

    def waiting(self, jobs: Sequence[JobPlan], seconds: float) -> None:
        """A pass has ended; the next one starts in `seconds`."""
        ...


class Notifier(Protocol):
    """Delivers notices to hooks. Thread-safe."""

    def send(self, hook: Hook, notice: Notice) -> None:
        """Deliver a notice, once, within a time limit.

        Raises NotDelivered, and HookUnusable if the set-up does not allow a try.
        """
        ...

    def check(self, hook: Hook) -> None:
        """Check whether the set-up allows a delivery to a hook, without one. Raises like `send`."""
        ...
