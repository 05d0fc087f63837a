"""The recorded values of the state file: the jobs, and what is beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Self, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from batchctl.model.admission import Quota, QuotaKey
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.history import PastAttempt
from batchctl.model.keys import Account
from batchctl.model.kinds import Kind
from batchctl.model.lifecycle import Lifecycle
from batchctl.model.notices import Notice
from batchctl.model.row_settings import RowSettings
from batchctl.model.row_work import RowOrder

T = TypeVar("T")


def known_value(value: T, known: T | None) -> T:
    """The known value if it is equal: it is in memory already, and one of them is enough."""
    return known if known is not None and known == value else value


class JobRow(Struct, frozen=True, gc=False):
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


class RecordedJob(Struct, frozen=True, gc=False):
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


class Recorded(Struct, frozen=True, dict=True):
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

    @cached_property
    def _lessons(self) -> dict[Callable[[Recorded], Any], Any]:
        return {}

    def learn(self, lesson: Callable[[Recorded], T]) -> T:
        """Learn something from the record that is the same for all jobs and rules. Each lesson is computed once."""
        known = self._lessons
        if lesson not in known:
            known[lesson] = lesson(self)
        found: T = known[lesson]
        return found

    @property
    def remotes(self) -> Mapping[Account, RecordedRemotes]:
        """The remote jobs that are recorded, by their account."""
        return self.learn(_overview).remotes

    @property
    def renamed(self) -> Sequence[RecordedJob]:
        """The jobs that have had other names."""
        return self.learn(_overview).renamed

    @property
    def counted(self) -> Sequence[tuple[RecordedJob, RecordedAttempt]]:
        """The attempts whose tokens were counted, with their jobs."""
        return self.learn(_overview).counted

    @property
    def unanswered(self) -> Sequence[RecordedAttempt]:
        """The attempts with an open intent."""
        return self.learn(_overview).unanswered

    @property
    def version(self) -> StateVersion:
        return StateVersion(self.lineage, self.serial)

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever committed."""
        return self.serial == 0


class RecordedRemotes(Struct, frozen=True):
    """The remote jobs that are recorded on one account."""

    attempts: dict[str, RecordedAttempt] = field(default_factory=dict)
    """By their resource name."""
    deleted: set[str] = field(default_factory=set)
    """The resource names of those that batchctl has deleted."""


class _Overview(Struct, frozen=True):
    """The finds of one walk over all jobs: each further one would take as long as this one."""

    remotes: dict[Account, RecordedRemotes]
    renamed: list[RecordedJob]
    counted: list[tuple[RecordedJob, RecordedAttempt]]
    unanswered: list[RecordedAttempt]


def _overview(recorded: Recorded) -> _Overview:
    found = _Overview(defaultdict(RecordedRemotes), [], [], [])
    remotes = found.remotes
    for job in recorded.jobs.values():
        if job.row.former_names:
            found.renamed.append(job)
        for attempt in job.attempts:
            if attempt.tokens is not None or attempt.counted is not None:
                found.counted.append((job, attempt))
            if attempt.intent is not None:
                found.unanswered.append(attempt)
            remote = attempt.remote
            if remote is not None:
                own = remotes[attempt.account]
                own.attempts[remote] = attempt
                if attempt.delete_time is not None:
                    own.deleted.add(remote)
    return found
