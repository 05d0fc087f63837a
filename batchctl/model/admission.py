"""Admission limits of an account, and quotas that were learned from refusals. `reconcile` decides who is admitted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from msgspec import Struct, field

from batchctl.model.keys import Account


class AdmissionLimits(Struct, frozen=True):
    """Limits that a person has set for an account; None if there is none."""

    active: int | None = None
    """Jobs that have not ended, at once, of all models together."""
    enqueued_tokens: int | None = None
    """Tokens in the input of all jobs of one model that have not ended, for each model without a number of its own."""
    tokens_by_model: Mapping[str, int] = field(default_factory=dict)
    creates_per_minute: int | None = None
    """For all models together."""
    active_by_model: Mapping[str, int] = field(default_factory=dict)
    creates_by_model: Mapping[str, int] = field(default_factory=dict)

    def over(self, other: AdmissionLimits) -> AdmissionLimits:
        """These limits, completed by others. A number for all models replaces the others' numbers for single models."""
        tokens, tokens_by_model = _over(
            self.enqueued_tokens, self.tokens_by_model, other.enqueued_tokens, other.tokens_by_model
        )
        active, active_by_model = _over(self.active, self.active_by_model, other.active, other.active_by_model)
        creates, creates_by_model = _over(
            self.creates_per_minute, self.creates_by_model, other.creates_per_minute, other.creates_by_model
        )
        return AdmissionLimits(active, tokens, tokens_by_model, creates, active_by_model, creates_by_model)

    def tokens_of(self, model: str) -> int | None:
        """The limit of tokens for one model, by its short name."""
        return self.tokens_by_model.get(model, self.enqueued_tokens)


def _over(
    number: int | None, by_model: Mapping[str, int], other: int | None, other_by_model: Mapping[str, int]
) -> tuple[int | None, Mapping[str, int]]:
    if number is not None:
        return number, by_model
    return other, {**other_by_model, **by_model}


def short_model(model: str) -> str:
    """The last part of a model's name, which quotas use. Some replies add a path."""
    return model.rpartition("/")[2]


class QuotaKey(Struct, frozen=True, order=True, cache_hash=True):
    """The account and the model of a quota."""

    account: Account
    model: str
    """See `short_model`."""


@lru_cache
def quota_of(account: Account, model: str) -> QuotaKey:
    """The quota of a model on an account, however the model is written. Many jobs have the same one."""
    return QuotaKey(account, short_model(model))


class Quota(Struct, frozen=True):
    """A quota that no API reports, learned from refused create calls (429). Times are those of the provider's clock."""

    key: QuotaKey
    limit: int
    """The number of active jobs that the API is assumed to accept."""
    refused_time: datetime
    """The time of the refusal that set `limit`."""
    retry_time: datetime
    """The earliest time of the next create call."""
    refusals: int = 1
    """Refusals since the last successful create call."""


class LimitKind(StrEnum):
    """The limit that a job in the queue waits for."""

    ACTIVE = "active"
    TOKENS = "enqueuedTokens"
    RATE = "createsPerMinute"
    QUOTA = "quota"
    """The API's own limit, as learned from its refusals."""
    STALL = "stalledQueue"
    """Jobs of its model wait at the API, and none has begun for unusually long."""


class QueuePlace(Struct, frozen=True):
    """The place of a job in the queue, and the limit that it waits for."""

    position: int
    """From 1, among all jobs in the queue of this account."""
    length: int
    limit: LimitKind
    used: int
    most: int

    @property
    def is_estimate(self) -> bool:
        """Whether `used` is an estimate: no API reports the tokens of a job before its end."""
        return self.limit is LimitKind.TOKENS
