"""How much may be at work at once on an account, and what its refusals have taught.

Owns the values only. Who is admitted is decided in `reconcile`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from batchctl.model.keys import Account


@dataclass(frozen=True)
class AdmissionLimits:
    """Bounds that a person has set for an account; None where none is set."""

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
        """These bounds, and another's where these are silent. A number for all models leaves nothing to say for one."""
        tokens, tokens_by_model = _over(
            self.enqueued_tokens, self.tokens_by_model, other.enqueued_tokens, other.tokens_by_model
        )
        active, active_by_model = _over(self.active, self.active_by_model, other.active, other.active_by_model)
        creates, creates_by_model = _over(
            self.creates_per_minute, self.creates_by_model, other.creates_per_minute, other.creates_by_model
        )
        return AdmissionLimits(active, tokens, tokens_by_model, creates, active_by_model, creates_by_model)

    def tokens_of(self, model: str) -> int | None:
        """The bound on the tokens of one model, by its short name."""
        return self.tokens_by_model.get(model, self.enqueued_tokens)


def _over(
    number: int | None, by_model: Mapping[str, int], other: int | None, other_by_model: Mapping[str, int]
) -> tuple[int | None, Mapping[str, int]]:
    if number is not None:
        return number, by_model
    return other, {**other_by_model, **by_model}


def short_model(model: str) -> str:
    """The name by which quotas know a model: without the path that some replies put before it."""
    return model.rpartition("/")[2]


@dataclass(frozen=True, order=True)
class QuotaKey:
    """What a quota is for."""

    account: Account
    model: str
    """See `short_model`."""


@dataclass(frozen=True)
class Quota:
    """What refusals of create calls (429) have taught of a quota that no API names. Times are the provider's."""

    key: QuotaKey
    limit: int
    """Jobs at work at once that the API was last believed to take."""
    refused_time: datetime
    """The refusal that `limit` was learned from."""
    retry_time: datetime
    """No create call before."""
    refusals: int = 1
    """In a row since the last create call that got through."""


class LimitKind(StrEnum):
    """What a job in the queue waits for room in."""

    ACTIVE = "active"
    TOKENS = "enqueuedTokens"
    RATE = "createsPerMinute"
    QUOTA = "quota"
    """The API's own limit, as learned from its refusals."""


@dataclass(frozen=True)
class QueuePlace:
    """Where a job stands that waits to be admitted, and for what."""

    position: int
    """From 1, among all that wait on this account."""
    length: int
    limit: LimitKind
    used: int
    most: int

    @property
    def is_estimate(self) -> bool:
        """Whether `used` is not counted: no API tells the tokens of a job before its end."""
        return self.limit is LimitKind.TOKENS
