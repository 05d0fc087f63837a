"""The stack's own jobs at work on each account, by the record, the API, or both.

Orphans, duplicates and released jobs use capacity as well. Unseen is not gone: a recorded job that
had not ended counts until its absence is certain. Other people's jobs are not counted; what they take away shows as a
refusal, and batchctl learns from it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property

from msgspec import Struct

from batchctl.model.admission import QuotaKey, quota_of, short_model
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredStack
from batchctl.model.keys import Account, AttemptKey
from batchctl.model.observed import Gone, Observation, Observed, Present, RemoteJob
from batchctl.model.recorded import Recorded, RecordedJob, RecordedRemotes
from batchctl.model.states import is_terminal
from batchctl.reconcile.view.attempts import look_up
from batchctl.reconcile.view.clocks import provider_now
from batchctl.reconcile.view.marks import is_ours

MINUTE = timedelta(minutes=1)


class LiveJob(Struct, frozen=True, gc=False):
    """One remote job that has not ended, or a create call that may have made one."""

    key: QuotaKey
    job: str
    is_sure: bool = True
    """False for an open intent: its remote job was not seen yet."""
    input_bytes: int | None = None
    """Of its attempt, as recorded; None where that is not known."""


class Sent(Struct, frozen=True, order=True):
    """A create call that was made."""

    time: datetime
    model: str
    """See `short_model`."""


def find_live(desired: DesiredStack, recorded: Recorded, observed: Observed) -> tuple[LiveJob, ...]:
    """All active jobs of the stack, each once, in an order that depends only on their names."""
    known = _Known(desired, recorded)
    found = {account: _seen(look, known) for account, look in observed.items()}
    for job in recorded.jobs.values():
        for attempt in job.attempts:
            shown, name = found.setdefault(attempt.account, {}), attempt.remote or attempt.token
            unseen = None if name in shown else _unseen(job, attempt, observed)
            if unseen is not None:
                shown[name] = unseen
    return tuple([jobs[name] for _, jobs in sorted(found.items()) for name in sorted(jobs)])


class _Known:
    """The models and attempts of the stack by name, for remote jobs that do not say them themselves."""

    def __init__(self, desired: DesiredStack, recorded: Recorded) -> None:
        self.desired = desired
        self.recorded = recorded

    @cached_property
    def models(self) -> Mapping[str, str]:
        """The model of each job."""
        models = {job.name: job.model for job in self.desired.jobs}
        return models | {name: job.row.model for name, job in self.recorded.jobs.items()}

    @cached_property
    def attempts(self) -> Mapping[AttemptKey, RecordedAttempt]:
        """The recorded attempts."""
        return {attempt.key: attempt for job in self.recorded.jobs.values() for attempt in job.attempts}


def _seen(look: Observation, known: _Known) -> dict[str, LiveJob]:
    """The active remote jobs that an observation shows, by their name."""
    found, account = {}, look.account
    own = known.recorded.remotes.get(account, RecordedRemotes()).attempts
    for remote in _shown(look):
        if is_terminal(remote.state):
            continue
        attempt = own.get(remote.name)
        owner = None if attempt is None else attempt.key.job
        if owner is None and is_ours(remote.mark, known.desired.stack):
            attempt, owner = known.attempts.get(remote.mark.key), remote.mark.key.job
        if owner is not None:
            key = quota_of(account, remote.model or known.models.get(owner, ""))
            size = None if attempt is None else attempt.input_bytes
            found[remote.name] = LiveJob(key, owner, input_bytes=size)
    return found


def _shown(look: Observation) -> Iterator[RemoteJob]:
    yield from look.jobs
    yield from (there.job for there in look.checked.values() if isinstance(there, Present))


def _unseen(job: RecordedJob, attempt: RecordedAttempt, observed: Observed) -> LiveJob | None:
    """A recorded attempt that may be active, although no observation shows it."""
    key = quota_of(attempt.account, job.row.model)
    if attempt.remote is None:
        look = observed.get(attempt.account)
        if attempt.intent is None or (look is not None and attempt.token in look.tokens):
            return None
        return LiveJob(key, job.name, is_sure=False, input_bytes=attempt.input_bytes)
    # What is present was counted where it was seen, unless it has ended.
    ended = attempt.has_ended or isinstance(look_up(attempt, observed), Gone | Present)
    return None if ended else LiveJob(key, job.name, input_bytes=attempt.input_bytes)


def find_creates(
    desired: DesiredStack, recorded: Recorded, observed: Observed, now: datetime
) -> Mapping[Account, list[Sent]]:
    """The create calls of the last minute on each account, as far as they are known; oldest first."""
    known = _Known(desired, recorded)
    found: dict[Account, dict[str, tuple[datetime | None, str]]] = defaultdict(dict)
    for job in recorded.jobs.values():
        for attempt in job.attempts:
            if attempt.remote is not None:
                found[attempt.account][attempt.remote] = attempt.create_time, job.row.model
            elif attempt.intent is not None:
                # The intent's time is the local clock's.
                offset = provider_now(attempt.account, observed, now) - now
                found[attempt.account][attempt.token] = attempt.intent.time + offset, job.row.model
    for account, look in observed.items():
        for remote in look.jobs:
            if is_ours(remote.mark, desired.stack):
                model = remote.model or known.models.get(remote.mark.key.job, "")
                found[account][remote.name] = remote.create_time, model
    return {
        account: _within_a_minute(calls.values(), provider_now(account, observed, now))
        for account, calls in found.items()
    }


def _within_a_minute(calls: Iterable[tuple[datetime | None, str]], clock: datetime) -> list[Sent]:
    made = (Sent(time, short_model(model)) for time, model in calls if time is not None and clock - time < MINUTE)
    return sorted(made)
