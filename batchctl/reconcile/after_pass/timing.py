"""When the decisions of a plan fall due, on a monotonic clock.

A plan's times are the provider's, and a few are the local clock's. Both were read when the plan was made; counted
from there, a later jump of either clock changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct, field

from batchctl.model.desired import DesiredStack
from batchctl.model.forecast import STUCK_FACTOR
from batchctl.model.observed import Observed
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.recorded import Recorded
from batchctl.reconcile.forecast.attempts import Comparison, forecast_active
from batchctl.reconcile.forecast.learn import learn_history, model_of, rows_of


class Timing(Struct, frozen=True):
    """Moments of one pass's jobs, in seconds of the monotonic clock."""

    due: Mapping[str, float] = field(default_factory=dict)
    """When a decision is due that needs no event."""
    born: Mapping[str, float] = field(default_factory=dict)
    """When the remote job was created, of active jobs."""

    def due_in(self, jobs: Iterable[JobPlan], elapsed: float) -> float | None:
        """Seconds until the first decision falls due; below 0 when it is overdue, None when there is none."""
        times = [self.due[job.job] for job in jobs if job.job in self.due]
        return min(times) - elapsed if times else None

    def youngest(self, elapsed: float) -> float | None:
        """The age of the youngest active job."""
        return max(0.0, elapsed - max(self.born.values())) if self.born else None


def seconds_left(plan: Plan, recorded: Recorded, observed: Observed) -> float | None:
    """Seconds from the last look until nine of ten attempts like the active ones would all have ended.

    `recorded` has what that look showed, and its ends are a part of the history. None: the end of one is not known.
    """
    comparison, ends = Comparison(recorded.learn(learn_history)), []
    for job in plan.jobs:
        record = recorded.jobs.get(job.job)
        for attempt in () if record is None else record.attempts:
            if not attempt.is_active:
                continue
            look = observed.get(attempt.account)
            if look is None or attempt.create_time is None:
                return None
            like = comparison.like(attempt.account, model_of(attempt, job.size.model), rows_of(attempt))
            # It was active when its page was read, which may have been at the beginning of a long list.
            end = forecast_active(attempt, like, look.begun, STUCK_FACTOR).end
            if end is None or end.p90 is None:
                return None
            ends.append((end.p90 - look.now).total_seconds())
    return max(ends, default=None)


def time_plan(plan: Plan, desired: DesiredStack, observed: Observed, now: datetime, elapsed: float) -> Timing:
    """The moments of a plan that was made at `now` of the local clock."""
    accounts = {job.name: job.account for job in desired.jobs}
    due, born = {}, {}
    for job in plan.jobs:
        attempt = job.attempt
        account = attempt.account if attempt is not None else accounts.get(job.job)
        look = observed.get(account) if account is not None else None
        clock = look.now if look is not None else now
        if job.next_time is not None:
            since = now if job.timer is not None and job.timer.is_local else clock
            due[job.job] = elapsed + (job.next_time - since).total_seconds()
        if attempt is not None and attempt.create_time is not None and attempt.is_active:
            born[job.job] = elapsed - (clock - attempt.create_time).total_seconds()
    return Timing(due, born)
