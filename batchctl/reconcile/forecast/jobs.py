"""The forecast of each job of a plan: of its attempt, or of the one that it waits for.

It assumes that batchctl goes on: what can be created now is created now, and what waits for another job or for a place
begins when that has ended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.admission import LimitKind, short_model
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.decision import Decision, Guard, Timer
from batchctl.model.forecast import ExpectedEnd, JobForecast, StackForecast
from batchctl.model.keys import Account
from batchctl.model.states import ENDED_PHASES, Phase
from batchctl.model.steps import Create
from batchctl.model.work_size import WorkSize
from batchctl.reconcile.forecast.attempts import Comparison, forecast_active, later, latest
from batchctl.reconcile.forecast.learn import model_of, rows_of
from batchctl.reconcile.view.order import sort_by_needs

if TYPE_CHECKING:  # most plans have no queue
    from batchctl.reconcile.forecast.places import Places


class JobAhead(Struct, frozen=True, gc=False):
    """A job that has not ended, with what its forecast needs. See `JobPlan` for the fields that have the same names."""

    job: str
    decision: Decision
    guard: Guard | None
    attempt: RecordedAttempt | None
    size: WorkSize
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


_STOPPED = frozenset({Action.CANCEL, Action.DELETE, Action.FORGET, Action.REUSE})
"""Actions after which no attempt of the job is at work."""
_OVER = ENDED_PHASES | {Phase.CANCELLING, Phase.REMOVING}
_UNKNOWN: Mapping[Phase, str] = {
    Phase.SETTLING: "its create call has no answer yet",
    Phase.UNKNOWN: "its remote job could not be seen",
}


class Forecasts:
    """The forecasts of the jobs of a plan, which come one by one. Some follow from those of all the others."""

    def __init__(self, find_basis: Callable[[], Basis]) -> None:
        self._find_basis = find_basis
        self._found: dict[str, JobForecast] = {}
        self._over: set[str] = set()
        self._ends: dict[Account, list[ExpectedEnd | None]] = defaultdict(list)
        """Of the remote jobs at work, on each account."""
        self._waiting: dict[str, JobAhead] = {}

    @cached_property
    def _basis(self) -> Basis:
        """Found only if a job has not ended."""
        return self._find_basis()

    def over(self, job: str) -> None:
        """Take in a job that has ended: it has no forecast, and others may wait for it."""
        self._over.add(job)

    def of(self, one: JobAhead) -> JobForecast | None:
        """The forecast of a job that has not ended; None if it waits: it is among `others` then."""
        if one.decision.phase is not Phase.ACTIVE and not is_created_now(one.decision, one.guard):
            self._waiting[one.job] = one
            return None
        found = self._found[one.job] = _at_work(one, self._basis, self._ends[one.account])
        return found

    def others(self) -> Mapping[str, JobForecast]:
        """The forecasts of the jobs that wait, once all jobs were taken in."""
        waiting, basis, found = self._waiting, self._basis, self._found
        if not waiting:
            return {}
        queued = [one for one in waiting.values() if one.decision.queue is not None and not one.decision.waits_for]
        if queued:
            self._forecast_queue(queued)
        needs = {name: one.decision.waits_for for name, one in waiting.items() if name not in found}
        for name in sort_by_needs(needs).names:
            found[name] = _waiting(waiting[name], found, self._over, basis)
        return {name: found[name] for name in waiting}

    def _forecast_queue(self, queued: Iterable[JobAhead]) -> None:
        from batchctl.reconcile.forecast.places import Places

        places = {account: Places.of(ends) for account, ends in self._ends.items()}
        for one in sorted(queued, key=_position):
            self._found[one.job] = _queued(one, places.get(one.account, Places()), self._basis)

    def of_stack(self, jobs: int) -> StackForecast | None:
        """The forecast of all jobs together, of which there are so many; None if all have ended."""
        if len(self._over) == jobs:
            return None
        ends: list[ExpectedEnd] = []
        unknown: list[str] = []
        stuck: list[str] = []
        for name, one in self._found.items():
            if one.end is None:
                unknown.append(name)
            else:
                ends.append(one.end)
            if one.stuck is not None:
                stuck.append(name)
        return StackForecast(
            latest(ends) if ends and not unknown else None, tuple(sorted(unknown)), tuple(sorted(stuck))
        )


def is_over(decision: Decision, guard: Guard | None) -> bool:
    """Whether nothing of a job is at work, or will be."""
    if decision.action in _STOPPED:
        return True
    return decision.phase in _OVER and not (is_created_now(decision, guard) or decision.timer is Timer.BACKOFF)


def is_created_now(decision: Decision, guard: Guard | None) -> bool:
    """Whether the plan makes a new attempt, and nothing refuses that."""
    return guard is None and decision.action.buys


def _position(one: JobAhead) -> int:
    assert one.decision.queue is not None
    return one.decision.queue.position


def _at_work(one: JobAhead, basis: Basis, ends: list[ExpectedEnd | None]) -> JobForecast:
    """The forecast of a job at work; the end of each of its remote jobs goes to `ends`."""
    if is_created_now(one.decision, one.guard):
        calls = sum(isinstance(step, Create) for step in (*one.decision.base, *one.decision.steps))
        clock = basis.clock_of(one.account)
        found = _new(one, ExpectedEnd(clock, clock), basis)
        if calls > 1:
            found = replace(found, end=None, unknown=f"its {calls} shards are not created yet")
        ends += [found.end] * calls
        return found
    return _active(one, basis, ends)


def _active(one: JobAhead, basis: Basis, ends: list[ExpectedEnd | None]) -> JobForecast:
    found = [_shard(attempt, one.size, basis) for attempt in one.shards if attempt.is_active]
    left = _left(one)
    ends += [each.end for each in found]
    if len(found) == 1:  # nearly all jobs
        return replace(found[0], end=None, unknown=left) if left else found[0]
    if not found:
        return _unknown(one, left, basis)
    # The shard that ends last, or one whose end is unknown, speaks for all.
    unsure = [each for each in found if each.end is None]
    shown = unsure[0] if unsure else max(found, key=lambda each: each.end.p50 if each.end else basis.now)
    stuck = next((each.stuck for each in found if each.stuck is not None), None)
    known = [each.end for each in found if each.end is not None]
    shown = replace(shown, end=None if unsure else latest(known), stuck=stuck)
    return replace(shown, end=None, unknown=left) if left else shown


def _left(one: JobAhead) -> str:
    """The part of a job that follows its present remote jobs, in words; empty if there is none."""
    attempt = one.attempt
    if attempt is None or attempt.sent is None:
        return ""
    if attempt.is_canary:
        return "its canary decides whether the other rows follow"
    missing = attempt.sent.shards - sum(not shard.is_unsent for shard in one.shards)
    return f"{missing} of {attempt.sent.shards} shards are not created yet" if missing > 0 else ""


def _shard(attempt: RecordedAttempt, size: WorkSize, basis: Basis) -> JobForecast:
    if attempt.create_time is None:
        return JobForecast(unknown="the API does not say when it was created")
    rows = rows_of(attempt)
    model = model_of(attempt, size.model)
    like = basis.known.like(attempt.account, model, size.rows if rows is None else rows)
    return forecast_active(attempt, like, basis.clock_of(attempt.account), basis.factor)


def _new(one: JobAhead, begin: ExpectedEnd, basis: Basis) -> JobForecast:
    """The forecast of a job whose next attempt begins then."""
    like = basis.known.like(one.account, short_model(one.size.model or ""), one.size.rows)
    return replace(like.forecast, end=later(begin, like.whole.beyond()))


def _unknown(one: JobAhead, why: str, basis: Basis) -> JobForecast:
    clock = basis.clock_of(one.account)
    return replace(_new(one, ExpectedEnd(clock), basis), end=None, unknown=why)


def _queued(one: JobAhead, places: Places, basis: Basis) -> JobForecast:
    """The forecast of a job that waits for a place: the next one to be free is its own."""
    place = one.decision.queue
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
    decision, clock = one.decision, basis.clock_of(one.account)
    if one.guard is not None:
        return _unknown(one, f"the plan refuses it ({one.guard.code})", basis)
    if decision.blocked:
        return _unknown(one, f"it is blocked by {', '.join(decision.waits_for)}", basis)
    if decision.waits_for:
        ends = {name: found[name].end for name in decision.waits_for if name in found}
        ends |= {name: ExpectedEnd(clock, clock) for name in decision.waits_for if name in over}
        known = [end for end in ends.values() if end is not None]
        if len(known) < len(decision.waits_for):
            names = ", ".join(name for name in decision.waits_for if ends.get(name) is None)
            return _unknown(one, f"it waits for {names}, whose end is unknown", basis)
        return _new(one, latest(known), basis)
    if decision.timer is Timer.BACKOFF and decision.next_time is not None:
        return _new(one, ExpectedEnd(decision.next_time, decision.next_time), basis)
    return _unknown(one, _UNKNOWN.get(decision.phase, f"it waits: {decision.reason}"), basis)
