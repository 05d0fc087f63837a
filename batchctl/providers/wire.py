"""The values that every provider is opened with: its wire, the place of its services, and the stack that owns it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from batchctl.model.activity import UNWATCHED, Activity
from batchctl.model.desired import Limits
from batchctl.model.ports import Clock
from batchctl.providers.http.urls import Transport
from batchctl.providers.retry import Retry


@dataclass(frozen=True)
class Wire:
    """The means of all calls."""

    clock: Clock
    random: Callable[[], float]
    """Gives numbers in [0, 1), for jitter."""
    transport: Transport | None = None
    """The embedded emulator's: it serves all threads, and its giver closes it. None for the network, where each call
    has a connection to itself."""
    activity: Activity = UNWATCHED

    def retry(self, limits: Limits) -> Retry:
        """The retries of calls that may be repeated."""
        return Retry(self.clock, self.random, total=limits.read_timeout.total_seconds(), activity=self.activity)


@dataclass(frozen=True)
class Place:
    """The services of an account: their addresses, and the settings of their provider in the stack file."""

    base_url: str
    storage_url: str
    """Cloud Storage."""
    bigquery_url: str
    is_emulator: bool = False
    """Then no credentials are looked for, and none are sent."""
    api_version: str = "v1"
    staging_bucket: str | None = None
    user_project: str | None = None
    """Billed for reads of buckets whose reader pays; None: the account's own project, where a bucket asks for one."""


@dataclass(frozen=True)
class Owner:
    """The stack that an account is opened for."""

    stack: str
    uid: str
    """The whole uid of the stack, or its short form."""
    limits: Limits = field(default_factory=Limits)
