"""Which remote jobs belong to which attempt of a job, and the attempt's record after this pass.

Adoption lives here: a remote job that carries our mark belongs to the attempt that the mark names, recorded or not.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby

from msgspec.structs import replace

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredJob
from batchctl.model.keys import AttemptKey, same_digest
from batchctl.model.observed import Gone, Missing, Observed, Presence, Present, RemoteJob, Unknown
from batchctl.model.recorded import RecordedJob
from batchctl.model.stack import Stack
from batchctl.model.states import BAD_STATES, GOOD_STATES, is_terminal
from batchctl.model.steps import Note
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.marks import NO_TOKEN, age_of, is_ours, key_of
from batchctl.reconcile.view.refresh import is_same_remote, refresh


def attach(
    recorded: RecordedJob | None, marked: tuple[RemoteJob, ...], observed: Observed, now: datetime
) -> tuple[AttemptView, ...]:
    """The attempts of one job, recorded and found by their marks, lowest number first."""
    attempts = recorded.attempts if recorded else ()
    if len(attempts) == len(marked) == 1 and key_of(marked[0]) == attempts[0].key:
        return (_view(attempts[0], marked, observed, now),)  # nearly all jobs
    records = {attempt.key: attempt for attempt in attempts}
    found = {key: tuple(jobs) for key, jobs in groupby(marked, key_of)}
    views = []
    for key in sorted(records.keys() | found.keys()):
        jobs, record = found.get(key, ()), records.get(key)
        views.append(_adopt(jobs, observed) if record is None else _view(record, jobs, observed, now))
    return tuple(views)


def _adopt(found: tuple[RemoteJob, ...], observed: Observed) -> AttemptView:
    chosen = choose(found)
    mark = chosen.mark
    assert mark is not None
    attempt = RecordedAttempt(mark.key, chosen.account, mark.digest, mark.token, adopted=True)
    attempt = refresh(attempt, chosen, observed[chosen.account].now)
    return AttemptView(attempt, Present(chosen), Note.ADOPTED, _others(found, chosen))


def _view(record: RecordedAttempt, found: tuple[RemoteJob, ...], observed: Observed, now: datetime) -> AttemptView:
    if len(found) == 1 and is_same_remote(record, found[0]):
        # Nearly all attempts: their own remote job is seen, and no other.
        return _seen(record, found, found[0], observed)
    presence = look_up(record, observed)
    if record.is_reused:
        # What carries its mark was made by a state that is lost, or before it: it is not needed.
        return AttemptView(record, presence, duplicates=found)
    # A service that has two addresses shows a job twice: the record stays with the address that it has.
    candidates = sorted(found, key=lambda job: job.account != record.account)
    listed = any(is_same_remote(record, job) for job in found)
    if isinstance(presence, Present) and not listed:
        # Imported jobs carry no mark, and a direct get may show what a lagging list lacks.
        candidates.append(presence.job)
    elif record.remote is not None and not listed and _outlasts(record, presence, found):
        others = found if isinstance(presence, Gone) else ()
        return replace(_unseen(record, presence, now), duplicates=others)
    if not candidates:
        return _unseen(record, presence, now)
    return _seen(record, tuple(candidates), choose(candidates, preferred=record.remote), observed)


def _seen(
    record: RecordedAttempt, candidates: tuple[RemoteJob, ...], chosen: RemoteJob, observed: Observed
) -> AttemptView:
    attempt = refresh(record, chosen, observed[chosen.account].now)
    note = None
    if attempt is record or attempt == record:
        attempt = record  # one value in place of two, for thousands of jobs
    else:
        # A reply that was lost is found again by its token: the intent ends as an adoption.
        note = Note.ADOPTED if record.remote is None else Note.REFRESHED
    return AttemptView(attempt, Present(chosen), note, _others(candidates, chosen))


def _outlasts(record: RecordedAttempt, presence: Presence, found: tuple[RemoteJob, ...]) -> bool:
    """Whether the record stays with its own remote job, though others alone are seen for the attempt.

    Unseen is not gone; and a success that is gone is worth more than what another job failed to do.
    """
    if isinstance(presence, Unknown):
        return True
    kept = record.results is not None or all(job.state in BAD_STATES for job in found)
    return record.state in GOOD_STATES and kept


def _unseen(record: RecordedAttempt, presence: Presence, now: datetime) -> AttemptView:
    vanished = record.remote is not None and record.gone_time is None and record.delete_time is None
    if isinstance(presence, Gone) and vanished:
        return AttemptView(replace(record, gone_time=now, missed=None), presence, Note.GONE)
    if isinstance(presence, Missing) and record.missed != presence.since:
        return AttemptView(replace(record, missed=presence.since), presence, Note.LOOKED)
    return AttemptView(record, presence)


def confirm(view: AttemptView, desired: DesiredJob) -> AttemptView:
    """An adopted attempt whose digest is the manifest's: then it is known in full, as if we had just made it."""
    attempt = view.attempt
    if not attempt.adopted or attempt.tree or not same_digest(attempt.digest, desired.digest):
        return view
    known = replace(attempt, digest=desired.digest, tree=dict(desired.tree), row_hashes=desired.row_hashes)
    return replace(view, attempt=known, note=view.note or Note.REFRESHED)


def claim(desired: DesiredJob, stack: Stack, observed: Observed) -> tuple[AttemptView, ...]:
    """The attempt that `spec.adopt` takes in: a job that is not ours, known by its name. It may have another's mark."""
    observation = observed.get(desired.account)
    if observation is None or desired.adopt is None:
        return ()
    asked = observation.checked.get(desired.adopt)
    job = asked.job if isinstance(asked, Present) else observation.by_name.get(desired.adopt)
    if job is None or is_ours(job.mark, stack):
        return ()
    key = AttemptKey(desired.name, 1)
    record = RecordedAttempt(
        key, desired.account, desired.digest, NO_TOKEN, tree=dict(desired.tree), remote=job.name, adopted=True
    )
    return (AttemptView(refresh(record, job, observation.now), Present(job), Note.ADOPTED),)


def look_up(record: RecordedAttempt, observed: Observed) -> Presence:
    """Find a recorded attempt's remote job in the observations.

    Gone needs a complete list that lacks it, and our own delete or a confirmed 404 (see `absence`; design section 5).
    """
    observation = observed.get(record.account)
    if observation is None:
        # The engine does not look where nothing is expected.
        return Gone() if record.is_gone else Unknown(f"{record.account} was not read")
    if record.is_reused:
        return Gone()
    if record.remote is None:
        return Gone() if observation.complete else Unknown(observation.problem)
    job = observation.by_name.get(record.remote)
    if job is not None:
        return Present(job)
    if record.gone_time is not None:
        return Gone()
    if not observation.complete:
        return Unknown(observation.problem)
    if record.delete_time is not None:
        return Gone()
    return observation.checked.get(record.remote, Unknown("it is not in the list, and no direct get was made"))


def choose(candidates: Iterable[RemoteJob], preferred: str | None = None) -> RemoteJob:
    """The one to keep of several remote jobs for one attempt: the succeeded, else the oldest that may still work."""

    def rank(job: RemoteJob) -> tuple[int, bool, tuple[datetime, str]]:
        if job.state in GOOD_STATES:
            worth = 0
        elif not is_terminal(job.state):
            worth = 1
        else:
            worth = 2
        # Among the dead nothing is gained by a change of the record.
        return worth, worth != 1 and job.name != preferred, age_of(job)

    return min(candidates, key=rank)


def _others(candidates: tuple[RemoteJob, ...], chosen: RemoteJob) -> tuple[RemoteJob, ...]:
    if len(candidates) == 1:
        return ()
    return tuple(job for job in candidates if (job.name, _token(job)) != (chosen.name, _token(chosen)))


def _token(job: RemoteJob) -> str:
    return NO_TOKEN if job.mark is None else job.mark.token
