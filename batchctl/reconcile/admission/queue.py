"""Which of the planned create calls may be made now, and what the others wait for.

One queue for each account: by `priority`, then whose attempts are the oldest, then by name. What does not fit holds
back what comes behind it, as far as both need the same: smaller jobs never overtake a large one for ever.
Source: reference chapter 10 (jobs at once by account, enqueued tokens by model over active jobs; the numbers move).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from batchctl.model.admission import AdmissionLimits, LimitKind, QueuePlace, short_model
from batchctl.model.attempts import Operation
from batchctl.model.capabilities import CAPABILITIES
from batchctl.model.codes import ErrorCode
from batchctl.model.decision import Decision, Guard
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.keys import Account
from batchctl.model.reasons import Reason
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.model.stack import Stack
from batchctl.reconcile.admission.capacity import Capacity, Obstacle, quota_key
from batchctl.reconcile.admission.sizes import creates_of, without_creates
from batchctl.reconcile.admission.stalls import find_stalls
from batchctl.reconcile.admission.tokens import TokenRates, learn_rates
from batchctl.reconcile.admission.usage import LiveJob, find_creates
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decisions import Decisions
from batchctl.reconcile.rules.held_create import hold_create
from batchctl.reconcile.view.subject import Subject

_CODES: Mapping[LimitKind, Reason] = {
    LimitKind.ACTIVE: Reason.ACTIVE_LIMIT,
    LimitKind.TOKENS: Reason.TOKEN_LIMIT,
    LimitKind.RATE: Reason.RATE_LIMIT,
    LimitKind.QUOTA: Reason.QUOTA,
    LimitKind.STALL: Reason.STALLED,
}


def let_in(
    decisions: Decisions, waiting: Mapping[str, DesiredJob], live: Iterable[LiveJob], context: Context
) -> Decisions:
    """Let as many of the waiting jobs through as there is capacity for beside the live ones."""
    desired, recorded = context.desired, context.recorded
    limits = _find_limits({job.account for job in waiting.values()}, desired)
    rates = context.learn(learn_rates)
    guards = {}
    by_account: dict[Account, list[DesiredJob]] = defaultdict(list)
    for name, job in sorted(waiting.items()):
        guard = _never_fits(job, limits[job.account], rates)
        if guard is not None:
            guards[name] = guard
        else:
            by_account[job.account].append(job)
    held: dict[str, tuple[Subject, Decision]] = {}
    for account, capacity in _capacities(by_account, limits, rates, live, context):
        queue = sorted(by_account[account], key=lambda job: queue_rank(job, recorded.jobs.get(job.name)))
        creates = {job.name: creates_of(*decisions.jobs[job.name], job) for job in queue}
        outside, allowed = _let_in(queue, creates, capacity)
        held.update(_hold(outside, decisions.jobs))
        held.update(_with_some(allowed, decisions.jobs))
    return replace(decisions.with_jobs(held), guards={**decisions.guards, **guards})


def _capacities(
    accounts: Iterable[Account],
    limits: Mapping[Account, AdmissionLimits],
    rates: TokenRates,
    live: Iterable[LiveJob],
    context: Context,
) -> Iterator[tuple[Account, Capacity]]:
    """The capacity of each account before any of the waiting jobs is created."""
    recorded = context.recorded
    sizes = {job.name: job.input_bytes for job in context.desired.jobs}
    at_work: dict[Account, list[LiveJob]] = defaultdict(list)
    for one in live:
        at_work[one.key.account].append(one)
    stalls = find_stalls(context) if at_work else {}
    sent = find_creates(context.desired, recorded, context.observed, context.now)
    for account in sorted(accounts):
        capacity = Capacity(
            account,
            limits[account],
            recorded.quotas,
            rates,
            context.clock_of(account),
            sent.get(account, []),
            refusals=_refusals(account, recorded),
            stalls=stalls,
        )
        capacity.count(at_work[account], sizes)
        yield account, capacity


def _refusals(account: Account, recorded: Recorded) -> dict[str, str]:
    """By model, the API's last words about jobs that it refused to create."""
    found = [
        (attempt.trouble.last_time, short_model(job.row.model), attempt.trouble.message)
        for job in recorded.jobs.values()
        for attempt in job.attempts
        if attempt.account == account
        and attempt.remote is None
        and attempt.trouble is not None
        and attempt.trouble.operation is Operation.CREATE
        and attempt.trouble.until is None
    ]
    return {model: message for _, model, message in sorted(found)}


def _find_limits(accounts: Container[Account], desired: DesiredStack) -> dict[Account, AdmissionLimits]:
    """The bounds on some accounts: of several providers with one account, the strictest."""
    names: dict[Account, set[str]] = defaultdict(set)
    for job in desired.jobs:
        if job.account in accounts:
            names[job.account].add(job.provider)
    return {account: _limits(account, sorted(providers), desired) for account, providers in names.items()}


def _limits(account: Account, names: Iterable[str], desired: DesiredStack) -> AdmissionLimits:
    found = [_limits_of(name, account, desired.stack) for name in names]
    models = {model for limits in found for model in limits.tokens_by_model}
    return AdmissionLimits(
        _least(limits.active for limits in found),
        _least(limits.enqueued_tokens for limits in found),
        {model: most for model in models if (most := _least(one.tokens_of(model) for one in found)) is not None},
        _least(limits.creates_per_minute for limits in found),
        _least_by_model([limits.active_by_model for limits in found]),
        _least_by_model([limits.creates_by_model for limits in found]),
    )


def _limits_of(provider: str, account: Account, stack: Stack) -> AdmissionLimits:
    api = AdmissionLimits(active=CAPABILITIES[account.api].limits.active)
    config = stack.providers.get(provider)
    own = AdmissionLimits() if config is None else config.admission
    return own.over(stack.limits.admission).over(api)


def _least(bounds: Iterable[int | None]) -> int | None:
    return min((bound for bound in bounds if bound is not None), default=None)


def _least_by_model(bounds: Sequence[Mapping[str, int]]) -> dict[str, int]:
    models = {model for bound in bounds for model in bound}
    return {model: min(bound[model] for bound in bounds if model in bound) for model in models}


def _never_fits(job: DesiredJob, limits: AdmissionLimits, rates: TokenRates) -> Guard | None:
    key = quota_key(job)
    needed, most = rates.estimate(key, job.input_bytes), limits.tokens_of(key.model)
    # A job that is split needs no more than its largest shard.
    needed = needed if job.sharding.tokens is None else min(needed, job.sharding.tokens)
    if most is None or needed <= most:
        return None
    message = (
        f"{job.name} has about {needed} tokens ({rates.basis(key)}), "
        f"and no more than {most} may be enqueued for its model"
    )
    return Guard(ErrorCode.NEVER_FITS, message, "split its input, or raise limits.enqueuedTokens")


def queue_rank(job: DesiredJob, record: RecordedJob | None) -> tuple[int, datetime, str]:
    """The order of the queue. A job without an attempt comes after those that have one."""
    times = [attempt.create_time for attempt in record.attempts if attempt.create_time] if record is not None else []
    return -job.priority, min(times, default=datetime.max.replace(tzinfo=UTC)), job.name


def _let_in(
    queue: Iterable[DesiredJob], creates: Mapping[str, Sequence[DesiredJob]], capacity: Capacity
) -> tuple[list[tuple[DesiredJob, Obstacle]], dict[str, int]]:
    """Those that have to wait, in order, each with what it waits for; and how many creates of other jobs are allowed.

    A job with several shards gets as many as there is capacity for.
    """
    waiting: list[tuple[DesiredJob, Obstacle]] = []
    allowed: dict[str, int] = {}
    for_all: Obstacle | None = None
    for_model: dict[str, Obstacle] = {}
    for job in queue:
        model = short_model(job.model)
        obstacle = for_all or for_model.get(model)
        for call in creates[job.name] if obstacle is None else ():
            obstacle = capacity.find_obstacle(call)
            if obstacle is not None:
                break
            capacity.take(call)
            allowed[job.name] = allowed.get(job.name, 0) + 1
        if obstacle is None:
            continue
        if job.name not in allowed:
            waiting.append((job, obstacle))
        if obstacle.is_model_wide:
            for_model[model] = obstacle
        else:
            for_all = obstacle
    return waiting, allowed


def _with_some(
    allowed: Mapping[str, int], decided: Mapping[str, tuple[Subject, Decision]]
) -> dict[str, tuple[Subject, Decision]]:
    """The decisions of which only some creates are allowed now."""
    found = {}
    for name, number in allowed.items():
        subject, decision = decided[name]
        if number < sum(step.buys for step in decision.steps):
            found[name] = subject, without_creates(decision, number)
    return found


def _hold(
    waiting: Sequence[tuple[DesiredJob, Obstacle]], decided: Mapping[str, tuple[Subject, Decision]]
) -> dict[str, tuple[Subject, Decision]]:
    held = {}
    for position, (job, obstacle) in enumerate(waiting, start=1):
        subject, decision = decided[job.name]
        place = QueuePlace(position, len(waiting), obstacle.kind, obstacle.used, obstacle.most)
        words = f"{ordinal(position)} of {len(waiting)} in the queue: {obstacle.words}"
        if obstacle.said and obstacle.said not in decision.reason:
            words = f"{words}: {obstacle.said}"
        held[job.name] = (
            subject,
            replace(hold_create(subject, decision, _CODES[obstacle.kind], words, obstacle.next_time), queue=place),
        )
    return held


def ordinal(number: int) -> str:
    """The ordinal number: 1st, 2nd, 3rd, 4th, 11th."""
    teens = (11, 12, 13)
    ending = "th" if number % 100 in teens else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
