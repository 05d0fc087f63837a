"""Which of the planned create calls may be made now, and what the others wait for.

One queue for each account: by `priority`, then whose attempts are the oldest, then by name. What does not fit holds
back what stands behind it, as far as both need the same: nobody is passed for ever by smaller jobs.
Source: reference chapter 10 (jobs at once by account, enqueued tokens by model over active jobs; the numbers move).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from batchctl.model.admission import AdmissionLimits, LimitKind, QueuePlace, Quota, QuotaKey, short_model
from batchctl.model.capabilities import CAPABILITIES
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredJob, DesiredStack, Stack
from batchctl.model.keys import Account
from batchctl.model.observed import Observed
from batchctl.model.plan import Guard
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.reconcile.attach import provider_now
from batchctl.reconcile.decision import Decision, Subject
from batchctl.reconcile.holding import creates, hold
from batchctl.reconcile.live import MINUTE, LiveJob, find_creates, find_live
from batchctl.reconcile.quotas import limit_now, next_growth

BYTES_A_TOKEN = 4
"""A rough measure, and rather too many tokens than too few for most languages (reference chapter 10 counts tokens)."""


@dataclass(frozen=True)
class Obstacle:
    """What keeps a job from being created now."""

    kind: LimitKind
    words: str
    used: int
    most: int
    next_time: datetime | None = None
    is_model_wide: bool = False
    """Whether only jobs of the same model are kept; else all of the account."""


@dataclass(frozen=True)
class Admission:
    """The decisions with what may not be created now held back, and what can never be."""

    decided: Mapping[str, tuple[Subject, Decision]]
    guards: Mapping[str, Guard]
    """Jobs that are too large for a limit, whatever ends."""
    live: Mapping[QuotaKey, int]


@dataclass
class _Room:
    """What is taken on one account, as more and more jobs are let in."""

    account: Account
    limits: AdmissionLimits
    quotas: Mapping[QuotaKey, Quota]
    clock: datetime
    sent: list[datetime]
    """Create calls of the last minute, oldest first."""
    live: Counter[str] = field(default_factory=Counter)
    """By model."""
    tokens: Counter[str] = field(default_factory=Counter)

    def take(self, job: DesiredJob) -> None:
        """Let a job in."""
        model = short_model(job.model)
        self.live[model] += 1
        self.tokens[model] += estimate_tokens(job)
        self.sent.append(self.clock)

    def find_obstacle(self, job: DesiredJob) -> Obstacle | None:
        """What keeps the job out; None when there is room."""
        tests: Sequence[Callable[[DesiredJob], Obstacle | None]] = (
            self._active,
            self._rate,
            self._quota,
            self._tokens,
        )
        return next((obstacle for test in tests if (obstacle := test(job)) is not None), None)

    def _active(self, job: DesiredJob) -> Obstacle | None:
        used, most = self.live.total(), self.limits.active
        if most is None or used < most:
            return None
        return Obstacle(LimitKind.ACTIVE, f"{used} of {most} jobs are active on {job.provider}", used, most)

    def _rate(self, job: DesiredJob) -> Obstacle | None:
        used, most = len(self.sent), self.limits.creates_per_minute
        if most is None or used < most:
            return None
        words = f"{used} of {most} create calls a minute were made on {job.provider}"
        return Obstacle(LimitKind.RATE, words, used, most, self.sent[used - most] + MINUTE)

    def _quota(self, job: DesiredJob) -> Obstacle | None:
        model = short_model(job.model)
        quota = self.quotas.get(QuotaKey(self.account, model))
        if quota is None:
            return None
        used, most = self.live[model], limit_now(quota, self.clock)
        if self.clock < quota.retry_time:
            words = f"the quota of {model} on {job.provider} is used up, as the API says; it is left alone for a while"
            return Obstacle(LimitKind.QUOTA, words, used, most, quota.retry_time, is_model_wide=True)
        if used < most:
            return None
        words = f"{used} jobs of {model} are active on {job.provider}, and the API seems to take {most}"
        return Obstacle(LimitKind.QUOTA, words, used, most, next_growth(quota, used), is_model_wide=True)

    def _tokens(self, job: DesiredJob) -> Obstacle | None:
        model, needed = short_model(job.model), estimate_tokens(job)
        used, most = self.tokens[model], self.limits.tokens_of(model)
        if most is None or used + needed <= most:
            return None
        words = f"{used} of {most} tokens are enqueued for {model} on {job.provider}, {job.name} needs about {needed}"
        return Obstacle(LimitKind.TOKENS, words, used, most, is_model_wide=True)


def admit(
    decided: Mapping[str, tuple[Subject, Decision]],
    refused: Container[str],
    desired: DesiredStack,
    recorded: Recorded,
    observed: Observed,
    now: datetime,
) -> Admission:
    """Let as many create calls through as there is room for. Jobs in `refused` are held back by a guard already."""
    waiting = {
        name: subject.desired
        for name, (subject, decision) in decided.items()
        if subject.desired is not None and creates(decision) and name not in refused
    }
    # A call whose grace is over has most likely made nothing; if it is sent again, that is counted.
    live = [one for one in find_live(desired, recorded, observed) if one.is_sure or one.job not in waiting]
    limits = {account: _limits(account, desired) for account in {job.account for job in waiting.values()}}
    guards = {}
    by_account: dict[Account, list[DesiredJob]] = defaultdict(list)
    for name, job in sorted(waiting.items()):
        guard = _never_fits(job, limits[job.account])
        if guard is not None:
            guards[name] = guard
        else:
            by_account[job.account].append(job)
    held: dict[str, tuple[Subject, Decision]] = {}
    for account, jobs in sorted(by_account.items()):
        room = _Room(
            account,
            limits[account],
            recorded.quotas,
            provider_now(account, observed, now),
            find_creates(account, desired, recorded, observed, now),
        )
        _count(room, live, desired)
        queue = sorted(jobs, key=lambda job: _rank(job, recorded.jobs.get(job.name)))
        held.update(_hold(_let_in(queue, room), decided))
    return Admission({**decided, **held}, guards, Counter(one.key for one in live))


def estimate_tokens(job: DesiredJob) -> int:
    """About how many tokens the job's input has; 0 where batchctl does not send it, and so cannot tell."""
    return -(-(job.input_bytes or 0) // BYTES_A_TOKEN)


def _limits(account: Account, desired: DesiredStack) -> AdmissionLimits:
    """The bounds on one account: of several providers that stand for it, the strictest."""
    names = sorted({job.provider for job in desired.jobs if job.account == account})
    found = [_limits_of(name, account, desired.stack) for name in names]
    models = {model for limits in found for model in limits.tokens_by_model}
    return AdmissionLimits(
        _least(limits.active for limits in found),
        _least(limits.enqueued_tokens for limits in found),
        {model: most for model in models if (most := _least(one.tokens_of(model) for one in found)) is not None},
        _least(limits.creates_per_minute for limits in found),
    )


def _limits_of(provider: str, account: Account, stack: Stack) -> AdmissionLimits:
    api = AdmissionLimits(active=CAPABILITIES[account.api].limits.active)
    config = stack.providers.get(provider)
    own = AdmissionLimits() if config is None else config.admission
    return own.over(stack.limits.admission).over(api)


def _least(bounds: Iterable[int | None]) -> int | None:
    return min((bound for bound in bounds if bound is not None), default=None)


def _never_fits(job: DesiredJob, limits: AdmissionLimits) -> Guard | None:
    needed, most = estimate_tokens(job), limits.tokens_of(short_model(job.model))
    if most is None or needed <= most:
        return None
    message = f"{job.name} has about {needed} tokens, and no more than {most} may be enqueued for its model"
    return Guard(ErrorCode.NEVER_FITS, message, "split its input, or raise limits.enqueuedTokens")


def _count(room: _Room, live: Iterable[LiveJob], desired: DesiredStack) -> None:
    """Fill a room with what is at work there."""
    tokens = {job.name: estimate_tokens(job) for job in desired.jobs}
    for one in live:
        if one.key.account == room.account:
            room.live[one.key.model] += 1
            room.tokens[one.key.model] += tokens.get(one.job, 0)


def _rank(job: DesiredJob, record: RecordedJob | None) -> tuple[int, datetime, str]:
    """The order of the queue. A job without an attempt has not come yet, as far as anybody has written down."""
    times = [attempt.create_time for attempt in record.attempts if attempt.create_time] if record is not None else []
    return -job.priority, min(times, default=datetime.max.replace(tzinfo=UTC)), job.name


def _let_in(queue: Iterable[DesiredJob], room: _Room) -> list[tuple[DesiredJob, Obstacle]]:
    """Those that have to wait, in order, each with what it waits for."""
    waiting: list[tuple[DesiredJob, Obstacle]] = []
    for_all: Obstacle | None = None
    for_model: dict[str, Obstacle] = {}
    for job in queue:
        model = short_model(job.model)
        obstacle = for_all or for_model.get(model) or room.find_obstacle(job)
        if obstacle is None:
            room.take(job)
            continue
        waiting.append((job, obstacle))
        if obstacle.is_model_wide:
            for_model[model] = obstacle
        else:
            for_all = obstacle
    return waiting


def _hold(
    waiting: Sequence[tuple[DesiredJob, Obstacle]], decided: Mapping[str, tuple[Subject, Decision]]
) -> dict[str, tuple[Subject, Decision]]:
    held = {}
    for position, (job, obstacle) in enumerate(waiting, start=1):
        subject, decision = decided[job.name]
        place = QueuePlace(position, len(waiting), obstacle.kind, obstacle.used, obstacle.most)
        words = f"{ordinal(position)} of {len(waiting)} in the queue: {obstacle.words}"
        held[job.name] = (
            subject,
            replace(hold(subject, decision, words, obstacle.next_time), queue=place),
        )
    return held


def ordinal(number: int) -> str:
    """The number as people count places: 1st, 2nd, 3rd, 4th, 11th."""
    teens = (11, 12, 13)
    ending = "th" if number % 100 in teens else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
