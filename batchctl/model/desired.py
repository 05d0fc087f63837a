"""The desired jobs, as the manifests describe them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar, Self

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from batchctl.model.chain import Chain
from batchctl.model.json_value import Json
from batchctl.model.keys import Account
from batchctl.model.kinds import Kind, kind_of_rows
from batchctl.model.lifecycle import Lifecycle
from batchctl.model.locations import Diagnostic, Location
from batchctl.model.partly_equal import PartlyEqual
from batchctl.model.row_settings import Canary, RowSettings
from batchctl.model.row_work import ShardLimits
from batchctl.model.sent_with import SentWith
from batchctl.model.sources import AwaitedRows, ChainedFile, ChainRows, InlineRows, LocalFile, Source
from batchctl.model.stack import Stack
from batchctl.model.token_counting import TokenSample

_SENT = (InlineRows, LocalFile)
_CHAINS = (ChainedFile, AwaitedRows)


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


class DesiredJob(Struct, frozen=True, gc=False):
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
        return self.source.output_tokens if isinstance(self.source, _SENT) else None

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
        return self.source.chain if isinstance(self.source, _CHAINS) else None

    @property
    def chain_rows(self) -> ChainRows | None:
        """The rows of a chain; None for any other input."""
        return ChainRows.of(self.source) if isinstance(self.source, _CHAINS) else None


class DesiredStack(PartlyEqual, frozen=True, eq=False, dict=True):
    """The stack and all its desired jobs, sorted by name."""

    BESIDE: ClassVar = frozenset({"warnings"})

    stack: Stack
    jobs: tuple[DesiredJob, ...]
    accounts: frozenset[Account] = frozenset()
    """The accounts of all providers, also of those that no job names."""
    warnings: tuple[Diagnostic, ...] = ()
    """Warnings about the manifests, sorted by place."""

    @cached_property
    def by_name(self) -> Mapping[str, DesiredJob]:
        """The jobs by their names."""
        return {job.name: job for job in self.jobs}
