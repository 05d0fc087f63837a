"""Queues at the API that have stalled: jobs wait there, and none of them begins.

More jobs in such a queue only make it longer; services were seen to start none of a hundred that waited together, and
to go on when there were fewer. So while it stalls, batchctl adds one job for each time in which one should have begun.
One job that never begins does not keep others out for long, and an empty queue keeps none out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from batchctl.model.admission import QuotaKey
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.observed import Observation, Present, RemoteJob
from batchctl.model.percentiles import percentiles_of
from batchctl.model.recorded import Recorded
from batchctl.model.states import GOOD_STATES, JobState
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.forecast.attempts import LEAST_STUCK
from batchctl.reconcile.forecast.learn import learn_history, model_of

_WAITING = frozenset({JobState.QUEUED, JobState.PENDING})


class Stall(Struct, frozen=True):
    """The queue of one model at the API, in which jobs wait. It has stalled if `most` is not None."""

    since: datetime
    """Since then jobs have waited, and none has begun."""
    waiting: int
    """The jobs that wait there."""
    step: timedelta
    """The time in which one should have begun."""
    usual: timedelta
    """Nine of ten began within this time."""

    def most(self, clock: datetime) -> int | None:
        """The most jobs that may wait there at this time; None as long as the queue has not stalled."""
        steps = (clock - self.since) // self.step
        return None if steps < 1 else 1 + steps

    def next_try(self, waiting: int) -> datetime:
        """When one job more than so many may wait there, if none begins."""
        return self.since + self.step * max(waiting, 1)


def find_stalls(context: Context) -> Mapping[QuotaKey, Stall]:
    """The queues in which jobs wait, where it is known how long that usually takes.

    Without ten starts on record it is not, and then nothing is held back.
    """
    limits = context.stack.limits
    if not limits.pause_when_stalled:
        return {}
    waiting: dict[QuotaKey, list[datetime]] = defaultdict(list)
    moves: dict[QuotaKey, datetime] = {}
    for key, since, moved in _readings(context):
        if moved is not None:
            moves[key] = max(moved, moves.get(key, moved))
        elif since is not None:
            waiting[key].append(since)
    history = context.learn(learn_history) if waiting else None
    found = {}
    for key, times in waiting.items():
        usual = percentiles_of(() if history is None else history.pending.get(key, ())).p90
        if usual is not None:
            step = max(timedelta(seconds=limits.stuck_factor * usual), LEAST_STUCK)
            since = max(min(times), moves.get(key, min(times)))
            found[key] = Stall(since, len(times), step, timedelta(seconds=usual))
    return found


def _readings(context: Context) -> Iterator[tuple[QuotaKey, datetime | None, datetime | None]]:
    """Of each attempt with a remote job: since when it waits at the API, or when it began, as far as that is known."""
    recorded: Recorded = context.recorded
    for job in recorded.jobs.values():
        for attempt in job.attempts:
            if attempt.remote is not None:
                look = context.observed.get(attempt.account)
                key = QuotaKey(attempt.account, model_of(attempt, job.row.model))
                yield key, *_reading(attempt, _shown(attempt.remote, look), look)
    for past in recorded.history:
        yield QuotaKey(past.account, past.model), None, past.start_time or _if_good(past.state, past.end_time)


def _reading(
    attempt: RecordedAttempt, shown: RemoteJob | None, look: Observation | None
) -> tuple[datetime | None, datetime | None]:
    state = attempt.state if shown is None else shown.state
    start = attempt.start_time or (None if shown is None else shown.start_time)
    if start is None and state == JobState.RUNNING and look is not None:
        start = look.now
    if start is not None:
        return None, start
    if state in _WAITING and not attempt.is_gone:
        return attempt.create_time, None
    return None, _if_good(state, attempt.end_time if shown is None else shown.end_time)


def _shown(remote: str, look: Observation | None) -> RemoteJob | None:
    if look is None:
        return None
    there = look.checked.get(remote)
    return there.job if isinstance(there, Present) else look.by_name.get(remote)


def _if_good(state: str | None, end: datetime | None) -> datetime | None:
    """The end of a job that succeeded: it began before that, if its start was not seen."""
    return end if state in GOOD_STATES else None
