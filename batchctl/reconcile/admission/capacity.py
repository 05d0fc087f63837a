"""The capacity of one account: how much is used, and what keeps a further job out.

Owns the counting and the words. `queue` owns the order of the jobs.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct, field

from batchctl.model.admission import AdmissionLimits, LimitKind, Quota, QuotaKey, quota_of, short_model
from batchctl.model.desired import DesiredJob
from batchctl.model.durations import duration_text
from batchctl.model.keys import Account
from batchctl.model.times import rfc3339_seconds
from batchctl.reconcile.admission.quotas import limit_now, next_try
from batchctl.reconcile.admission.stalls import Stall
from batchctl.reconcile.admission.tokens import TokenRates
from batchctl.reconcile.admission.usage import MINUTE, LiveJob, Sent


class Obstacle(Struct, frozen=True):
    """A limit that keeps a job from being created now."""

    kind: LimitKind
    words: str
    used: int
    most: int
    next_time: datetime | None = None
    is_model_wide: bool = False
    """Whether only jobs of the same model are kept; else all of the account."""
    said: str = ""
    """The API's own words, where it is the API that keeps it out."""


class Capacity(Struct):
    """The used part of one account's limits, as more and more jobs are let in."""

    account: Account
    limits: AdmissionLimits
    quotas: Mapping[QuotaKey, Quota]
    rates: TokenRates
    clock: datetime
    sent: list[Sent]
    """Create calls of the last minute, oldest first."""
    sent_by_model: dict[str, list[Sent]] = field(default_factory=lambda: defaultdict(list))
    """The same calls by model."""
    live: Counter[str] = field(default_factory=Counter)
    """By model."""
    refusals: Mapping[str, str] = field(default_factory=dict)
    """The API's last words about each model of which it takes no further job."""
    tokens: Counter[str] = field(default_factory=Counter)
    stalls: Mapping[QuotaKey, Stall] = field(default_factory=dict)
    added: Counter[str] = field(default_factory=Counter)
    """The jobs of each model that were let in."""

    def __post_init__(self) -> None:
        for one in self.sent:
            self.sent_by_model[one.model].append(one)

    def count(self, live: Iterable[LiveJob], sizes: Mapping[str, int | None]) -> None:
        """Count what is at work here. `sizes`: bytes of the input by job, for what was not recorded with them."""
        for one in live:
            size = sizes.get(one.job) if one.input_bytes is None else one.input_bytes
            self.live[one.key.model] += 1
            self.tokens[one.key.model] += self.rates.estimate(one.key, size)

    def take(self, job: DesiredJob) -> None:
        """Let a job in."""
        key = quota_key(job)
        self.live[key.model] += 1
        self.tokens[key.model] += self.rates.estimate(key, job.input_bytes)
        sent = Sent(self.clock, key.model)
        self.sent.append(sent)
        self.sent_by_model[key.model].append(sent)
        self.added[key.model] += 1

    def find_obstacle(self, job: DesiredJob) -> Obstacle | None:
        """The limit that keeps the job out; None when there is capacity."""
        tests: Sequence[Callable[[DesiredJob], Obstacle | None]] = (
            self._active,
            self._active_of_model,
            self._rate,
            self._rate_of_model,
            self._quota,
            self._tokens,
            self._stall,
        )
        return next((obstacle for test in tests if (obstacle := test(job)) is not None), None)

    def _active(self, job: DesiredJob) -> Obstacle | None:
        used, most = self.live.total(), self.limits.active
        if most is None or used < most:
            return None
        return Obstacle(LimitKind.ACTIVE, f"{used} of {most} jobs are active on {job.provider}", used, most)

    def _active_of_model(self, job: DesiredJob) -> Obstacle | None:
        model = short_model(job.model)
        used, most = self.live[model], self.limits.active_by_model.get(model)
        if most is None or used < most:
            return None
        words = f"{used} of {most} jobs of {model} are active on {job.provider}"
        return Obstacle(LimitKind.ACTIVE, words, used, most, is_model_wide=True)

    def _rate(self, job: DesiredJob) -> Obstacle | None:
        used, most = len(self.sent), self.limits.creates_per_minute
        if most is None or used < most:
            return None
        words = f"{used} of {most} create calls a minute were made on {job.provider}"
        return Obstacle(LimitKind.RATE, words, used, most, self.sent[used - most].time + MINUTE)

    def _rate_of_model(self, job: DesiredJob) -> Obstacle | None:
        model = short_model(job.model)
        sent = self.sent_by_model[model]
        used, most = len(sent), self.limits.creates_by_model.get(model)
        if most is None or used < most:
            return None
        words = f"{used} of {most} create calls a minute for {model} were made on {job.provider}"
        return Obstacle(LimitKind.RATE, words, used, most, sent[used - most].time + MINUTE, is_model_wide=True)

    def _quota(self, job: DesiredJob) -> Obstacle | None:
        model = short_model(job.model)
        quota = self.quotas.get(QuotaKey(self.account, model))
        if quota is None:
            return None
        used, most = self.live[model], limit_now(quota, self.clock)
        if self.clock < quota.retry_time:
            words = f"the quota of {model} on {job.provider} is used up, as the API says"
        elif used < most:
            return None
        else:
            words = f"{used} jobs of {model} are active on {job.provider}, and the API seems to allow {most}"
        said = self.refusals.get(model, "")
        return Obstacle(LimitKind.QUOTA, words, used, most, next_try(quota, used), is_model_wide=True, said=said)

    def _tokens(self, job: DesiredJob) -> Obstacle | None:
        key = quota_key(job)
        needed = self.rates.estimate(key, job.input_bytes)
        used, most = self.tokens[key.model], self.limits.tokens_of(key.model)
        if most is None or used + needed <= most:
            return None
        words = (
            f"about {used} of {most} tokens are enqueued for {key.model} on {job.provider}, "
            f"{job.name} needs about {needed} ({self.rates.basis(key)})"
        )
        return Obstacle(LimitKind.TOKENS, words, used, most, is_model_wide=True)

    def _stall(self, job: DesiredJob) -> Obstacle | None:
        key = quota_key(job)
        stall = self.stalls.get(key)
        most = None if stall is None else stall.most(self.clock)
        if stall is None or most is None:
            return None
        waiting = stall.waiting + self.added[key.model]
        if waiting < most:
            return None
        words = (
            f"the queue of {key.model} at the API has stalled: of {waiting} jobs that wait there none has begun since"
            f" {rfc3339_seconds(stall.since)}, and nine of ten began within {duration_text(stall.usual)} before"
        )
        return Obstacle(LimitKind.STALL, words, waiting, most, stall.next_try(waiting), is_model_wide=True)


def quota_key(job: DesiredJob) -> QuotaKey:
    """The account and model that the job counts for."""
    return quota_of(job.account, job.model)
