"""The record with which a rehearsal begins: that of the stack, as if the API had nothing yet.

What the API has now cannot be copied, so an attempt that is there is sent again, and its times are what is left of it.
What has ended is remembered and its remote job left out: nothing can happen to it any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.keys import AttemptKey
from batchctl.model.observed import RowCounts
from batchctl.model.recorded import Recorded
from batchctl.model.rehearsal import SentAgain
from batchctl.model.states import GOOD_STATES
from batchctl.model.writes import SaveAttempt, SaveJob, SavePast, Write


class Beginning(Struct, frozen=True):
    """The record of a rehearsal."""

    writes: Sequence[Write]
    """In batches of one commit."""
    again: Mapping[str, SentAgain]
    """By job, the attempt that is sent again."""
    over: frozenset[AttemptKey]
    """Attempts with which nothing happens any more."""


def begin(recorded: Recorded, now: datetime) -> Beginning:
    """The record, without what only the API has."""
    writes: list[Write] = []
    again: dict[str, SentAgain] = {}
    over: set[AttemptKey] = set()
    for name, job in recorded.jobs.items():
        writes.append(SaveJob(job.row))
        for attempt in job.attempts:
            if _is_there(attempt):
                age = 0.0 if attempt.create_time is None else max(0.0, (now - attempt.create_time).total_seconds())
                again[name] = SentAgain(attempt.key, age, attempt.state or "")
                writes.append(SaveAttempt(_unsent(attempt)))
            else:
                over.add(attempt.key)
                writes.append(SaveAttempt(_ended(attempt, now)))
    writes += [SavePast(past) for past in recorded.history]
    return Beginning(writes, again, frozenset(over))


def _is_there(attempt: RecordedAttempt) -> bool:
    """Whether the API has an attempt that is still to end, or to be collected."""
    if attempt.intent is not None:
        return True
    if attempt.remote is None or attempt.is_gone or attempt.results_lost:
        return False
    return not attempt.has_ended or (attempt.results is None and attempt.state in GOOD_STATES)


def _unsent(attempt: RecordedAttempt) -> RecordedAttempt:
    return replace(
        attempt,
        intent=None,
        remote=None,
        state=None,
        create_time=None,
        start_time=None,
        end_time=None,
        rows=RowCounts(),
        error=None,
        cancel_time=None,
        cancel_cause=None,
        missed=None,
        trouble=None,
        input_file=None,
        adopted=False,
    )


def _ended(attempt: RecordedAttempt, now: datetime) -> RecordedAttempt:
    """An attempt that needs no remote job: as if that had been deleted."""
    if attempt.remote is None or attempt.is_gone:
        return attempt
    return replace(attempt, delete_time=now, missed=None)
