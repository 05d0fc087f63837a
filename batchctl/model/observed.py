"""The observed values: remote jobs, and how complete the observation of an account is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import TypeAlias

import msgspec
from msgspec import Struct

from batchctl.model.keys import Account, BrokenMark, Mark
from batchctl.model.verdicts import NOT_ANSWERED, RowVerdict

TOLERATED_OFFSET = timedelta(minutes=5)
"""The largest offset of a provider's clock without a warning (design section 5)."""


class RowCounts(Struct, frozen=True, gc=False):
    """How many rows a job has, and how they went; None where it is not known.

    Until the results are collected, these are the API's own numbers: its `ok` are all rows with an answer.
    """

    total: int | None = None
    ok: int | None = None
    """Rows with a good answer."""
    failed: int | None = None
    """Rows with a result that is not good."""
    verdicts: Mapping[str, int] = msgspec.field(default_factory=dict)
    """Collected rows by the code of their verdict, those without a result too; empty where they were not judged."""
    accepted: frozenset[str] = frozenset()
    """Codes among these, besides `OK`, that count as good by `rows.accept`."""
    too_many_failed: bool | None = None
    """Whether more rows failed than `maxFailedRows` allows; None where the job has no such limit."""

    def __hash__(self) -> int:
        # Without the mapping, which has no hash.
        return hash((self.total, self.ok, self.failed, self.accepted, self.too_many_failed))

    @property
    def bad(self) -> int:
        """Rows without a good answer: failed ones, and those without a result."""
        return max(self.failed or 0, (self.total or 0) - (self.ok or 0))

    @property
    def bad_codes(self) -> tuple[str, ...]:
        """The rows that were sent and are not good, such as `2 MAX_TOKENS`; the most frequent code comes first."""
        others = {RowVerdict.OK, RowVerdict.NOT_SENT, *self.accepted}
        found = sorted(((-number, code) for code, number in self.verdicts.items() if number and code not in others))
        return tuple(f"{-number} {code}" for number, code in found)

    @property
    def not_sent(self) -> int:
        """Rows that no attempt has sent yet: they are no failures."""
        return self.verdicts.get(RowVerdict.NOT_SENT, 0)

    @property
    def answered(self) -> int | None:
        """Rows with an answer, good or not: the API counts the tokens of all of them."""
        if not self.verdicts:
            return self.ok
        return sum(number for code, number in self.verdicts.items() if code not in NOT_ANSWERED)


class Status(Struct, frozen=True):
    """A google.rpc.Status from an API, with at most 256 characters of its message (reference chapter 9)."""

    code: int | None
    message: str


class RemoteJob(Struct, frozen=True, gc=False):
    """One batch job as an API shows it. Times are UTC; None if the reply does not have them."""

    name: str
    account: Account
    display_name: str
    """The API's display name, mark included."""
    mark: Mark | None
    state: str
    """Normalised to `JOB_STATE_*`; unknown names are kept."""
    model: str = ""
    create_time: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    rows: RowCounts = msgspec.field(default_factory=RowCounts)
    error: Status | None = None
    broken: BrokenMark | None = None
    """The rest of a damaged mark."""
    is_altered: bool = False
    """Whether the answer to a create call shows another display name or mark than was sent."""


class Present(Struct, frozen=True, gc=False):
    """The API shows the job."""

    job: RemoteJob


class Gone(Struct, frozen=True):
    """A complete list lacks the job, and our own delete was answered or a direct get returned 404.

    In a single observation it is a 404 that is not confirmed yet (see `Missing`).
    """


class Unknown(Struct, frozen=True):
    """Anything else. Never causes an action."""

    reason: str


class Moment(Struct, frozen=True):
    """One moment on two clocks, to detect a jump of either."""

    here: datetime
    """On the local clock."""
    there: datetime
    """On the provider's."""


class Missing(Unknown, frozen=True):
    """A complete list lacks the job and a direct get returned 404, but no second look has confirmed it yet."""

    since: Moment
    """The start of the first of the consecutive looks that did not find it."""
    due: datetime
    """The time on the local clock from which another such look confirms it."""


Presence: TypeAlias = Present | Gone | Unknown


class Observation(Struct, frozen=True, dict=True):
    """A snapshot of one account. Planning needs no more calls.

    `checked` has the direct gets of recorded jobs that the list lacks.
    """

    account: Account
    now: datetime
    """The provider's clock: the local one plus the offset seen in `Date` headers."""
    jobs: tuple[RemoteJob, ...] = ()
    complete: bool = True
    problem: str = ""
    """Why the observation is incomplete; empty if it is complete."""
    checked: Mapping[str, Presence] = msgspec.field(default_factory=dict)
    lists_foreign: bool = True
    """Whether the list includes other people's jobs, so that counting them is free."""
    identity: str = ""
    """The fingerprint of the credentials, see `Provider.identity`."""
    took: timedelta = timedelta()
    """The duration of the observation on a monotonic clock: its first page is that old."""

    @property
    def begun(self) -> datetime:
        """The start of the observation on the provider's clock."""
        return self.now - self.took

    @cached_property
    def by_name(self) -> Mapping[str, RemoteJob]:
        """The listed jobs by resource name."""
        # Of a name that a list shows twice the first counts, as for a reader of the list from its beginning.
        return {job.name: job for job in reversed(self.jobs)}

    @cached_property
    def tokens(self) -> frozenset[str]:
        """The tokens of all marks in the list."""
        return frozenset(job.mark.token for job in self.jobs if job.mark is not None)


Observed: TypeAlias = Mapping[Account, Observation]
"""All observations of one pass. Everything in an account without one is unknown."""
