"""The recorded values of the state file, and the changes to them.

The file is long because each write is beside the record that it changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Self, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from batchctl.model.admission import Quota, QuotaKey
from batchctl.model.capabilities import CAPABILITIES
from batchctl.model.cost.job_cost import TokenEstimate
from batchctl.model.cost.tokens import Counted
from batchctl.model.desired import Json, Kind, Lifecycle
from batchctl.model.events import Event
from batchctl.model.history import PastAttempt
from batchctl.model.keys import Account, AttemptKey
from batchctl.model.notices import Notice
from batchctl.model.observed import Moment, RowCounts, Status
from batchctl.model.row_settings import RowSettings
from batchctl.model.row_work import RowOrder, RowsSent
from batchctl.model.states import is_active, is_terminal
from batchctl.model.times import rfc3339_seconds


class CancelCause(StrEnum):
    """Why batchctl sent a cancel; it determines what happens next."""

    USER = "user"
    REMOVE = "remove"
    REPLACE = "replace"
    DEADLINE = "deadline"
    DUPLICATE = "duplicate"


class Intent(Struct, frozen=True):
    """The durable record that a create call is about to be made. Open until its outcome is known."""

    time: datetime
    """The time of the record on the local clock."""
    first_look: datetime | None = None
    """The first complete look without the token, on the local clock. The grace starts here."""
    first_look_there: datetime | None = None
    """The same moment on the provider's clock; None in states of older formats."""


class Operation(StrEnum):
    """A kind of call for an attempt."""

    UPLOAD = "upload"
    CREATE = "create"
    COLLECT = "collect"
    CANCEL = "cancel"
    DELETE = "delete"


class Trouble(Struct, frozen=True):
    """A failure of an attempt, kept until a later call succeeds. Times are those of the provider's clock."""

    operation: Operation
    code: str
    message: str
    """The API's message, at most 256 characters."""
    hint: str
    """The hint; empty if there is none."""
    first_time: datetime
    last_time: datetime
    tries: int = 1
    """Consecutive failures."""
    next_time: datetime | None = None
    """The earliest time of the next try; None: in the next pass, or never."""
    until: datetime | None = None
    """The end of automatic retries; None: no end, or no retries."""

    @property
    def words(self) -> str:
        """The API's message, since when, and until when it is tried again."""
        parts = [f"since {rfc3339_seconds(self.first_time)}"]
        if self.tries > 1:
            parts.append(f"tried {self.tries} times")
        if self.next_time is not None:
            parts.append(f"again at {rfc3339_seconds(self.next_time)}")
        if self.until is not None:
            parts.append(f"given up after {rfc3339_seconds(self.until)}")
        return f"{self.message} ({', '.join(parts)})"


class MergedResults(Struct, frozen=True):
    """The results of all shards of an attempt, and of the attempts before it."""

    path: str
    """Relative to the results folder."""
    rows: RowCounts


class RecordedAttempt(Struct, frozen=True):
    """One attempt as the state file has it."""

    key: AttemptKey
    account: Account
    digest: str
    token: str
    tree: Mapping[str, Json] = field(default_factory=dict)
    """The redacted tree behind the digest; empty for an adopted attempt, whose input is not recorded."""
    intent: Intent | None = None
    """The open intent; None if the outcome of the create call is known."""
    remote: str | None = None
    """The remote job's resource name."""
    state: str | None = None
    create_time: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    rows: RowCounts = field(default_factory=RowCounts)
    error: Status | None = None
    """The API's error for a failed job or a refused create call."""
    rejected: bool = False
    """The create call was refused for good (4xx but 401, 408, 409, 429)."""
    adopted: bool = False
    """Found by its mark, not created by this state."""
    cancel_time: datetime | None = None
    cancel_cause: CancelCause | None = None
    delete_time: datetime | None = None
    """The time of the answer to our delete."""
    missed: Moment | None = None
    """The first of the consecutive complete looks without the remote job; None if it is visible."""
    gone_time: datetime | None = None
    """The time at which `apply` recorded that the remote job is gone."""
    results: str | None = None
    """The path of the results, relative to the results folder; None until they are durably collected."""
    results_lost: bool = False
    """The API has the job but no longer its results: there is nothing to collect."""
    input_bytes: int | None = None
    """`DesiredJob.input_bytes` at the create call; None if batchctl did not send the rows."""
    tokens: int | None = None
    """Tokens that the API counted for the answered rows; None if it counted none."""
    row_hashes: str | None = None
    """`DesiredJob.row_hashes` at the create call."""
    trouble: Trouble | None = None
    """The present trouble; None without one."""
    input_file: str | None = None
    """Its uploaded input file; empty: it has none; None: not known."""
    sent: RowsSent | None = None
    """The rows that it sent; None if batchctl did not choose them."""
    merged: MergedResults | None = None
    """Of the first of several shards: the results of all of them."""
    counted: Counted | None = None
    """The tokens of its answers by kind; None if its results are not collected, or an older version collected them."""
    expected: TokenEstimate | None = None
    """The estimate at its create call, of all shards, on the first of them."""

    @property
    def is_canary(self) -> bool:
        """Whether it sent a few rows first, to decide about the others."""
        return self.sent is not None and self.sent.is_canary

    @property
    def is_active(self) -> bool:
        """Whether its remote job is queued or running, by the last known state."""
        return self.state is not None and is_active(self.state)

    @property
    def has_ended(self) -> bool:
        """Whether its remote job has ended. An unknown state is not an end."""
        return self.state is not None and is_terminal(self.state)

    @property
    def state_name(self) -> str:
        """Its state without the API's prefix, such as `PARTIALLY_SUCCEEDED`; empty if it is not known."""
        return (self.state or "").removeprefix("JOB_STATE_")

    @property
    def state_words(self) -> str:
        """Its state for a sentence: `partially succeeded`."""
        return self.state_name.lower().replace("_", " ")

    @property
    def is_uncollected(self) -> bool:
        """Whether there may be results that are not collected yet."""
        return self.results is None and not self.results_lost

    @property
    def collect_by(self) -> datetime | None:
        """Until when its results certainly exist; None if nothing is left to collect, or there is no limit."""
        kept = CAPABILITIES[self.account.api].results_kept
        may_have_any = self.has_ended and self.is_uncollected and not self.is_gone
        return self.end_time + kept if kept and self.end_time and may_have_any else None

    @property
    def is_reused(self) -> bool:
        """Whether it reuses results of the same work: it was never sent and has no remote job."""
        return self.remote is None and self.results is not None

    @property
    def is_new(self) -> bool:
        """Whether no create call was tried for it, and nothing keeps it from being made."""
        return self.is_unsent and self.intent is None and self.trouble is None and not self.rejected

    @property
    def is_unsent(self) -> bool:
        """Whether it has neither a known remote job nor results."""
        return self.remote is None and self.results is None

    @property
    def is_gone(self) -> bool:
        """Whether it has no remote job any more: our delete was answered, its absence confirmed, or nothing sent."""
        return self.delete_time is not None or self.gone_time is not None or self.is_reused


class JobRow(Struct, frozen=True):
    """A job's row in the state file: everything that must outlive its manifest. Attempts have their own rows."""

    name: str
    kind: Kind
    provider: str
    model: str
    path: str
    account: Account
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    labels: Mapping[str, str] = field(default_factory=dict)
    display_name: str | None = None
    current: int = 1
    """The current attempt: the highest, unless an earlier one's results are reused."""
    removing_time: datetime | None = None
    released_time: datetime | None = None
    """Set by `onRemove: keep` or `cancel`: batchctl no longer manages this job's remote jobs."""
    cancel_requested: datetime | None = None
    """Set by `batchctl cancel`: the current attempt is never retried."""
    retry_requested: datetime | None = None
    """Set by `batchctl retry`: a new attempt follows the current one as soon as there is capacity."""
    retry_rows: RowOrder | None = None
    """The rows of that attempt, by `--rows`; None: those without a good answer."""
    former_names: tuple[str, ...] = ()
    """Former names, which the marks of older attempts contain."""
    depends_on: tuple[str, ...] = ()
    """Its dependencies, which are removed after it."""
    priority: int | None = None
    """None in states of older formats, like `webhook`."""
    webhook: Mapping[str, str] | None = None
    """Members of `spec.webhookConfig` as hashes."""
    row_settings: RowSettings = field(default_factory=RowSettings)
    rows_since: int = 1
    """The first attempt whose answers count: `--rerun` raises it."""
    canary_accepted: str | None = None
    """The digest of the work whose canary failed and was accepted by `batchctl retry --accept-canary`."""

    def without_retry(self) -> Self:
        """The same row without the order of `batchctl retry`."""
        return replace(self, retry_requested=None, retry_rows=None)


class RecordedJob(Struct, frozen=True):
    """One job as the state file has it."""

    row: JobRow
    attempts: tuple[RecordedAttempt, ...] = ()
    """Oldest first."""

    @property
    def name(self) -> str:
        return self.row.name


class RecordedFile(Struct, frozen=True):
    """One uploaded input file, which later attempts can use."""

    account: Account
    sha256: str
    """Of the bytes that were sent."""
    name: str
    expire_time: datetime | None


class Ghost(Struct, frozen=True):
    """A remote job that was deleted and forgotten. Stale lists may still show it."""

    account: Account
    remote: str
    time: datetime
    """The time at which it was forgotten, on the local clock."""


class StateVersion(Struct, frozen=True):
    """Which snapshot of which state: no other one has the same values."""

    lineage: str = ""
    serial: int = 0


class Recorded(Struct, frozen=True):
    """A snapshot of the state file. `serial` increases with each commit."""

    jobs: Mapping[str, RecordedJob] = field(default_factory=dict)
    files: tuple[RecordedFile, ...] = ()
    serial: int = 0
    lineage: str = ""
    identities: Mapping[Account, str] = field(default_factory=dict)
    """The credentials that last showed the recorded jobs of an account, see `Provider.identity`."""

    quotas: Mapping[QuotaKey, Quota] = field(default_factory=dict)
    """Quotas that were learned from refusals."""
    outbox: tuple[Notice, ...] = ()
    """Notices to deliver, and recently delivered ones; oldest first."""
    ghosts: tuple[Ghost, ...] = ()
    """Remote jobs that were deleted and forgotten recently."""
    history: tuple[PastAttempt, ...] = ()
    """The times of forgotten attempts; oldest first."""

    @property
    def version(self) -> StateVersion:
        return StateVersion(self.lineage, self.serial)

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever committed."""
        return self.serial == 0


class SaveJob(Struct, frozen=True):
    """Write the job's own row. Each attempt is saved by `SaveAttempt`."""

    job: JobRow


class SaveAttempt(Struct, frozen=True):
    """Write one attempt with its open intent. An intent of None closes the stored one."""

    attempt: RecordedAttempt


class ForgetJob(Struct, frozen=True):
    """Delete a job and its attempts. Events stay."""

    job: str


class RenameJob(Struct, frozen=True):
    """Rename a job with its attempts, intents and events. The new name must not be recorded yet."""

    job: str
    to: str


class SaveFile(Struct, frozen=True):
    """Write one uploaded file."""

    file: RecordedFile


class SaveGhost(Struct, frozen=True):
    """Add a ghost."""

    ghost: Ghost


class DropGhost(Struct, frozen=True):
    """Delete a ghost."""

    ghost: Ghost


class SavePast(Struct, frozen=True):
    """Keep the times of an attempt that is about to be forgotten."""

    past: PastAttempt


class DropPast(Struct, frozen=True):
    """Delete the times of a forgotten attempt."""

    past: PastAttempt


class DropFile(Struct, frozen=True):
    """Delete an uploaded file from the record: it was deleted or has expired."""

    file: RecordedFile


class AddEvent(Struct, frozen=True):
    """Append to the history."""

    event: Event


class SaveIdentity(Struct, frozen=True):
    """Write the fingerprint of the credentials that show an account's jobs."""

    account: Account
    identity: str


class SaveQuota(Struct, frozen=True):
    """Write a learned quota."""

    quota: Quota


class SaveNotice(Struct, frozen=True):
    """Write a notice of the outbox: a new one, or one with the result of a delivery."""

    notice: Notice


class DropNotice(Struct, frozen=True):
    """Delete a notice from the outbox."""

    notice: Notice


Write: TypeAlias = (
    SaveJob
    | SaveAttempt
    | ForgetJob
    | RenameJob
    | SaveFile
    | DropFile
    | AddEvent
    | SaveIdentity
    | SaveQuota
    | SaveNotice
    | DropNotice
    | SaveGhost
    | DropGhost
    | SavePast
    | DropPast
)
"""One change of the state. Several are committed together or not at all."""
