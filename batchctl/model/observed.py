"""What the API says: remote jobs, and how far a look at an account can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TypeAlias

from batchctl.model.keys import Account, BrokenMark, Mark

TOLERATED_OFFSET = timedelta(minutes=5)
"""How far a provider's clock may be from the local one, or from what it said before, unremarked (design section 5)."""


@dataclass(frozen=True)
class RowCounts:
    """How many rows a job has, and how they went; None where it is not known."""

    total: int | None = None
    ok: int | None = None
    failed: int | None = None


@dataclass(frozen=True)
class Status:
    """A google.rpc.Status as an API gave it, message capped at 256 characters (reference chapter 9)."""

    code: int | None
    message: str


@dataclass(frozen=True)
class RemoteJob:
    """One batch job as an API shows it. Times are UTC; None where the reply did not carry them."""

    name: str
    account: Account
    display_name: str
    """As the API gives it, mark included."""
    mark: Mark | None
    state: str
    """Normalised to `JOB_STATE_*`; a name we do not know is kept."""
    model: str = ""
    create_time: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    rows: RowCounts = field(default_factory=RowCounts)
    error: Status | None = None
    broken: BrokenMark | None = None
    """What is left of a mark where there is no whole one."""
    is_altered: bool = False
    """In the answer to a create call: whether it shows another display name, or another mark, than was sent."""


@dataclass(frozen=True)
class Present:
    """The API shows the job."""

    job: RemoteJob


@dataclass(frozen=True)
class Gone:
    """A complete list lacks the job, and our own delete had been answered or a direct get said 404.

    As what one look alone shows, it is a 404 that has yet to be confirmed (see `Missing`).
    """


@dataclass(frozen=True)
class Unknown:
    """Anything else. Never causes an action."""

    reason: str


@dataclass(frozen=True)
class Moment:
    """One moment on two clocks, so that a jump of either is found out."""

    here: datetime
    """On the local clock."""
    there: datetime
    """On the provider's."""


@dataclass(frozen=True)
class Missing(Unknown):
    """A complete list lacks the job, and a direct get said 404, but no second look has confirmed it yet."""

    since: Moment
    """When the first look of those in a row began that did not find it."""
    due: datetime
    """From when on another such look confirms it, on the local clock."""


Presence: TypeAlias = Present | Gone | Unknown


@dataclass(frozen=True)
class Observation:
    """One look at one account, a snapshot: planning needs no further call.

    `checked` holds the direct gets that were made for recorded jobs which the list lacks.
    """

    account: Account
    now: datetime
    """The provider's clock: the local one plus the offset seen in `Date` headers."""
    jobs: tuple[RemoteJob, ...] = ()
    complete: bool = True
    problem: str = ""
    """Why the look is incomplete; empty when it is complete."""
    checked: Mapping[str, Presence] = field(default_factory=dict)
    lists_foreign: bool = True
    """Whether the list shows other people's jobs too, so that counting them is free."""
    identity: str = ""
    """Whose eyes these were, see `Provider.identity`."""
    took: timedelta = timedelta()
    """How long the look took, on a monotonic clock: its first page is as old as that."""

    @property
    def begun(self) -> datetime:
        """When the look began, on the provider's clock."""
        return self.now - self.took

    @cached_property
    def by_name(self) -> Mapping[str, RemoteJob]:
        """The listed jobs by resource name: every recorded attempt is looked up here."""
        # Of a name that a list shows twice the first counts, as for a reader of the list from its beginning.
        return {job.name: job for job in reversed(self.jobs)}

    @cached_property
    def tokens(self) -> frozenset[str]:
        """The tokens of all marks in the list."""
        return frozenset(job.mark.token for job in self.jobs if job.mark is not None)


Observed: TypeAlias = Mapping[Account, Observation]
"""All looks of one pass. An account that is not in it was not looked at: everything there is unknown."""
