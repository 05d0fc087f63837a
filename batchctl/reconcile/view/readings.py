"""Outdated readings: an older answer never undoes what is known.

A service with replicas, or a cache before it, may answer with how things were a while ago: a job in a state that it has
left since, or one that was deleted. What is known counts more: a state never goes back to an earlier one, and a job
that we deleted is a ghost, which is neither adopted, nor an orphan, nor a second job, nor collected again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from operator import is_

from msgspec.structs import replace

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.keys import Account
from batchctl.model.observed import Observation, Observed, Presence, Present, RemoteJob
from batchctl.model.recorded import Ghost, Recorded, RecordedRemotes
from batchctl.model.states import JobState, is_terminal

GHOSTS_KEPT = timedelta(days=30)
"""The time that a deleted job is remembered: far longer than any list was observed to lag."""
MOST_GHOSTS = 10_000
"""The newest so many are kept."""

_STEPS: Mapping[str, int] = {JobState.QUEUED: 0, JobState.PENDING: 1, JobState.RUNNING: 2, JobState.CANCELLING: 3}
"""The order of states on the way to an end (reference chapter 5). All others have no place in it."""


def with_latest_readings(recorded: Recorded, observed: Observed) -> Observed:
    """The observations without ghosts, and with no job in an earlier state than it is known to have reached."""
    ghosts: dict[Account, set[str]] = defaultdict(set)
    for ghost in recorded.ghosts:
        ghosts[ghost.account].add(ghost.remote)
    known = recorded.remotes
    nothing = RecordedRemotes()
    return {
        account: _with_latest(look, ghosts[account], known.get(account, nothing)) for account, look in observed.items()
    }


def ghosts_of(attempts: Iterable[RecordedAttempt], now: datetime) -> list[Ghost]:
    """The ghosts to keep of attempts that are about to be forgotten. `now` is the local clock."""
    return [
        Ghost(attempt.account, attempt.remote, now)
        for attempt in attempts
        if attempt.remote is not None and attempt.delete_time is not None
    ]


def old_ghosts(ghosts: Iterable[Ghost], now: datetime) -> list[Ghost]:
    """Those that need not be remembered any longer."""
    newest = sorted(ghosts, key=lambda ghost: (ghost.time, ghost.account, ghost.remote), reverse=True)
    return [ghost for place, ghost in enumerate(newest) if place >= MOST_GHOSTS or now - ghost.time > GHOSTS_KEPT]


def _with_latest(look: Observation, ghosts: AbstractSet[str], known: RecordedRemotes) -> Observation:
    """The observation of one account. `ghosts` and `known` are of its remote jobs."""
    gone, attempts = ghosts | known.deleted, known.attempts
    jobs = [
        job if (attempt := attempts.get(job.name)) is None or attempt.state == job.state else _latest(job, attempt)
        for job in look.jobs
        if job.name not in gone
    ]
    if not look.checked and len(jobs) == len(look.jobs) and all(map(is_, jobs, look.jobs)):
        return look  # nearly always: the same list need not be in memory twice
    return replace(look, jobs=tuple(jobs), checked=_checked(look.checked, known))


def _checked(checked: Mapping[str, Presence], known: RecordedRemotes) -> dict[str, Presence]:
    found = dict(checked)
    for name, there in checked.items():
        if isinstance(there, Present) and there.job.name in known.attempts and there.job.name not in known.deleted:
            found[name] = Present(_latest(there.job, known.attempts[there.job.name]))
    return found


def _latest(job: RemoteJob, attempt: RecordedAttempt) -> RemoteJob:
    """The job as it is shown or, where that is an older reading, as it is known to be."""
    if attempt.state is None or not _is_earlier(job.state, attempt.state):
        return job
    return replace(
        job,
        state=attempt.state,
        end_time=attempt.end_time,
        error=attempt.error,
    )


def _is_earlier(shown: str, known: str) -> bool:
    """Whether a job that has come to a known state cannot have come from there to the one that is shown."""
    if is_terminal(known):
        return shown != known
    return shown in _STEPS and known in _STEPS and _STEPS[shown] < _STEPS[known]
