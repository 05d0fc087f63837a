"""The forecast of each job of a plan: of its attempt, or of the one that it waits for.

It assumes that batchctl goes on: what can be created now is created now, and what waits for another job or for a place
begins when that has ended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.admission import LimitKind, short_model
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.decision import Timer
from batchctl.model.forecast import ExpectedEnd, JobForecast, StackForecast
from batchctl.model.keys import Account
from batchctl.model.plan import JobPlan
from batchctl.model.states import ENDED_PHASES, Phase
from batchctl.model.steps import Create
from batchctl.reconcile.forecast.attempts import Comparison, forecast_active, later, latest
from batchctl.reconcile.forecast.learn import model_of, rows_of
from batchctl.reconcile.forecast.places import Places
from batchctl.reconcile.view.order import sort_by_needs


class JobAhead(Struct, frozen=True, gc=False):
    """A job of a plan, with what its forecast needs."""

    plan: JobPlan
    account: Account
    """Of its current attempt, else of its manifest."""
    shards: Sequence[RecordedAttempt] = ()
    """Of the current attempt, as this pass observed them."""


class Basis(Struct, frozen=True):
    """The facts that all forecasts share."""

    known: Comparison
    clocks: Mapping[Account, datetime]
    """The provider's time of each account that was read."""
    now: datetime
    """The local clock."""
    factor: float
    """`limits.stuckFactor`."""

    def clock_of(self, account: Account) -> datetime:
        """The provider's clock where it was seen, else the local one."""
        return self.clocks.get(account, self.now)


Forecasts = dict[str, JobForecast]

_STOPPED = frozenset({Action.CANCEL, Action.DELETE, Action.FORGET, Action.REUSE})
"""Actions after which no attempt of the job is at work."""
_OVER = ENDED_PHASES | {Phase.CANCELLING, Phase.REMOVING}
_UNKNOWN: Mapping[Phase, str] = {
    Phase.SETTLING: "its create call has no answer yet",
    Phase.UNKNOWN: "its remote job could not be seen",
}


def forecast_jobs(jobs: Iterable[JobAhead], over: Container[str], basis: Basis) -> Forecasts:
    """The forecasts of the jobs that have not ended, by name. `over`: the names of those that have."""
    found: Forecasts = {}
    slots: dict[Account, list[ExpectedEnd | None]] = defaultdict(list)
    waiting: dict[str, JobAhead] = {}
    for one in jobs:
        plan = one.plan
        if plan.decision.phase is not Phase.ACTIVE and not is_created_now(plan):
            waiting[plan.job] = one
            continue
        found[plan.job], ends = _at_work(one, basis)
        slots[one.account] += ends
    queued = [one for one in waiting.values() if one.plan.queue is not None and not one.plan.waits_for]
    places = {account: Places.of(ends) for account, ends in slots.items()}
    for one in sorted(queued, key=_position):
        found[one.plan.job] = _queued(one, places.get(one.account, Places()), basis)
    needs = {name: one.plan.waits_for for name, one in waiting.items() if name not in found}
    for name in sort_by_needs(needs).names:
        found[name] = _waiting(waiting[name], found, over, basis)
    return found


def forecast_stack(found: Mapping[str, JobForecast]) -> StackForecast:
    """The forecast of all jobs together."""
    ends = [one.end for one in found.values() if one.end is not None]
    unknown = tuple(sorted(name for name, one in found.items() if one.end is None))
    stuck = tuple(sorted(name for name, one in found.items() if one.stuck is not None))
    return StackForecast(latest(ends) if ends and not unknown else None, unknown, stuck)


def is_over(plan: JobPlan) -> bool:
    """Whether nothing of a job is at work, or will be."""
    decision = plan.decision
    if decision.action in _STOPPED:
        return True
    return decision.phase in _OVER and not (is_created_now(plan) or decision.timer is Timer.BACKOFF)


def is_created_now(plan: JobPlan) -> bool:
    """Whether the plan makes a new attempt, and nothing refuses that."""
    return plan.guard is None and plan.decision.action.buys


def _position(one: JobAhead) -> int:
    assert one.plan.queue is not None
    return one.plan.queue.position


def _at_work(one: JobAhead, basis: Basis) -> tuple[JobForecast, list[ExpectedEnd | None]]:
    """The forecast of a job at work, and the end of each of its remote jobs."""
    if is_created_now(one.plan):
        calls = sum(isinstance(step, Create) for step in one.plan.steps)
        clock = basis.clock_of(one.account)
        found = _new(one, ExpectedEnd(clock, clock), basis)
        if calls > 1:
            found = replace(found, end=None, unknown=f"its {calls} shards are not created yet")
        return found, [found.end] * calls
    return _active(one, basis)


def _active(one: JobAhead, basis: Basis) -> tuple[JobForecast, list[ExpectedEnd | None]]:
    found = [_shard(attempt, one.plan, basis) for attempt in one.shards if attempt.is_active]
    left = _left(one)
    if len(found) == 1:  # nearly all jobs
        only = found[0]
        return (replace(only, end=None, unknown=left) if left else only), [only.end]
    ends = [each.end for each in found]
    if not found:
        return _unknown(one, left, basis), ends
    # The shard that ends last, or one whose end is unknown, speaks for all.
    unsure = [each for each in found if each.end is None]
    shown = unsure[0] if unsure else max(found, key=lambda each: each.end.p50 if each.end else basis.now)
    stuck = next((each.stuck for each in found if each.stuck is not None), None)
    known = [end for end in ends if end is not None]
    shown = replace(shown, end=None if unsure else latest(known), stuck=stuck)
    return (replace(shown, end=None, unknown=left) if left else shown), ends


def _left(one: JobAhead) -> str:
    """The part of a job that follows its present remote jobs, in words; empty if there is none."""
    attempt = one.plan.attempt
    if attempt is None or attempt.sent is None:
        return ""
    if attempt.is_canary:
        return "its canary decides whether the other rows follow"
    missing = attempt.sent.shards - sum(not shard.is_unsent for shard in one.shards)
    return f"{missing} of {attempt.sent.shards} shards are not created yet" if missing > 0 else ""


def _shard(attempt: RecordedAttempt, plan: JobPlan, basis: Basis) -> JobForecast:
    if attempt.create_time is None:
        return JobForecast(unknown="the API does not say when it was created")
    rows = rows_of(attempt)
    model = model_of(attempt, plan.size.model)
    like = basis.known.like(attempt.account, model, plan.size.rows if rows is None else rows)
    return forecast_active(attempt, like, basis.clock_of(attempt.account), basis.factor)


def _new(one: JobAhead, begin: ExpectedEnd, basis: Basis) -> JobForecast:
    """The forecast of a job whose next attempt begins then."""
    like = basis.known.like(one.account, short_model(one.plan.size.model or ""), one.plan.size.rows)
    return replace(like.forecast, end=later(begin, like.whole.beyond()))


def _unknown(one: JobAhead, why: str, basis: Basis) -> JobForecast:
    clock = basis.clock_of(one.account)
    return replace(_new(one, ExpectedEnd(clock), basis), end=None, unknown=why)


def _queued(one: JobAhead, places: Places, basis: Basis) -> JobForecast:
    """The forecast of a job that waits for a place: the next one to be free is its own."""
    place = one.plan.queue
    assert place is not None
    if place.limit is not LimitKind.ACTIVE:
        return _unknown(one, f"it waits for {place.limit}, which has no known end", basis)
    first = places.first
    if first is None or places.count != place.used:
        return _unknown(one, f"it waits for a place, and not all of {place.used} active jobs have a known end", basis)
    found = _new(one, first, basis)
    places.take(found.end)
    return found


def _waiting(one: JobAhead, found: Mapping[str, JobForecast], over: Container[str], basis: Basis) -> JobForecast:
    """The forecast of a job that waits for something else than a place. `over`: jobs that have ended."""
    plan, clock = one.plan, basis.clock_of(one.account)
    if plan.guard is not None:
        return _unknown(one, f"the plan refuses it ({plan.guard.code})", basis)
    if plan.blocked:
        return _unknown(one, f"it is blocked by {', '.join(plan.waits_for)}", basis)
    if plan.waits_for:
        ends = {name: found[name].end for name in plan.waits_for if name in found}
        ends |= {name: ExpectedEnd(clock, clock) for name in plan.waits_for if name in over}
        known = [end for end in ends.values() if end is not None]
        if len(known) < len(plan.waits_for):
            names = ", ".join(name for name in plan.waits_for if ends.get(name) is None)
            return _unknown(one, f"it waits for {names}, whose end is unknown", basis)
        return _new(one, latest(known), basis)
    if plan.timer is Timer.BACKOFF and plan.next_time is not None:
        return _new(one, ExpectedEnd(plan.next_time, plan.next_time), basis)
    return _unknown(one, _UNKNOWN.get(plan.phase, f"it waits: {plan.reason}"), basis)
