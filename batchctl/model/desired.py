"""What the manifests say: the stack, its providers, and the jobs it shall have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

from batchctl.model.admission import AdmissionLimits
from batchctl.model.capabilities import CAPABILITIES, ApiLimits, is_embedding_model
from batchctl.model.keys import Account, Api
from batchctl.model.notices import Hook

Json: TypeAlias = Any
"""A value as JSON has it: None, bool, int, float, str, list or dict with string keys."""


LINE_BYTES = 256 * 2**20
"""Longest line that is read where the stack says nothing else: one row may hold 100 MB of media (reference 16)."""


class Kind(StrEnum):
    """The kinds of manifest that describe a job."""

    BATCH_JOB = "BatchJob"
    EMBEDDINGS_BATCH_JOB = "EmbeddingsBatchJob"


@dataclass(frozen=True, order=True)
class Location:
    """A place in a file, for messages: line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, order=True)
class Diagnostic:
    """One fault in a manifest or stack file, or something doubtful there."""

    location: Location
    code: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.location}: {self.code} {self.message}{hint}"


@dataclass(frozen=True)
class RequestRow:
    """One request of a job's input, in the API's REST form, before `request` defaults are put under it."""

    key: str | None
    """None for a row that is known by its position alone."""
    request: Mapping[str, Json]
    members: Mapping[str, Json] = field(default_factory=dict)
    """The members beside the request, such as `custom_id` and `metadata`: they come back in the results."""
    in_body: bool = False
    """Whether it is a line for another publisher's model: `custom_id`, `method`, `url`, and the request as `body`."""

    @property
    def name(self) -> str | None:
        """What no other row of the input may be called: its key, or by what alone its result is joined."""
        custom_id = self.members.get("custom_id") if self.in_body else None
        return self.key if self.key is not None or custom_id is None else str(custom_id)


@dataclass(frozen=True)
class InlineRows:
    """Rows written in the manifest itself; sent inside the create call."""

    rows: tuple[RequestRow, ...]


@dataclass(frozen=True)
class LocalFile:
    """A JSONL file beside the manifest; uploaded before the create call."""

    path: Path
    """Absolute, symlinks resolved, inside the stack's folder unless allowed otherwise."""
    sha256: str
    """Over the parsed rows, not over the bytes: line ends, spaces and member order change nothing."""
    rows: int
    size: int = field(default=0, compare=False)
    """About how many bytes are sent, defaults included; they say nothing of what the rows are."""
    row_hashes: str | None = field(default=None, compare=False)
    """See `RowHashes`."""


@dataclass(frozen=True)
class UploadedFile:
    """A file that is where the API reads it already, through batchctl or by the user's hand."""

    name: str
    """As the API calls it: `files/…` at the Gemini Files API, `gs://…` at Cloud Storage."""


@dataclass(frozen=True)
class RemoteSource:
    """Input that the API reads itself and batchctl never sent: Cloud Storage, BigQuery or a dataset."""

    uris: tuple[str, ...]
    """All of one form: `gs://…` (one or several, with wildcards), one `bq://…`, or one `projects/…/datasets/…`."""


@dataclass(frozen=True)
class UnknownSource:
    """The input of a job that was made by hand and taken in with `spec.adopt`: it is not known here."""


Source: TypeAlias = InlineRows | LocalFile | UploadedFile | RemoteSource | UnknownSource


class OnChange(StrEnum):
    """What follows when the digest of a job with an attempt changes."""

    REPLACE = "replace"
    KEEP = "keep"
    FAIL = "fail"


class OnRemove(StrEnum):
    """What follows when a job is no longer desired."""

    DELETE = "delete"
    CANCEL = "cancel"
    KEEP = "keep"


class OnMissing(StrEnum):
    """What follows when an unfinished attempt is confirmed gone."""

    FAIL = "fail"
    RECREATE = "recreate"


@dataclass(frozen=True)
class Lifecycle:
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


@dataclass(frozen=True)
class DesiredJob:
    """One checked, defaulted, digested manifest."""

    name: str
    kind: Kind
    provider: str
    account: Account
    model: str
    """As the user wrote it, without a `models/` prefix."""
    source: Source
    digest: str
    """`d1:` and 64 hex digits over what the work depends on."""
    tree: Mapping[str, Json]
    """What went into the digest, prompt-bearing parts by their own sha256. Kept in the state to show changes."""
    path: str
    """The manifest's path relative to the stack's folder, with `/`; `-` for standard input."""
    location: Location
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    labels: Mapping[str, str] = field(default_factory=dict)
    display_name: str | None = None
    dest: str | None = None
    """Where the API writes results: `gs://…` or `bq://…`; None where it keeps them itself."""
    request: Mapping[str, Json] = field(default_factory=dict)
    """Defaults put under every row that batchctl itself sends (RFC 7396; the row wins), in REST form."""
    run_id: str | None = None
    adopt: str | None = None
    """The resource name of a job made by hand that this manifest takes in. Not in the digest."""
    extra_body: Mapping[str, Json] = field(default_factory=dict)
    """Merged over the create call's batch object: the way to send a field that batchctl does not know yet."""
    depends_on: tuple[str, ...] = ()
    """Jobs that must have succeeded before this one is created. Not in the digest, like the next three."""
    priority: int = 0
    """Higher comes first, in our queue and, where the API has such a field, in its own."""
    webhook: Mapping[str, Json] = field(default_factory=dict)
    """`webhookConfig` as the API takes it; empty: none."""
    input_bytes: int | None = None
    """About how much text its rows hold, defaults included; None where batchctl does not send them."""
    row_hashes: str | None = None
    """See `RowHashes`; None where the rows are too many, or batchctl does not send them."""

    @property
    def row_kind(self) -> Kind:
        """The kind of the job's rows, see `kind_of_rows`."""
        return kind_of_rows(self.account.api, self.kind, self.model)


def kind_of_rows(api: Api | None, kind: Kind, model: str) -> Kind:
    """Which kind of rows a job has: where an API has no embeddings jobs, the model tells (reference 8.2)."""
    by_model = api is not None and not CAPABILITIES[api].embeddings_kind
    return Kind.EMBEDDINGS_BATCH_JOB if by_model and is_embedding_model(model) else kind


@dataclass(frozen=True)
class ProviderConfig:
    """One entry of the stack's `providers`."""

    name: str
    api: Api
    endpoint: str | None = None
    """`emulator`, a base URL, or None for the environment's choice and then Google's own."""
    project: str = ""
    location: str = ""
    staging_bucket: str | None = None
    """`gs://bucket/prefix/` for local files, where an API has no place of its own for them."""
    limits: ApiLimits | None = None
    """The API's limits with the stack's own numbers over them; None: as in the matrix of `capabilities`."""
    admission: AdmissionLimits = field(default_factory=AdmissionLimits)
    """The provider's own bounds on what is at work at once; they win over the stack's."""
    api_version: str = "v1"
    """The version in the paths of the API's calls. No part of the account: every version shows the same jobs."""
    user_project: str | None = None
    """The project that is billed for reads of buckets whose reader pays; None: `project`, where a bucket asks."""


@dataclass(frozen=True)
class Limits:
    """The stack's `limits`: bounds on what one pass may do, and timings of the exactly-once machinery."""

    concurrency: int = 8
    """Calls in flight at once."""
    max_create: int = 100
    max_replace: int = 10
    max_delete: int = 10
    display_name: int = 128
    """Longest display name sent, mark included, in characters."""
    create_timeout: timedelta = timedelta(seconds=60)
    settle_grace: timedelta = timedelta(seconds=180)
    """How long an unanswered create is looked for before it is sent again; longer than lease + create timeout."""
    file_min_life: timedelta = timedelta(hours=36)
    """An uploaded file is used again only with this much of its 48 hours left."""
    admission: AdmissionLimits = field(default_factory=AdmissionLimits)
    """Bounds on what is at work at once, for each provider that has none of its own."""
    line_bytes: int = LINE_BYTES
    """Longest line of a file of rows or results that is read as one."""
    read_timeout: timedelta = timedelta(minutes=5)
    """What a read may take in all: all tries, all pages, and all accounts that a pass looks at."""


@dataclass(frozen=True)
class Moved:
    """One rename of a job (`spec.moved`): what was called one thing is the same job under another name."""

    before: str
    after: str
    location: Location


@dataclass(frozen=True)
class Stack:
    """One `batchctl.yaml`, checked and defaulted."""

    name: str
    uid: str
    folder: Path
    file: Path
    providers: Mapping[str, ProviderConfig]
    state: Path
    results: Path
    suspend: bool = False
    limits: Limits = field(default_factory=Limits)
    moved: tuple[Moved, ...] = ()
    """In the order of the file. Each name is moved once, and no job of the manifests has a name that was moved
    away, nor do the entries go in a circle."""
    notify: tuple[Hook, ...] = ()
    """The hooks that are notified of the ends of jobs."""


@dataclass(frozen=True)
class DesiredStack:
    """Everything the manifests say: the stack and all its jobs, sorted by name."""

    stack: Stack
    jobs: tuple[DesiredJob, ...]
    accounts: frozenset[Account] = frozenset()
    """Of all the stack's providers, also of those that no job names."""
    warnings: tuple[Diagnostic, ...] = field(default=(), compare=False)
    """What is doubtful in the manifests, sorted by place."""
