"""A cheap check for changes where nothing is to be decided: a look without a plan.

A get proves that a job is there, and its state. That a job is not there, and that there is no second one, is proven
by a complete list alone; so whatever could lead to a create, a delete or a settlement asks for a whole pass.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.keys import Account
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.recorded import Recorded
from batchctl.model.states import Phase


class QuickCheck(Struct, frozen=True):
    """The calls that show whether anything has happened."""

    gets: tuple[RecordedAttempt, ...] = ()
    """The attempts to ask for one by one."""
    lists: bool = False
    """Whether the lists are read instead, because that takes fewer calls."""


def choose_check(plan: Plan, recorded: Recorded, list_calls: Mapping[Account, int]) -> QuickCheck | None:
    """The calls to make; None when only a whole pass shows enough.

    `plan` is that of the last complete look, `recorded` the state since, and `list_calls` how many calls each account's
    list takes.
    """
    if plan.problems or any(not _rests(job) for job in plan.jobs):
        return None
    if recorded.unanswered or any(notice.is_pending for notice in recorded.outbox):
        return None
    named = [recorded.jobs[job.job] for job in plan.jobs if job.job in recorded.jobs]
    active = tuple(attempt for job in named for attempt in job.attempts if _may_change(attempt))
    return QuickCheck(active) if len(active) < sum(list_calls.values()) else QuickCheck(lists=True)


def _rests(job: JobPlan) -> bool:
    """Whether nothing is to be done for a job before something happens to a remote one."""
    waits = job.action.is_quiet and job.queue is None and not job.unfinished and not job.unseen
    return waits and job.phase not in {Phase.SETTLING, Phase.UNKNOWN}


def _may_change(attempt: RecordedAttempt) -> bool:
    return attempt.remote is not None and not attempt.is_gone and not attempt.has_ended
