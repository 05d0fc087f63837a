"""What no step may do with rows, checked against the truth at each create call; and what holds of rows at rest."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredJob
from batchctl.model.keys import same_digest
from batchctl.model.row_work import RowChoice, RowsToSend
from batchctl.model.states import ACTIVE_STATES, GOOD_STATES, JobState, Phase
from batchctl.model.steps import Create
from tests.search.broken import require
from tests.search.ledger import Histories, SentList, find_list, name_of
from tests.search.scenes import RowRules, input_of
from tests.search.state import Op, Remote, Working

_DONE = frozenset({str(Phase.SUCCEEDED), str(Phase.PARTIALLY_SUCCEEDED)})


def check_rows(working: Working, op: Op, *, is_ordered: bool) -> None:
    """Raise BrokenPromise where a create call would buy rows that it must not buy."""
    attempt, step = op.attempt, op.step
    assert attempt is not None
    assert isinstance(step, Create)
    words = f"{attempt.key} is created"
    listed = find_list(working.lists, attempt.key, attempt.digest, attempt.token)
    require(listed is not None and listed.rows, f"{words} without a list of its rows")
    assert listed is not None
    is_all = step.rows.which is RowsToSend.ALL and is_ordered
    if not listed.renews and not is_all:
        _check_answers(working, listed, words)
    rules = working.scene.rows
    if rules is not None and rules.canary is not None and not listed.renews:
        _check_canary(working, listed, rules, words, is_ordered=is_ordered)


def _check_answers(working: Working, listed: SentList, words: str) -> None:
    """No row has a good answer, here or at the API; none is being answered."""
    known, rows = _histories(working, listed.key.job), frozenset(listed.rows)
    again = [row for row in rows if (found := known[row]) is not None and found.is_good]
    require(not again, f"{words}, and {_names(again)} has a good answer already")
    if working.is_blind:
        return
    for remote in _own_remotes(working, listed.key.job):
        shared = rows & set(remote.rows)
        if remote.job.state in ACTIVE_STATES - {JobState.CANCELLING}:
            require(not shared, f"{words}, and {_names(shared)} is in {remote.job.name}, which works")
        elif not _is_read(working, remote):
            good = shared & {row for row, code in remote.answers if code == "OK"}
            require(not good, f"{words}, and {remote.job.name} has a good answer for {_names(good)}")


def _check_canary(working: Working, listed: SentList, rules: RowRules, words: str, *, is_ordered: bool) -> None:
    """Only a canary is sent before one has passed, and nothing more after one has failed, without an order."""
    assert rules.canary is not None
    named = [one for one in working.store.attempts if one.key.job == listed.key.job]
    before = [one for one in named if same_digest(one.digest, listed.digest) and one.key.attempt < listed.key.attempt]
    row = next((one for one in working.store.rows if one.name == listed.key.job), None)
    is_accepted = (
        row is not None and row.canary_accepted is not None and same_digest(row.canary_accepted, listed.digest)
    )
    has_passed = is_accepted or any(_has_passed(one, rules) for one in before)
    own = [one for one in working.lists if (one.key.job, one.key.attempt) == (listed.key.job, listed.key.attempt)]
    rows = sum(len(one.rows) for one in own if same_digest(one.digest, listed.digest))
    require(has_passed or rows <= rules.canary.rows, f"{words} with {rows} rows before a canary has passed")
    last = max((one for one in before if one.is_canary), key=lambda one: one.key.attempt, default=None)
    has_failed = last is not None and last.results is not None and last.state in GOOD_STATES
    require(has_passed or not has_failed or is_ordered, f"{words} after a failed canary")


def _has_passed(attempt: RecordedAttempt, rules: RowRules) -> bool:
    """Whether an attempt is a canary whose rows are all good, or sent more than one."""
    if attempt.sent is None or attempt.is_unsent:
        return False
    accept = rules.settings.accept
    return not attempt.is_canary or (attempt.results is not None and attempt.sent.good(accept) == attempt.sent.rows)


def check_rows_at_rest(working: Working, decided: Collection[str]) -> None:
    """No shard holds up another: those that have ended are collected, and each is created if there is capacity.

    `decided`: the jobs that nothing refuses.
    """
    for job in working.desired().jobs:
        row = next((one for one in working.store.rows if one.name == job.name), None)
        if row is None or job.name not in decided or row.cancel_requested is not None:
            continue
        for attempt in _current(working, job, row.current):
            remote = None if attempt.remote is None else working.remotes.get(attempt.remote)
            has_results = attempt.results is not None or attempt.results_lost
            if remote is not None and attempt.has_ended and not remote.is_unreadable:
                require(has_results, f"at rest {attempt.key} has ended and is not collected")
            is_new = attempt.is_new and not attempt.is_gone and len(_current(working, job, row.current)) > 1
            require(not is_new or _is_full(working), f"at rest {attempt.key} is not created")


def check_rows_at_end(working: Working, job: DesiredJob, phase: str) -> None:
    """A job that is done has each row once in its results, the good answers among them, and no row left to retry."""
    row = next((one for one in working.store.rows if one.name == job.name), None)
    if row is None or phase not in _DONE:
        return
    attempts = _current(working, job, row.current)
    if not attempts:
        return
    first = attempts[0]
    path = first.results if first.merged is None else first.merged.path
    require(len(attempts) == 1 or first.merged is not None, f"at the end the shards of {job.name} are not merged")
    require(path in working.kept, f"at the end {job.name} is {phase}, and has no results")
    rows, known = input_of(working.scene, job), _histories(working, job.name)
    counts = working.kept[str(path)].attempt.rows
    require(counts.total == len(rows), f"at the end the results of {job.name} have {counts.total} of {len(rows)} rows")
    good = known.counts(rows).ok
    require(counts.ok == good, f"at the end the results of {job.name} have {counts.ok} of {good} good rows")
    has_refused = row.cancel_requested is not None or any(map(_gave_nothing, attempts))
    unsent = [row for row in rows if known[row] is None]
    require(has_refused or not unsent, f"at the end {job.name} is {phase}, and {_names(unsent)} was never sent")
    settings = job.row_settings
    choice = RowChoice(accept=settings.accept, most_tries=settings.max_attempts, fallbacks=settings.fallbacks)
    left = [row for row in rows if not ((found := known[row]) and found.is_good) and choice.may_pass(known[row])]
    is_retried = "ROWS" in job.lifecycle.retry_on and row.cancel_requested is None
    require(not is_retried or not left, f"at the end {_names(left)} of {job.name} may pass, and is not sent again")


def _gave_nothing(attempt: RecordedAttempt) -> bool:
    """Whether a shard ended without any result for its rows, which the manifest's policies left at that."""
    has_none = attempt.has_ended and (attempt.state not in GOOD_STATES or attempt.is_gone)
    return attempt.rejected or attempt.results_lost or has_none


def _histories(working: Working, job: str) -> Histories:
    """What is known of a job's rows, from the ledger itself."""
    rules = working.scene.rows
    assert rules is not None
    since = next((row.rows_since for row in working.store.rows if row.name == job), 1)
    return Histories(working.ledger.values(), job, rules.settings.accept, since)


def _own_remotes(working: Working, job: str) -> Iterator[Remote]:
    """The remote jobs that the job's attempts are known by, or would be."""
    recorded = {one.key: one.remote for one in working.store.attempts}
    for remote in working.remotes.values():
        mark = remote.job.mark
        assert mark is not None
        if remote.is_copy or working.lineage(mark.key.job) != job:
            continue
        if recorded.get(mark.key) in {None, remote.job.name}:
            yield remote


def _is_read(working: Working, remote: Remote) -> bool:
    is_here = any(one.remote == remote.job.name for one in working.ledger.values())
    is_lost = any(one.remote == remote.job.name and one.results_lost for one in working.store.attempts)
    return is_here or is_lost or remote.is_unreadable


def _current(working: Working, job: DesiredJob, number: int) -> list[RecordedAttempt]:
    """The shards of the current attempt, if it is of the desired work."""
    named = [one for one in working.store.attempts if (one.key.job, one.key.attempt) == (job.name, number)]
    return [one for one in named if same_digest(one.digest, job.digest)]


def _is_full(working: Working) -> bool:
    rules = working.scene.rows
    at_once = None if rules is None else rules.at_once
    live = sum(one.job.state in ACTIVE_STATES for one in working.remotes.values())
    return at_once is not None and live >= at_once


def _names(rows: Collection[int]) -> str:
    return ", ".join(name_of(row) for row in sorted(rows))
