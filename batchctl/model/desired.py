"""The desired values: the stack, its providers and its jobs, as the manifests describe them.

The file is long because it is one tree of values, from the stack down to a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from batchctl.model.admission import AdmissionLimits
from batchctl.model.capabilities import CAPABILITIES, ApiLimits, is_embedding_model
from batchctl.model.chain import Chain, ChainCount, Obstacle
from batchctl.model.cost.prices import Prices
from batchctl.model.cost.spending import SpendingLimits
from batchctl.model.forecast import STUCK_FACTOR
from batchctl.model.keys import Account, Api
from batchctl.model.notices import Hook
from batchctl.model.row_settings import Canary, MaxFailedRows, RowSettings
from batchctl.model.row_work import ShardLimits
from batchctl.model.sent_with import SentWith
from batchctl.model.token_counting import TokenSample

Json: TypeAlias = Any
"""A JSON value: None, bool, int, float, str, list or dict with string keys."""


LINE_BYTES = 256 * 2**20
"""The default length limit of a line: one row may contain 100 MB of media (reference 16)."""


class Kind(StrEnum):
    """The kinds of manifest that describe a job."""

    BATCH_JOB = "BatchJob"
    EMBEDDINGS_BATCH_JOB = "EmbeddingsBatchJob"


class Location(NamedTuple):
    """A place in a file, for messages: line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1
    has_position: bool = True
    """Whether line and column say where; not for an argument, a variable of the environment or a missing file."""

    @classmethod
    def without_position(cls, name: str) -> Location:
        """A place outside of any file, such as `-f jobs/`."""
        return cls(name, has_position=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.has_position else self.file


class Diagnostic(Struct, frozen=True, order=True):
    """One error or warning about a manifest or the stack file."""

    location: Location
    code: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.location}: {self.code} {self.message}{hint}"


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


class InlineRows(Struct, frozen=True):
    """Rows in the manifest, sent inside the create call."""

    rows: Sequence[RequestRow]
    positions: tuple[int, ...] = ()
    """Their 0-based positions in the input, if they are a part of it; empty: these are all rows."""
    output_tokens: int | None = None
    """The most tokens of output of all rows; None if a row sets no limit."""


@dataclass(frozen=True)
class LocalFile:
    """A JSONL file beside the manifest; uploaded before the create call."""

    path: Path
    """Absolute, symlinks resolved, inside the stack's folder unless allowed otherwise."""
    sha256: str
    """Of the parsed rows, not of the bytes: line ends, spaces and member order do not matter."""
    rows: int
    size: int = field(default=0, compare=False)
    """The approximate bytes that are sent, defaults included. Two files with the same rows may differ in it."""
    row_hashes: str | None = field(default=None, compare=False)
    """See `RowHashes`."""
    output_tokens: int | None = field(default=None, compare=False)
    """The most tokens of output of all rows; None if a row sets no limit."""


@dataclass(frozen=True, kw_only=True)
class ChainedFile(LocalFile):
    """A file that batchctl made from the answers of another job."""

    chain: Chain
    count: ChainCount = field(compare=False)


@dataclass(frozen=True)
class AwaitedRows:
    """Rows that cannot be made yet, because the other job has no results of its present work."""

    chain: Chain
    obstacle: Obstacle | None = field(default=None, compare=False)
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


@dataclass(frozen=True)
class RemoteSource:
    """Input that batchctl did not send: Cloud Storage, BigQuery or a dataset."""

    uris: tuple[str, ...]
    """All of one form: `gs://…` (one or several, with wildcards), one `bq://…`, or one `projects/…/datasets/…`."""
    is_divisible: bool = field(default=False, compare=False)
    """Whether batchctl can send a part of its rows: it reads them, and writes the part to the provider's bucket."""


class UnknownSource(Struct, frozen=True):
    """The unknown input of a job that was adopted with `spec.adopt`."""


Source: TypeAlias = InlineRows | LocalFile | AwaitedRows | UploadedFile | RemoteSource | UnknownSource


class OnChange(StrEnum):
    """The reaction if the digest of a job with an attempt changes."""

    REPLACE = "replace"
    KEEP = "keep"
    FAIL = "fail"


class OnRemove(StrEnum):
    """The reaction if a job is no longer desired."""

    DELETE = "delete"
    CANCEL = "cancel"
    KEEP = "keep"


class OnMissing(StrEnum):
    """The reaction if an unfinished attempt is confirmed gone."""

    FAIL = "fail"
    RECREATE = "recreate"


class Lifecycle(Struct, frozen=True):
    """`spec.lifecycle`, with its defaults. Not part of the digest: changing it never buys a job again."""

    backoff_limit: int = 0
    retry_on: frozenset[str] = frozenset({"FAILED", "EXPIRED"})
    """Names of terminal states without their prefix."""
    pending_deadline: timedelta | None = None
    active_deadline: timedelta | None = None
    ttl_after_finished: timedelta | None = None
    on_change: OnChange = OnChange.REPLACE
    on_remove: OnRemove = OnRemove.DELETE
    on_missing: OnMissing = OnMissing.FAIL
    suspend: bool = False
    protect: bool = False
    max_failed_rows: MaxFailedRows | None = None
    """None: the job fails only when no row is good."""


class Expansion(Struct, frozen=True):
    """The manifest with a matrix that a job comes from, and its axis values."""

    name: str
    """`metadata.name` as the manifest has it."""
    values: Mapping[str, bool | int | float | str]
    """By axis."""

    line: int
    """The first line of the manifest in its file."""
    siblings: tuple[str, ...] = ()
    """The names of jobs that differ in one axis value, for each axis: the job's name with `*` for that value."""

    def __str__(self) -> str:
        return ", ".join(f"{axis}={_written(value)}" for axis, value in self.values.items())


def _written(value: bool | float | str) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class DesiredJob(Struct, frozen=True):
    """One checked, defaulted, digested manifest."""

    name: str
    kind: Kind
    provider: str
    account: Account
    model: str
    """As the user wrote it, without a `models/` prefix."""
    source: Source
    digest: str
    """`d1:` and 64 hex digits: the hash of `tree`."""
    tree: Mapping[str, Json]
    """The content of the digest, with prompt text as sha256. The state keeps it to show changes."""
    path: str
    """The manifest's path relative to the stack's folder, with `/`; `-` for standard input."""
    location: Location
    lifecycle: Lifecycle = msgspec.field(default_factory=Lifecycle)
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    display_name: str | None = None
    dest: str | None = None
    """Where the API writes results: `gs://…` or `bq://…`; None where it keeps them itself."""
    request: Mapping[str, Json] = msgspec.field(default_factory=dict)
    """Defaults in REST form that are merged into every row that batchctl sends (RFC 7396; the row wins)."""
    run_id: str | None = None
    adopt: str | None = None
    """The resource name of the remote job that this manifest adopts. Not in the digest."""
    extra_body: Mapping[str, Json] = msgspec.field(default_factory=dict)
    """Merged into the batch object of the create call, to send fields that batchctl does not know yet."""
    depends_on: tuple[str, ...] = ()
    """Jobs that must have succeeded before this one is created. Not in the digest, like the next three."""
    priority: int = 0
    """Higher comes first, in batchctl's queue and, if the API has a priority, in the API's."""
    webhook: Mapping[str, Json] = msgspec.field(default_factory=dict)
    """`webhookConfig` as the API accepts it; empty: none."""
    input_bytes: int | None = None
    """The approximate bytes of its rows, defaults included; None if batchctl does not send them."""
    row_hashes: str | None = None
    """See `RowHashes`; None if there are too many rows, or batchctl does not send them."""
    row_settings: RowSettings = msgspec.field(default_factory=RowSettings)
    canary: Canary | None = None
    """Not in the digest, like the next one."""
    sharding: ShardLimits = msgspec.field(default_factory=ShardLimits)
    """The limits of one remote job, of the manifest and of the provider."""
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Notes for people and other tools. batchctl uses them for nothing."""
    expansion: Expansion | None = None
    """None if the manifest has no matrix. Nothing but reports regards it."""
    sent_with: SentWith | None = None
    """The change of its requests in one attempt. It is not in the digest, and not in the fingerprints of rows."""
    sample: TokenSample | None = None
    """The tokens of some of its rows as the API counted them. Only estimates go by it; it is not in the digest."""

    @property
    def output_tokens(self) -> int | None:
        """The most tokens of output of all its rows; None if one sets no limit, or batchctl does not send them."""
        return self.source.output_tokens if isinstance(self.source, InlineRows | LocalFile) else None

    @property
    def row_kind(self) -> Kind:
        """The kind of the job's rows, see `kind_of_rows`."""
        return kind_of_rows(self.account.api, self.kind, self.model)

    def changed_by(self, change: SentWith) -> Self:
        """The job as one attempt sends it."""
        return replace(self, model=change.model or self.model, sent_with=change)

    @property
    def chain(self) -> Chain | None:
        """The job whose answers its rows are made from, with the template; None for any other input."""
        return self.source.chain if isinstance(self.source, ChainedFile | AwaitedRows) else None

    @property
    def chain_rows(self) -> ChainRows | None:
        """The rows of a chain; None for any other input."""
        return ChainRows.of(self.source) if isinstance(self.source, ChainedFile | AwaitedRows) else None


def kind_of_rows(api: Api | None, kind: Kind, model: str) -> Kind:
    """The kind of a job's rows. On an API without embeddings jobs the model decides (reference 8.2)."""
    by_model = api is not None and not CAPABILITIES[api].embeddings_kind
    return Kind.EMBEDDINGS_BATCH_JOB if by_model and is_embedding_model(model) else kind


class ProviderConfig(Struct, frozen=True):
    """One entry of the stack's `providers`."""

    name: str
    api: Api
    endpoint: str | None = None
    """`emulator`, a base URL, or None: the environment's base URL, else Google's."""
    project: str = ""
    location: str = ""
    staging_bucket: str | None = None
    """`gs://bucket/prefix/` for local files on an API that does not store them itself."""
    limits: ApiLimits | None = None
    """The API's limits, overridden by the stack's; None: those of `capabilities`."""
    admission: AdmissionLimits = msgspec.field(default_factory=AdmissionLimits)
    """The provider's own admission limits, which override the stack's."""
    api_version: str = "v1"
    """The version in the paths of calls. It is not part of the account: every version shows the same jobs."""
    user_project: str | None = None
    """The project that is billed for requester-pays buckets; None: `project`, if a bucket requires one."""


class Limits(Struct, frozen=True):
    """The stack's `limits` for one pass, and the timings of the exactly-once rules."""

    concurrency: int = 8
    """Calls in flight at once."""
    max_create: int = 100
    max_replace: int = 10
    max_delete: int = 10
    display_name: int = 128
    """The most characters of a display name, mark included."""
    create_timeout: timedelta = timedelta(seconds=60)
    settle_grace: timedelta = timedelta(seconds=180)
    """How long batchctl looks for an unanswered create before sending it again; longer than lease + create timeout."""
    file_min_life: timedelta = timedelta(hours=36)
    """An uploaded file is reused only if this much of its 48 hours is left."""
    admission: AdmissionLimits = msgspec.field(default_factory=AdmissionLimits)
    """Admission limits for each provider without its own."""
    spending: SpendingLimits = msgspec.field(default_factory=SpendingLimits)
    line_bytes: int = LINE_BYTES
    """The most bytes of a line in a file of rows or results."""
    read_timeout: timedelta = timedelta(minutes=5)
    """The time limit of a read: all tries, all pages, and all accounts of a pass together."""
    stuck_factor: float = STUCK_FACTOR
    """An attempt is stuck when it has been in its state for longer than this many times what nine of ten took."""
    pause_when_stalled: bool = True
    """Whether few jobs are added to a queue at the API in which none begins."""
    count_tokens: bool = True
    """Whether the API counts some rows of a job before it is bought, where costs go by the number of tokens."""


class Moved(Struct, frozen=True):
    """One rename of a job (`spec.moved`)."""

    before: str
    after: str
    location: Location


class SharedPlace(Struct, frozen=True):
    """An address that machines share: of a state, such as `gs://bucket/name`, or of results; that ends with a `/`."""

    url: str

    def __str__(self) -> str:
        return self.url


class Stack(Struct, frozen=True):
    """One `batchctl.yaml`, checked and defaulted."""

    name: str
    uid: str
    folder: Path
    file: Path
    providers: Mapping[str, ProviderConfig]
    state: Path | SharedPlace
    results: Path | SharedPlace
    suspend: bool = False
    limits: Limits = msgspec.field(default_factory=Limits)
    moved: tuple[Moved, ...] = ()
    """In the order of the file. Each name is moved once, no manifest has a former name, and there are no circles."""
    notify: tuple[Hook, ...] = ()
    """The hooks that are notified of the ends of jobs."""
    variables_given: tuple[str, ...] = ()
    """The names of variables whose values the command line or the environment gives, sorted."""
    target: str | None = None
    """The target that lies over the stack file. It is in `name` and `uid`, too, unless it goes on with the stack's own
    jobs."""
    prices: Prices | None = None
    """The costs of tokens; None if the stack names no price list."""


@dataclass(frozen=True)
class DesiredStack:
    """The stack and all its desired jobs, sorted by name."""

    stack: Stack
    jobs: tuple[DesiredJob, ...]
    accounts: frozenset[Account] = frozenset()
    """The accounts of all providers, also of those that no job names."""
    warnings: tuple[Diagnostic, ...] = field(default=(), compare=False)
    """Warnings about the manifests, sorted by place."""
