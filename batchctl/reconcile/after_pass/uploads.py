"""Which uploaded files are no longer needed.

Uploads fill a project's file storage until they expire, or for ever, so they go with the last job that reads them. A
file is named by its content: several attempts may share it, of one job or of many. It is kept as long as one of them
may still read it, or as long as that is not known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.keys import Api
from batchctl.model.observed import Observed
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded, RecordedFile
from batchctl.model.stack import Stack
from batchctl.model.states import Phase, is_terminal
from batchctl.reconcile.view.clocks import provider_now
from batchctl.reconcile.view.marks import is_ours

NO_FILE = ""
"""The input of an attempt that was sent without a file."""


_BEFORE_ATTEMPT = frozenset({Phase.WAITING, Phase.SETTLING})


def expects_attempt(plan: Plan) -> frozenset[str]:
    """Jobs that make an attempt before long: a file that it can use is not sent again."""
    return frozenset(job.job for job in plan.jobs if job.phase in _BEFORE_ATTEMPT)


def find_unneeded(
    recorded: Recorded, observed: Observed, stack: Stack, with_next_attempt: Collection[str], now: datetime
) -> tuple[RecordedFile, ...]:
    """The files to delete, with those that have expired. `with_next_attempt`: jobs that make another attempt soon.

    What an attempt of an older state, or one known by its mark alone, was given is not known: as long as it works, all
    files of its API are kept.
    """
    if not recorded.files:
        return ()
    attempts = [attempt for job in recorded.jobs.values() for attempt in job.attempts]
    open_ones = [attempt for attempt in attempts if attempt.key.job in with_next_attempt or not _is_over(attempt)]
    needed = {attempt.input_file for attempt in open_ones}
    unsure = {attempt.account.api for attempt in attempts if not _is_over(attempt) and attempt.input_file is None}
    unsure |= set(_unrecorded(attempts, observed, stack))
    return tuple(file for file in recorded.files if _is_unneeded(file, needed, unsure, observed, now))


def _is_unneeded(
    file: RecordedFile, needed: Collection[str | None], unsure: Collection[Api], observed: Observed, now: datetime
) -> bool:
    look = observed.get(file.account)
    if is_expired(file, provider_now(file.account, observed, now)):
        return True
    is_seen = look is not None and look.complete
    return is_seen and file.name not in needed and file.account.api not in unsure


def _is_over(attempt: RecordedAttempt) -> bool:
    """Whether an attempt reads its input no more, whatever comes of it."""
    if attempt.rejected or attempt.is_gone:
        return True
    return attempt.remote is not None and attempt.has_ended


def _unrecorded(attempts: Collection[RecordedAttempt], observed: Observed, stack: Stack) -> Iterator[Api]:
    """The APIs that show an active job of this stack that the state does not record: another state may have made it."""
    known = {(attempt.account, attempt.remote) for attempt in attempts}
    for account, look in observed.items():
        for job in look.jobs:
            is_known = (account, job.name) in known or is_terminal(job.state)
            if not is_known and is_ours(job.mark, stack):
                yield account.api


def is_expired(file: RecordedFile, clock: datetime) -> bool:
    """Whether the API has deleted a file that expired."""
    return file.expire_time is not None and file.expire_time <= clock
