"""Notifications: the hooks of a stack, and the notices on their way to them.

Only the vocabulary. `reconcile` decides which notice is due.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct


class NoticeType(StrEnum):
    """The event of one attempt that a notice is about. Each hook gets it once, but for repeated deliveries."""

    SUCCEEDED = "job.succeeded"
    """The attempt succeeded, and its results are collected."""
    PARTIALLY_SUCCEEDED = "job.partially_succeeded"
    FAILED = "job.failed"
    EXPIRED = "job.expired"
    CANCELLED = "job.cancelled"
    REJECTED = "job.rejected"
    """The API refused the create call for good."""
    RESULTS_LOST = "job.results_lost"
    RESULTS_EXPIRING = "job.results_expiring"
    """It has ended, its results are not collected, and the API may delete them soon."""
    STUCK = "job.stuck"
    """It is past a deadline, or has made no progress for unusually long. Its end has a notice of its own."""


ALL_TYPES = frozenset(NoticeType)
STUCK_AFTER = timedelta(hours=24)
"""Both APIs aim to finish by then (reference chapter 10)."""


class Webhook(Struct, frozen=True):
    """An HTTP endpoint of the user's, which gets signed POST requests."""

    name: str
    """The name in the state; unique in the stack."""
    url: str
    secret_variable: str
    """The environment variable that holds the signing secret."""
    types: frozenset[NoticeType] = ALL_TYPES
    stuck_after: timedelta = STUCK_AFTER


class CommandHook(Struct, frozen=True):
    """A program of the user's, which gets the event on its standard input."""

    name: str
    command: tuple[str, ...]
    """The program and its arguments, without a shell."""
    types: frozenset[NoticeType] = ALL_TYPES
    stuck_after: timedelta = STUCK_AFTER
    variables: tuple[str, ...] = ()
    """Environment variables in addition to the standard ones that every program gets."""


Hook: TypeAlias = Webhook | CommandHook


class Notice(Struct, frozen=True):
    """One notice for one hook in the outbox of the state. Times are those of the local clock."""

    id: str
    """The same for every delivery and every hook, so that a receiver recognises a repeated one."""
    hook: str
    """The hook's name."""
    job: str
    attempt: int
    type: NoticeType
    time: datetime
    body: str
    """The JSON to send, written once, so that a repeated delivery has the same bytes."""
    tries: int = 0
    """Deliveries that failed."""
    next_time: datetime | None = None
    """The earliest time of the next delivery; None: at once."""
    delivered_time: datetime | None = None
    given_up_time: datetime | None = None
    problem: str = ""
    """Why it is not delivered yet, or never was."""

    @property
    def is_pending(self) -> bool:
        """Whether it is still to be delivered."""
        return self.delivered_time is None and self.given_up_time is None
