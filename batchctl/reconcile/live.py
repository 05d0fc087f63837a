"""What of ours is at work on each account, whoever knows of it: the record, the API, or both.

Orphans, duplicates and jobs that were let go of fill an account as well as any. Unseen is not gone: a recorded job that
had not ended counts until its absence is certain. Other people's jobs are not counted; what they take away shows as a
refusal, and is learned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from batchctl.model.admission import QuotaKey, short_model
from batchctl.model.desired import DesiredStack
from batchctl.model.keys import Account
from batchctl.model.observed import Gone, Observation, Observed, Present, RemoteJob
from batchctl.model.recorded import Recorded, RecordedAttempt, RecordedJob
from batchctl.model.states import is_terminal
from batchctl.reconcile.attach import is_ours, look_up, provider_now

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class LiveJob:
    """One remote job that has not ended, or a create call that may have made one."""

    key: QuotaKey
    job: str
    is_sure: bool = True
    """False for an open intent: its remote job was not seen so far."""


def find_live(desired: DesiredStack, recorded: Recorded, observed: Observed) -> tuple[LiveJob, ...]:
    """All of ours that live, each once, in an order that depends on nothing but their names."""
    models = {job.name: job.model for job in recorded.jobs.values()}
    models |= {job.name: job.model for job in desired.jobs if job.name not in models}
    found = dict(_seen(desired, recorded, observed, models))
    for job in recorded.jobs.values():
        for attempt in job.attempts:
            place = (attempt.account, attempt.remote or attempt.token)
            live = None if place in found else _unseen(job, attempt, observed)
            if live is not None:
                found[place] = live
    return tuple(found[name] for name in sorted(found))


Named = tuple[tuple[Account, str], LiveJob]


def _seen(desired: DesiredStack, recorded: Recorded, observed: Observed, models: dict[str, str]) -> Iterator[Named]:
    """The live remote jobs that a look shows, by account and name."""
    owners = {(attempt.account, attempt.remote): job.name for job in recorded.jobs.values() for attempt in job.attempts}
    for account, look in observed.items():
        for remote in _shown(look):
            owner = owners.get((account, remote.name))
            if is_ours(remote.mark, desired.stack) and remote.mark is not None:
                owner = owner or remote.mark.key.job
            if owner is not None and not is_terminal(remote.state):
                model = short_model(remote.model or models.get(owner, ""))
                yield (account, remote.name), LiveJob(QuotaKey(account, model), owner)


def _shown(look: Observation) -> Iterator[RemoteJob]:
    yield from look.jobs
    yield from (there.job for there in look.checked.values() if isinstance(there, Present))


def _unseen(job: RecordedJob, attempt: RecordedAttempt, observed: Observed) -> LiveJob | None:
    """A recorded attempt that may live, though no look shows it."""
    key = QuotaKey(attempt.account, short_model(job.model))
    if attempt.remote is None:
        tokens = {remote.mark.token for remote in _of(attempt.account, observed) if remote.mark is not None}
        return None if attempt.intent is None or attempt.token in tokens else LiveJob(key, job.name, is_sure=False)
    # What is present was counted where it was seen, unless it has ended.
    ended = is_terminal(attempt.state or "") or isinstance(look_up(attempt, observed), Gone | Present)
    return None if ended else LiveJob(key, job.name)


def _of(account: Account, observed: Observed) -> tuple[RemoteJob, ...]:
    look = observed.get(account)
    return look.jobs if look is not None else ()


def find_creates(
    account: Account, desired: DesiredStack, recorded: Recorded, observed: Observed, now: datetime
) -> list[datetime]:
    """When create calls were made on an account within the last minute, as far as it is known; oldest first."""
    clock = provider_now(account, observed, now)
    times: dict[str, datetime | None] = {}
    for job in recorded.jobs.values():
        for attempt in job.attempts:
            if attempt.account != account:
                continue
            if attempt.remote is not None:
                times[attempt.remote] = attempt.create_time
            elif attempt.intent is not None:
                # The intent's time is the local clock's.
                times[attempt.token] = attempt.intent.time + (clock - now)
    for remote in _of(account, observed):
        if is_ours(remote.mark, desired.stack):
            times[remote.name] = remote.create_time
    return sorted(time for time in times.values() if time is not None and clock - time < MINUTE)
