"""What no step may do, checked against the truth at the moment of each call."""

from __future__ import annotations

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.keys import same_digest
from batchctl.model.observed import RemoteJob
from batchctl.model.states import ACTIVE_STATES, GOOD_STATES, TERMINAL_STATES, JobState
from batchctl.model.steps import Cancel, Collect, Create, Delete
from tests.search.broken import require
from tests.search.row_promises import check_rows
from tests.search.service import FOREIGN
from tests.search.state import Op, Working


def check_call(working: Working, op: Op, known: frozenset[str], *, is_late: bool, is_ordered: bool) -> None:
    """Raise BrokenPromise where the call that is about to be made breaks one.

    `is_late`: the process has slept since it looked around; `is_ordered`: a person has asked for just this.
    `known`: the results that were here when the pass was planned; what comes during a pass changes no plan.
    """
    step = op.step
    match step:
        case Create():
            _check_create(working, op, known, is_late=is_late, is_ordered=is_ordered)
        case Cancel(_, _, remote, _):
            _check_ours(remote, "cancelled")
        case Collect(_, remote):
            _check_ours(remote.name, "collected")
            there = working.remotes.get(remote.name)
            state = remote.state if there is None else there.job.state
            require(state in TERMINAL_STATES, f"{remote.name} is collected while it is {state}")
            # Under another name of the job it is brought once more: results are found again by the job's folder.
            mine = [one for one in working.kept.values() if one.attempt.key.job == step.key.job]
            twice = [one for one in mine if one.attempt.remote == remote.name]
            require(is_late or not twice, f"{remote.name} is collected twice")
        case Delete(_, _, remote, _):
            _check_ours(remote, "deleted")
            _check_delete(working, remote, op.attempt)
        case _:
            pass


def _check_ours(name: str, what: str) -> None:
    require(not name.startswith(FOREIGN), f"the foreign job {name} is {what}")


def _check_delete(working: Working, name: str, attempt: RecordedAttempt | None) -> None:
    remote = working.remotes.get(name)
    if remote is None:
        return
    require(remote.job.state in TERMINAL_STATES, f"{name} is deleted while it is {remote.job.state}")
    is_here = any(one.attempt.remote == name for one in working.kept.values())
    is_lost = attempt is not None and attempt.results_lost
    require(is_here or is_lost, f"{name} is deleted before its results are collected")


def _check_create(working: Working, op: Op, known: frozenset[str], *, is_late: bool, is_ordered: bool) -> None:
    """No attempt is made twice, and no work is bought again that goes on, or whose results are there or here."""
    if is_late:
        # What slept between its check and its call sends the one call that nothing can hold back (design section 6).
        return
    attempt = op.attempt
    assert attempt is not None
    words = f"{attempt.key} is created"
    same = [job for job in _ours(working) if job.mark and job.mark.key == attempt.key]
    row = next((one for one in working.store.rows if one.name == attempt.key.job), None)
    is_called_off = row is not None and row.cancel_requested is not None and row.current == attempt.key.attempt
    require(not is_called_off, f"{words} after `batchctl cancel`")
    if not working.is_blind:
        require(not same, f"{words}, and {', '.join(job.name for job in same)} was made for it already")
    if working.scene.rows is not None:
        check_rows(working, op, is_ordered=is_ordered)
        return
    for job in _of_same_work(working, attempt):
        working_on = job.state in ACTIVE_STATES - {JobState.CANCELLING}
        is_worth = working_on or (job.state in GOOD_STATES and not is_ordered)
        require(working.is_blind or not is_worth, f"{words}, and {job.name} ({job.state}) is of the same work")
    # A call that got no answer was bought when it was first made; it is sent again to settle it.
    is_resent = op.before is not None and op.before.intent is not None and op.before.token == attempt.token
    if not is_ordered and not is_resent:
        for path in known & working.kept.keys():
            one = working.kept[path]
            is_good = one.attempt.state == JobState.SUCCEEDED and one.attempt.rows.ok
            same_work = same_digest(one.attempt.digest, attempt.digest)
            require(not (is_good and same_work), f"{words}, and {path} has results of this very work")


def _ours(working: Working) -> list[RemoteJob]:
    return [remote.job for remote in working.remotes.values()]


def _of_same_work(working: Working, attempt: RecordedAttempt) -> list[RemoteJob]:
    return [
        job
        for job in _ours(working)
        if job.mark is not None
        and working.lineage(job.mark.key.job) == attempt.key.job
        and same_digest(job.mark.digest, attempt.digest)
    ]
