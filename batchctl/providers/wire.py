"""The values that every provider is opened with: its transport, its addresses, and the stack that owns it."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, field

from batchctl.model.activity import UNWATCHED, Activity
from batchctl.model.ports.surroundings import Clock
from batchctl.model.stack import Limits
from batchctl.providers.http.urls import Transport
from batchctl.providers.retry import Retry


class Wire(Struct, frozen=True):
    """Everything that calls need besides addresses and credentials."""

    clock: Clock
    random: Callable[[], float]
    """Gives numbers in [0, 1), for jitter."""
    transport: Transport | None = None
    """The embedded emulator's transport, shared by all threads and closed by its owner. None for the network, where
    each call has its own connection."""
    activity: Activity = UNWATCHED

    def retry(self, limits: Limits) -> Retry:
        """The retry policy of calls that are safe to repeat."""
        return Retry(self.clock, self.random, total=limits.read_timeout.total_seconds(), activity=self.activity)


class Place(Struct, frozen=True):
    """The services of an account: their addresses, and the settings of their provider in the stack file."""

    base_url: str
    storage_url: str
    """Cloud Storage."""
    bigquery_url: str
    is_emulator: bool = False
    """If set, credentials are neither searched for nor sent."""
    api_version: str = "v1"
    staging_bucket: str | None = None
    user_project: str | None = None
    """Billed for reads of requester-pays buckets; None: the account's own project, if a bucket requires it."""


class Owner(Struct, frozen=True):
    """The stack that an account is opened for."""

    stack: str
    uid: str
    """The stack's uid, complete or in its short form."""
    limits: Limits = field(default_factory=Limits)
