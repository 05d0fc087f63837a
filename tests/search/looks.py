"""What a pass sees of the small world: the truth, a part of it, or how things were a while ago."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from batchctl.model.keys import Account
from batchctl.model.observed import Gone, Observation, Presence, Present, RemoteJob, Unknown
from batchctl.model.states import TERMINAL_STATES, JobState
from tests.search.scenes import LIST_LAG
from tests.search.service import FOREIGN_JOBS
from tests.search.state import Working
from tests.search.values import NOW, FrozenDict
from tests.support.values import replace


class Look(NamedTuple):
    """One look at one account, as a part of a key."""

    account: Account
    jobs: tuple[RemoteJob, ...]
    complete: bool = True
    checked: FrozenDict = FrozenDict()

    @property
    def observation(self) -> Observation:
        problem = "" if self.complete else "page 2 failed"
        jobs = (*self.jobs, *FOREIGN_JOBS[self.account])
        return Observation(self.account, NOW, jobs, self.complete, problem, self.checked)


def look_around(working: Working, kind: str) -> tuple[Look, ...]:
    """One look at each account. `kind` says what is wrong with it."""
    accounts = working.scene.all_accounts
    torn = working.choices.pick("the list that breaks off", *map(str, accounts)) if kind == "torn" else ""
    return tuple(_look(working, account, "whole" if torn and torn != str(account) else kind) for account in accounts)


def _look(working: Working, account: Account, kind: str) -> Look:
    there = [remote.job for remote in working.remotes.values() if remote.job.account == account]
    shown = [old for job in there for old in _earlier(job)] if kind == "old" else there
    if kind == "old":
        shown += [job for job in working.deleted.values() if job.account == account]
    shown.sort(key=lambda job: job.name)
    if kind == "torn":
        number = int(working.choices.pick("jobs that it shows", *map(str, range(len(shown) + 1))))
        # The newest come first.
        return Look(account, tuple(shown[len(shown) - number :]), complete=False)
    answers = {job.name: job for job in shown}
    missing = sorted(_expected(working, account) - answers.keys())
    checked: dict[str, Presence] = {}
    for name in missing:
        checked[name] = Unknown("503") if kind == "no gets" else _get(answers, name)
    return Look(account, tuple(shown), checked=FrozenDict(checked))


def _get(answers: dict[str, RemoteJob], name: str) -> Presence:
    job = answers.get(name)
    return Gone() if job is None else Present(job)


def _earlier(job: RemoteJob) -> Iterable[RemoteJob]:
    """A job as it was a while ago: not there yet, or one state earlier."""
    if job.create_time is not None and NOW - job.create_time < LIST_LAG:
        return ()
    has_run = job.state in TERMINAL_STATES or job.state == JobState.CANCELLING
    before = JobState.RUNNING if has_run else JobState.PENDING
    return (replace(job, state=before, end_time=None),)


def _expected(working: Working, account: Account) -> set[str]:
    """The remote jobs that the state expects to be there."""
    released = {row.name for row in working.store.rows if row.released_time is not None}
    return {
        attempt.remote
        for attempt in working.store.attempts
        if attempt.remote and not attempt.is_gone and attempt.account == account and attempt.key.job not in released
    }
