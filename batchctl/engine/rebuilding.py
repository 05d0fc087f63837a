"""Rebuild a lost state: from collected results, from marks, and from what the old file still says of open work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from batchctl.engine.observe import observe
from batchctl.engine.tools import Tools
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredStack
from batchctl.model.errors import BatchctlError
from batchctl.model.events import Event, EventKind
from batchctl.model.inventory import KeptResults
from batchctl.model.keys import Account
from batchctl.model.observed import Observed, RemoteJob
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.model.writes import AddEvent, SaveAttempt, SaveGhost, SaveIdentity, SaveJob, SavePast, Write
from batchctl.reconcile import (
    at_own_accounts,
    find_open,
    find_strangers,
    ghosts_of,
    rebuild,
    record_kept,
    with_open,
)


class RebuiltState(Struct, frozen=True):
    """A state that was rebuilt, and not yet written."""

    jobs: tuple[RecordedJob, ...]
    left_out: tuple[RemoteJob, ...]
    """Remote jobs with our mark that no manifest asks for."""
    writes: tuple[Write, ...]


class NotReadInFullError(BatchctlError):
    """Accounts that could not be read in full: what they have would be missing in the new state."""

    def __init__(self, errors: Mapping[Account, BatchctlError]) -> None:
        names = ", ".join(str(account) for account in errors)
        message = f"nothing was written: {names} could not be read in full"
        super().__init__(message, code=ErrorCode.NOT_READ_IN_FULL, hint="fix that, then run the command again")
        self.errors = errors


def rebuild_state(
    desired: DesiredStack, former: Recorded, folders: Iterable[KeptResults], tools: Tools
) -> RebuiltState:
    """Look at all accounts, and rebuild. `former` is what can be read of the old state. Raises NotReadInFullError."""
    # Before the look: what the look shows first is as old as this.
    now = tools.clock.now()
    found = find_open(former, desired)
    deleted = ghosts_of((one for job in former.jobs.values() for one in job.attempts), now)
    ghosts = (*former.ghosts, *deleted)
    known = replace(with_open(record_kept(desired, folders, now), found, desired), ghosts=ghosts)
    observed = _observe(desired, known, found, tools)
    rebuilt = rebuild(desired, known, observed, now)
    jobs = tuple(at_own_accounts(job) for job in rebuilt.jobs)
    return RebuiltState(jobs, rebuilt.left_out, tuple(_writes(jobs, observed, replace(former, ghosts=ghosts), tools)))


def _observe(desired: DesiredStack, known: Recorded, found: Recorded, tools: Tools) -> Observed:
    look = observe(desired, known, tools, also=desired.accounts)
    hint = "set the key of the project that the jobs are in"
    # A key that shows nothing of the former state's open work is another project's.
    strangers = {
        account: BatchctlError(problem, code=ErrorCode.OTHER_KEY, hint=hint)
        for account, problem in find_strangers(found, look.observed).items()
    }
    if errors := {**look.errors, **strangers}:
        raise NotReadInFullError(errors)
    return look.observed


def _writes(jobs: Iterable[RecordedJob], observed: Observed, kept: Recorded, tools: Tools) -> Iterator[Write]:
    """The records of the jobs, and `kept` ones of forgotten jobs."""
    now = tools.clock.now()
    for job in jobs:
        yield SaveJob(job.row)
        yield from map(SaveAttempt, job.attempts)
        yield AddEvent(Event(now, job.name, None, EventKind.REBUILT.words, "batchctl state rebuild"))
    for account, look in observed.items():
        if look.identity:
            yield SaveIdentity(account, look.identity)
    yield from map(SaveGhost, kept.ghosts)
    yield from map(SavePast, kept.history)
