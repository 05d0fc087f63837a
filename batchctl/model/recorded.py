"""What the state file says, and the changes that can be made to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from batchctl.model.admission import Quota, QuotaKey
from batchctl.model.capabilities import CAPABILITIES
from batchctl.model.desired import Json, Kind, Lifecycle
from batchctl.model.events import Event
from batchctl.model.keys import Account, AttemptKey
from batchctl.model.notices import Notice
from batchctl.model.observed import Moment, RowCounts, Status
from batchctl.model.states import is_active, is_terminal
from batchctl.model.times import rfc3339_seconds


class CancelCause(StrEnum):
    """Why batchctl sent a cancel; kept because what follows differs."""

    USER = "user"
    REMOVE = "remove"
    REPLACE = "replace"
    DEADLINE = "deadline"
    DUPLICATE = "duplicate"


@dataclass(frozen=True)
class Intent:
    """The durable word that a create call is about to be made. Open until its outcome is known."""

    time: datetime
    """When it was written, on the local clock."""
    first_look: datetime | None = None
    """The first complete look that did not find the token, on the local clock: the grace runs from here."""
    first_look_there: datetime | None = None
    """The same moment on the provider's clock; None where none was written down, in states of older formats."""


class Operation(StrEnum):
    """What is done about an attempt at its API."""

    UPLOAD = "upload"
    CREATE = "create"
    COLLECT = "collect"
    CANCEL = "cancel"
    DELETE = "delete"


@dataclass(frozen=True)
class Trouble:
    """What goes wrong with an attempt: said when it was seen, kept until it is overcome. Times are the provider's."""

    operation: Operation
    code: str
    message: str
    """The API's own words, at most 256 characters."""
    hint: str
    """The way out that was given with it; empty where none fits."""
    first_time: datetime
    last_time: datetime
    tries: int = 1
    """How often in a row it went wrong."""
    next_time: datetime | None = None
    """Not tried again before; None: in the next pass, or never."""
    until: datetime | None = None
    """How long it is tried again by itself; None: without an end, or not at all."""

    @property
    def words(self) -> str:
        """What went wrong in the API's own words, since when, and until when it is tried again."""
        parts = [f"since {rfc3339_seconds(self.first_time)}"]
        if self.tries > 1:
            parts.append(f"tried {self.tries} times")
        if self.next_time is not None:
            parts.append(f"again at {rfc3339_seconds(self.next_time)}")
        if self.until is not None:
            parts.append(f"given up after {rfc3339_seconds(self.until)}")
        return f"{self.message} ({', '.join(parts)})"


@dataclass(frozen=True)
class RecordedAttempt:
    """One attempt as the state file has it."""

    key: AttemptKey
    account: Account
    digest: str
    token: str
    tree: Mapping[str, Json] = field(default_factory=dict)
    """The redacted tree behind the digest; empty for an adopted attempt, whose input is not recorded."""
    intent: Intent | None = None
    """Open intent, or None when the outcome of the create call is known."""
    remote: str | None = None
    """The remote job's resource name."""
    state: str | None = None
    create_time: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    rows: RowCounts = field(default_factory=RowCounts)
    error: Status | None = None
    """What the API said of a failed job, or of a refused create call."""
    rejected: bool = False
    """The create call was refused for good (4xx but 401, 408, 409, 429)."""
    adopted: bool = False
    """Found by its mark, not made by this state file."""
    cancel_time: datetime | None = None
    cancel_cause: CancelCause | None = None
    delete_time: datetime | None = None
    """When our delete was answered."""
    missed: Moment | None = None
    """The first complete look of those in a row that did not find the remote job; None while it is seen."""
    gone_time: datetime | None = None
    """When `apply` wrote down that the remote job is gone."""
    results: str | None = None
    """Where the results lie, relative to the results folder; None until they are durably collected."""
    results_lost: bool = False
    """The API has the job, but not its results any more: there is nothing left to collect."""
    input_bytes: int | None = None
    """`DesiredJob.input_bytes` when the create call was made; None where batchctl did not send the rows."""
    tokens: int | None = None
    """Tokens that the API counted in the rows that brought an answer; None where it counted none."""
    row_hashes: str | None = None
    """`DesiredJob.row_hashes` when the create call was made."""
    trouble: Trouble | None = None
    """What goes wrong with it now; None when nothing does, or it was overcome."""
    input_file: str | None = None
    """The uploaded file that it reads; empty: it was sent without one; None: not known."""

    @property
    def is_active(self) -> bool:
        """Whether its remote job waits for work or works, as far as is known."""
        return self.state is not None and is_active(self.state)

    @property
    def has_ended(self) -> bool:
        """Whether its remote job has ended for good. A state that batchctl does not know is no end."""
        return self.state is not None and is_terminal(self.state)

    @property
    def state_name(self) -> str:
        """Its state without the API's prefix, such as `PARTIALLY_SUCCEEDED`; empty where none is known."""
        return (self.state or "").removeprefix("JOB_STATE_")

    @property
    def state_words(self) -> str:
        """The same for a sentence: `partially succeeded`."""
        return self.state_name.lower().replace("_", " ")

    @property
    def is_uncollected(self) -> bool:
        """Whether there may be results that are not durably here yet."""
        return self.results is None and not self.results_lost

    @property
    def collect_by(self) -> datetime | None:
        """Until when its results are sure to be there; None where nothing is left to collect, or no end is set."""
        kept = CAPABILITIES[self.account.api].results_kept
        may_have_any = self.has_ended and self.is_uncollected and not self.is_gone
        return self.end_time + kept if kept and self.end_time and may_have_any else None

    @property
    def is_reused(self) -> bool:
        """Whether it was never sent, because results of the same work were here: it has those, and no remote job."""
        return self.remote is None and self.results is not None

    @property
    def is_unsent(self) -> bool:
        """Whether no remote job of it is known, and none was made needless."""
        return self.remote is None and self.results is None

    @property
    def is_gone(self) -> bool:
        """Whether nothing is expected to be there: our delete was answered, the absence confirmed, or nothing sent."""
        return self.delete_time is not None or self.gone_time is not None or self.is_reused


@dataclass(frozen=True)
class JobRow:
    """A job's own row in the state file: what must outlive its manifest. Its attempts have rows of their own."""

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
    """The attempt that counts: the highest, unless an earlier one's results are used again."""
    removing_time: datetime | None = None
    released_time: datetime | None = None
    """Set by `onRemove: keep` or `cancel`: batchctl does nothing with this job's remote jobs any more."""
    cancel_requested: datetime | None = None
    """Set by `batchctl cancel`: the current attempt is never retried."""
    retry_requested: datetime | None = None
    """Set by `batchctl retry`: a new attempt follows the current one as soon as there is room for it."""
    former_names: tuple[str, ...] = ()
    """Names it had before it was renamed: the marks of attempts made then still carry them."""
    depends_on: tuple[str, ...] = ()
    """Jobs that are to be removed after this one."""
    priority: int | None = None
    """None in states of older formats, where it was not written down; the same for the next."""
    webhook: Mapping[str, str] | None = None
    """Members of `spec.webhookConfig` by their hashes."""


@dataclass(frozen=True)
class RecordedJob:
    """One job as the state file has it."""

    row: JobRow
    attempts: tuple[RecordedAttempt, ...] = ()
    """Oldest first."""

    @property
    def name(self) -> str:
        return self.row.name


@dataclass(frozen=True)
class RecordedFile:
    """One uploaded input file, so that a second attempt need not upload it again."""

    account: Account
    sha256: str
    """Of the bytes that were sent."""
    name: str
    expire_time: datetime | None


@dataclass(frozen=True)
class Ghost:
    """A remote job that we deleted, and of which nothing else is recorded any more: a list may show it for a while."""

    account: Account
    remote: str
    time: datetime
    """When it was forgotten, on the local clock."""


@dataclass(frozen=True)
class Recorded:
    """A snapshot of the state file. `serial` grows with each commit."""

    jobs: Mapping[str, RecordedJob] = field(default_factory=dict)
    files: tuple[RecordedFile, ...] = ()
    serial: int = 0
    lineage: str = ""
    identities: Mapping[Account, str] = field(default_factory=dict)
    """Whose credentials showed the recorded jobs of an account last, see `Provider.identity`."""

    quotas: Mapping[QuotaKey, Quota] = field(default_factory=dict)
    """What refusals have taught of the APIs' own limits."""
    outbox: tuple[Notice, ...] = ()
    """Notices to be delivered, and for a while those that were; oldest first."""
    ghosts: tuple[Ghost, ...] = ()
    """Remote jobs that were deleted and forgotten, for a while."""

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever written into it."""
        return self.serial == 0


@dataclass(frozen=True)
class SaveJob:
    """Write the job's own row. Each attempt is saved by `SaveAttempt`."""

    job: JobRow


@dataclass(frozen=True)
class SaveAttempt:
    """Write one attempt, its open intent included: an intent of None closes the stored one."""

    attempt: RecordedAttempt


@dataclass(frozen=True)
class ForgetJob:
    """Drop a job and its attempts. Events stay."""

    job: str


@dataclass(frozen=True)
class RenameJob:
    """Give a job another name, its attempts, intents and events included. The new name is not recorded yet."""

    job: str
    to: str


@dataclass(frozen=True)
class SaveFile:
    """Write one uploaded file."""

    file: RecordedFile


@dataclass(frozen=True)
class SaveGhost:
    """Remember a remote job that we deleted."""

    ghost: Ghost


@dataclass(frozen=True)
class DropGhost:
    """Remember it no longer."""

    ghost: Ghost


@dataclass(frozen=True)
class DropFile:
    """Take an uploaded file out of the record: it is deleted, or has expired."""

    file: RecordedFile


@dataclass(frozen=True)
class AddEvent:
    """Append to the history."""

    event: Event


@dataclass(frozen=True)
class SaveIdentity:
    """Write down whose credentials show the recorded jobs of an account."""

    account: Account
    identity: str


@dataclass(frozen=True)
class SaveQuota:
    """Write down what was learned of a quota."""

    quota: Quota


@dataclass(frozen=True)
class SaveNotice:
    """Put a notice into the outbox, or write down how its delivery went."""

    notice: Notice


@dataclass(frozen=True)
class DropNotice:
    """Take a notice out of the outbox."""

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
)
"""One change of the state. Several are committed together or not at all."""
