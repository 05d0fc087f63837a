"""A cheap check for changes where nothing is to be decided: single gets instead of complete lists.

A get proves that a job is there, and its state. That a job is not there, and that there is no second one, is proven
by a complete list alone; so whatever could lead to a create, a delete or a settlement asks for the list.
"""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.model.capabilities import JOBS_A_PAGE
from batchctl.model.keys import Account
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.recorded import Recorded, RecordedAttempt
from batchctl.model.states import Phase


def choose_gets(plan: Plan, recorded: Recorded, listed: Mapping[Account, int]) -> tuple[RecordedAttempt, ...] | None:
    """The attempts to ask for one by one; None when the lists are to be read, because that is safer or cheaper.

    `plan` is that of the last complete look, `recorded` the state since, and `listed` how many jobs each account's list
    held.
    """
    if plan.problems or any(not _rests(job) for job in plan.jobs):
        return None
    if any(attempt.intent is not None for job in recorded.jobs.values() for attempt in job.attempts):
        return None
    if any(notice.is_pending for notice in recorded.outbox):
        return None
    active = tuple(job.attempt for job in plan.jobs if job.attempt is not None and _may_change(job.attempt))
    pages = sum(max(1, -(-number // JOBS_A_PAGE)) for number in listed.values())
    return active if len(active) < pages else None


def _rests(job: JobPlan) -> bool:
    """Whether nothing is to be done for a job before something happens to a remote one."""
    waits = job.action.is_quiet and job.queue is None and not job.unfinished and not job.unseen
    return waits and job.phase not in {Phase.SETTLING, Phase.UNKNOWN}


def _may_change(attempt: RecordedAttempt) -> bool:
    return attempt.remote is not None and not attempt.is_gone and not attempt.has_ended
