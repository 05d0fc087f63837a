"""The API of a small world: what it does with calls, how its jobs go on, and what others do there."""

from __future__ import annotations

from datetime import timedelta

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.keys import Account, Api, AttemptKey, Mark
from batchctl.model.observed import RemoteJob, RowCounts
from batchctl.model.states import ACTIVE_STATES, GOOD_STATES, TERMINAL_STATES, JobState
from tests.search.ledger import Answer, find_list
from tests.search.scenes import GEMINI, STACK, VERTEX
from tests.search.state import Remote, Working
from tests.search.values import NOW
from tests.support.values import replace

LAST_ROW = {"one row may pass": "UNAVAILABLE", "one row is bad": "SAFETY", "one row is cut": "MAX_TOKENS"}
"""The verdict of the last row in each outcome but the best."""

PENDING_FOR, RUNNING_FOR = timedelta(seconds=1), timedelta(minutes=10)
"""How long a job takes that nothing disturbs."""

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


def take_create(working: Working, attempt: RecordedAttempt) -> Remote:
    """The remote job that a create call makes; it is not there yet."""
    mark = Mark(STACK.name, STACK.uid, attempt.key, attempt.digest[:15], attempt.token)
    name = working.remote_name(attempt.account)
    job = RemoteJob(name, attempt.account, "", mark, JobState.PENDING, create_time=NOW)
    listed = find_list(working.lists, attempt.key, attempt.digest, attempt.token)
    return Remote(job, rows=() if listed is None else listed.rows)


def add(working: Working, remote: Remote) -> None:
    working.remotes[remote.job.name] = remote


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


def advance(working: Working, name: str, state: str, outcome: str = "") -> None:
    """Let a remote job come to another state. `outcome`: how its rows went."""
    remote = working.remotes[name]
    answers = _answers_before_cancel(remote) if state == JobState.CANCELLED else answers_of(remote.rows, state, outcome)
    job = remote.job
    started = job.start_time
    if state == JobState.RUNNING and job.account.api is Api.VERTEX:
        started = NOW
    ended = NOW if state in TERMINAL_STATES else None
    rows = counted(remote._replace(answers=answers), state) if state in TERMINAL_STATES else job.rows
    working.remotes[name] = remote._replace(
        job=replace(job, state=state, start_time=started, end_time=ended, rows=rows), answers=answers
    )


def outcomes(working: Working, state: str) -> tuple[str, ...]:
    """How the rows of a job may have gone that comes to a state."""
    rules = working.scene.rows
    if rules is None or state not in GOOD_STATES:
        return ("",)
    return rules.outcomes


def answers_of(rows: tuple[int, ...], state: str, outcome: str) -> tuple[Answer, ...]:
    """The results of a job that comes to a state."""
    if state == JobState.EXPIRED:
        return tuple((row, "OK") for row in rows[: len(rows) // 2])
    if state not in GOOD_STATES:
        return ()
    last = LAST_ROW.get(outcome)
    found = [(row, "OK") for row in rows]
    if last is not None and rows:
        found[-1] = rows[-1], last
    return tuple(found)


def _answers_before_cancel(remote: Remote) -> tuple[Answer, ...]:
    """The results of a job that is cancelled: of the rows that it came to."""
    made = remote.job.create_time
    if made is None or remote.job.state == JobState.PENDING:
        return ()
    done = int(len(remote.rows) * min(1.0, (NOW - made - PENDING_FOR) / RUNNING_FOR))
    return tuple((row, "OK") for row in remote.rows[:done])


def counted(remote: Remote, state: str) -> RowCounts:
    """The API's own numbers of an ended job."""
    if not remote.rows:
        return rows_of(state)
    good = sum(code == "OK" for _, code in remote.answers)
    return RowCounts(len(remote.rows), good, len(remote.answers) - good)


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
