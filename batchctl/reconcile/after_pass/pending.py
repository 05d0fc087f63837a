"""Which jobs another pass may bring forward: the run goes on as long as there are any."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from batchctl.model.actions import Action
from batchctl.model.decision import Timer
from batchctl.model.errors import BatchctlError
from batchctl.model.keys import Account
from batchctl.model.outcome import Outcome, Result
from batchctl.model.plan import JobPlan
from batchctl.model.states import Phase
from batchctl.reconcile.after_pass.patience import Patience


class PassEnd(Struct, frozen=True):
    """A run at the end of a pass."""

    jobs: tuple[JobPlan, ...]
    """The decisions of the last pass."""
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    errors: Mapping[Account, BatchctlError] = field(default_factory=dict)
    """Accounts that the pass could not read."""
    unanswered: frozenset[str] = frozenset()
    """Jobs with a create call that has no answer."""
    unsent: frozenset[str] = frozenset()
    """Jobs with shards that the last pass chose and has not created yet."""
    patience: Patience = field(default_factory=Patience)

    def has_failed(self, job: str) -> bool:
        outcome = self.outcomes.get(job)
        return outcome is not None and outcome.result is Result.FAILED

    def is_unreadable(self, job: JobPlan) -> bool:
        """Whether a job waits for an account that cannot be read, for a reason that lasts."""
        if not self.errors:
            return False
        lasting = {account for account, error in self.errors.items() if self.patience.is_lasting(account, error)}
        if job.attempt is None:
            return job.phase is Phase.UNKNOWN and bool(lasting)
        return job.attempt.account in lasting


def find_unsettled(end: PassEnd) -> tuple[JobPlan, ...]:
    """The jobs that a command of one pass still has to settle: an open create call, or a missing remote job."""
    unsettled = {job.job for job in end.jobs if _is_unsettled(job, end) or job.job in end.unsent}
    # A removal follows at once when nothing is left of what it waits for.
    unsettled |= {
        job.job for job in end.jobs if _waits_for_others(job) and job.unfinished and _are_done(job.waits_for, end)
    }
    return tuple(job for job in end.jobs if job.job in unsettled)


def find_pending(end: PassEnd) -> tuple[JobPlan, ...]:
    """The jobs that have not ended, and that another pass may bring forward, by themselves or because others end."""
    pending = {job.job for job in end.jobs if _is_pending(job, end)}
    waiting = [job for job in end.jobs if _waits_for_others(job)]
    inside = {job.job for job in end.jobs}
    # This run does not bring forward the jobs out of its scope, but something else may.
    if pending or any(not inside.issuperset(job.waits_for) for job in waiting):
        pending |= {job.job for job in waiting}
    return tuple(job for job in end.jobs if job.job in pending)


def _waits_for_others(job: JobPlan) -> bool:
    return bool(job.waits_for) and not job.blocked and job.guard is None


def _are_done(names: tuple[str, ...], end: PassEnd) -> bool:
    outcomes = (end.outcomes.get(name) for name in names)
    return all(outcome is not None and outcome.result is Result.DONE for outcome in outcomes)


def _is_unsettled(job: JobPlan, end: PassEnd) -> bool:
    # What is missing may have ended before, and is removed or replaced only once it is confirmed gone.
    is_open = job.phase is Phase.SETTLING or job.timer is Timer.MISSING
    return (is_open and not end.is_unreadable(job)) or (end.has_failed(job.job) and job.job in end.unanswered)


def _is_pending(job: JobPlan, end: PassEnd) -> bool:
    if job.action is Action.NONE:
        return False
    if end.has_failed(job.job):
        return not end.patience.is_over(job.job)
    if job.guard is not None and job.action is not Action.ADOPT:
        # A refused action is not waited for; the old work may go on.
        return job.unfinished and not end.is_unreadable(job)
    if job.action is Action.WAIT:
        # A job that a person holds back is not waited for.
        is_held = job.phase in {Phase.WAITING, Phase.BLOCKED} and job.next_time is None and job.queue is None
        return (job.unseen or not is_held) and not end.is_unreadable(job)
    return True
