"""The API of a small world: what it does with calls, how its jobs go on, and what others do there."""

from __future__ import annotations

from dataclasses import replace

from batchctl.model.keys import Account, Api, AttemptKey, Mark
from batchctl.model.observed import RemoteJob, RowCounts
from batchctl.model.recorded import RecordedAttempt
from batchctl.model.states import ACTIVE_STATES, TERMINAL_STATES, JobState
from tests.search.scenes import GEMINI, STACK, VERTEX
from tests.search.state import Remote, Working
from tests.search.values import NOW

FOREIGN = "foreign/"
"""How the names of other people's jobs begin."""


def _foreign_jobs(account: Account) -> tuple[RemoteJob, ...]:
    """What other people run in the same account, some of it with marks that look much like ours."""
    mark = Mark(STACK.name, STACK.uid, AttemptKey("a", 1), "d1:" + "1" * 12, "theirtoken")
    plain = RemoteJob(f"{FOREIGN}a", account, "", None, JobState.RUNNING, create_time=NOW)
    return (
        plain,
        replace(plain, name=f"{FOREIGN}a-uid", mark=replace(mark, uid="fedcba")),
        replace(plain, name=f"{FOREIGN}a-stack", mark=replace(mark, stack="shop-2")),
        replace(plain, name=f"{FOREIGN}a-ended", mark=replace(mark, uid="fedcba"), state=JobState.SUCCEEDED),
    )


FOREIGN_JOBS = {account: _foreign_jobs(account) for account in (GEMINI, VERTEX)}


def take_create(working: Working, attempt: RecordedAttempt) -> RemoteJob:
    """The remote job that a create call makes; it is not there yet."""
    mark = Mark(STACK.name, STACK.uid, attempt.key, attempt.digest[:15], attempt.token)
    name = working.remote_name(attempt.account)
    return RemoteJob(name, attempt.account, "", mark, JobState.PENDING, create_time=NOW)


def add(working: Working, job: RemoteJob, *, is_copy: bool = False) -> None:
    working.remotes[job.name] = Remote(job, is_copy)


def take_cancel(working: Working, name: str) -> None:
    """A cancel that gets through: at once on Gemini, slowly on Vertex."""
    remote = working.remotes.get(name)
    if remote is not None and remote.job.state in ACTIVE_STATES:
        is_quick = remote.job.account.api is Api.GEMINI
        advance(working, name, JobState.CANCELLED if is_quick else JobState.CANCELLING)


def take_delete(working: Working, name: str) -> None:
    remote = working.remotes.pop(name, None)
    if remote is not None:
        working.deleted[name] = remote.job


def advance(working: Working, name: str, state: str) -> None:
    """Let a remote job come to another state."""
    remote = working.remotes[name]
    job = remote.job
    started = job.start_time
    if state == JobState.RUNNING and job.account.api is Api.VERTEX:
        started = NOW
    ended = NOW if state in TERMINAL_STATES else None
    rows = rows_of(state) if state in TERMINAL_STATES else job.rows
    working.remotes[name] = remote._replace(
        job=replace(job, state=state, start_time=started, end_time=ended, rows=rows)
    )


def next_states(working: Working, job: RemoteJob) -> tuple[str, ...]:
    """The states that a job may come to by itself."""
    ends = tuple(f"JOB_STATE_{end}" for end in working.scene.ends)
    match job.state:
        case JobState.PENDING:
            early = tuple(end for end in ends if end in {JobState.FAILED, JobState.EXPIRED})
            return (JobState.RUNNING, *early)
        case JobState.RUNNING:
            return ends
        case JobState.CANCELLING:
            return (JobState.CANCELLED, JobState.SUCCEEDED)
        case _:
            return ()


def rows_of(state: str) -> RowCounts:
    """How the rows of an ended job went."""
    match state:
        case JobState.SUCCEEDED:
            return RowCounts(4, 4, 0)
        case JobState.PARTIALLY_SUCCEEDED:
            return RowCounts(4, 3, 1)
        case _:
            return RowCounts(4, 0, 0)
