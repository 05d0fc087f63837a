"""Which remote jobs belong to which attempt of a job, and how the attempt's record stands after this look.

Adoption lives here: a remote job that carries our mark belongs to the attempt that the mark names, recorded or not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from batchctl.model.desired import DesiredJob, Stack
from batchctl.model.keys import Account, AttemptKey, Mark, same_digest, short_uid
from batchctl.model.observed import Gone, Missing, Observed, Presence, Present, RemoteJob, Unknown
from batchctl.model.plan import Note, RecordAttempt
from batchctl.model.recorded import Operation, RecordedAttempt, RecordedJob, Trouble
from batchctl.model.states import BAD_STATES, GOOD_STATES, JobState, is_terminal
from batchctl.reconcile.calls.troubles import overcome


@dataclass(frozen=True)
class AttemptView:
    """One attempt with what was seen of it."""

    attempt: RecordedAttempt
    """The record as it stands once `note` is written down."""
    presence: Presence
    note: Note | None = None
    """What has to be written down; None when the record is right already."""
    duplicates: tuple[RemoteJob, ...] = ()
    """Further remote jobs for the same (job, attempt, shard)."""
    missing: str | None = None
    """Why the results that the record says were collected are not whole in the results folder; None when they are."""

    @property
    def key(self) -> AttemptKey:
        return self.attempt.key

    @property
    def is_uncollected(self) -> bool:
        """Whether there may be results that are not durably here, or not any more."""
        return self.attempt.is_uncollected or (self.missing is not None and not self.attempt.results_lost)

    @property
    def has_results(self) -> bool:
        """Whether its results are here."""
        return self.attempt.results is not None and self.missing is None

    @property
    def steps(self) -> tuple[RecordAttempt, ...]:
        """The step that writes the record down, if one is due."""
        return () if self.note is None else (RecordAttempt(self.attempt, self.note),)


NO_TOKEN = ""
"""The token of an attempt that was made by hand: its remote job carries no mark."""

Marked = Mapping[str, Mapping[AttemptKey, tuple[RemoteJob, ...]]]


def is_ours(mark: Mark | None, stack: Stack) -> bool:
    """Whether a mark is this very stack's: name and uid."""
    return mark is not None and mark.stack == stack.name and mark.uid == short_uid(stack.uid)


def find_marked(stack: Stack, observed: Observed) -> Marked:
    """All remote jobs with our mark, by job and by attempt, each list sorted so that no order of input matters."""
    found: dict[str, dict[AttemptKey, list[RemoteJob]]] = defaultdict(lambda: defaultdict(list))
    for account in sorted(observed):
        for job in observed[account].jobs:
            if job.mark is not None and is_ours(job.mark, stack):
                found[job.mark.key.job][job.mark.key].append(job)
    return {
        name: {key: tuple(sorted(jobs, key=_age)) for key, jobs in attempts.items()} for name, attempts in found.items()
    }


def attach(
    recorded: RecordedJob | None, marked: Mapping[AttemptKey, tuple[RemoteJob, ...]], observed: Observed, now: datetime
) -> tuple[AttemptView, ...]:
    """The attempts of one job, recorded and found by their marks, lowest number first."""
    records = {attempt.key: attempt for attempt in recorded.attempts} if recorded else {}
    views = []
    for key in sorted(records.keys() | marked.keys()):
        found = marked.get(key, ())
        record = records.get(key)
        views.append(_adopt(found, observed) if record is None else _view(record, found, observed, now))
    return tuple(views)


def _adopt(found: tuple[RemoteJob, ...], observed: Observed) -> AttemptView:
    chosen = choose(found)
    mark = chosen.mark
    assert mark is not None
    attempt = RecordedAttempt(mark.key, chosen.account, mark.digest, mark.token, adopted=True)
    attempt = refresh(attempt, chosen, observed[chosen.account].now)
    return AttemptView(attempt, Present(chosen), Note.ADOPTED, _others(found, chosen))


def _view(record: RecordedAttempt, found: tuple[RemoteJob, ...], observed: Observed, now: datetime) -> AttemptView:
    presence = look_up(record, observed)
    if record.is_reused:
        # What carries its mark was made by a state that is lost, or before it: it is not needed.
        return AttemptView(record, presence, duplicates=found)
    # A service that has two addresses shows a job twice: the record stays with the address that it has.
    candidates = sorted(found, key=lambda job: job.account != record.account)
    listed = any(_is_same_remote(record, job) for job in found)
    if isinstance(presence, Present) and not listed:
        # Imported jobs carry no mark, and a direct get may show what a lagging list lacks.
        candidates.append(presence.job)
    elif record.remote is not None and not listed and _outlasts(record, presence, found):
        others = found if isinstance(presence, Gone) else ()
        return replace(_unseen(record, presence, now), duplicates=others)
    if not candidates:
        return _unseen(record, presence, now)
    chosen = choose(candidates, preferred=record.remote)
    attempt = refresh(record, chosen, observed[chosen.account].now)
    # A reply that was lost is found again by its token: the intent ends as an adoption.
    note = Note.ADOPTED if record.remote is None else Note.REFRESHED
    return AttemptView(
        attempt, Present(chosen), note if attempt != record else None, _others(tuple(candidates), chosen)
    )


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
    known = replace(attempt, digest=desired.digest, tree=dict(desired.tree))
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
    """What this pass knows of a recorded attempt's remote job.

    Gone needs a complete list that lacks it, and our own delete or a confirmed 404 (see `absence`; design section 5).
    """
    observation = observed.get(record.account)
    if observation is None:
        # The engine does not look where nothing is expected.
        return Gone() if record.is_gone else Unknown(f"nobody looked at {record.account}")
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
    return observation.checked.get(record.remote, Unknown("the list lacks it, and nobody asked for it directly"))


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
        return worth, worth != 1 and job.name != preferred, _age(job)

    return min(candidates, key=rank)


def refresh(record: RecordedAttempt, job: RemoteJob, seen: datetime) -> RecordedAttempt:
    """The record as the API's view of its remote job makes it. `seen` is the provider's time of the look.

    Nothing leaves a terminal state (reference chapter 5), and the counts of collected results are better than the
    API's, which may be stale (reference 1.5).
    """
    if not _is_same_remote(record, job):
        record = _follow(record, job)
    elif record.state is not None and is_terminal(record.state):
        if record.gone_time is None:
            return replace(record, missed=None)
        # What was gone where the record looked for it is seen at another address: it has moved there.
        return replace(record, account=job.account, gone_time=None, missed=None)
    started = job.start_time or record.start_time
    if started is None and job.state == JobState.RUNNING:
        # The Gemini API has no start time; the first look that shows the job running is never too early.
        started = seen
    return replace(
        record,
        account=job.account,
        intent=None,
        remote=job.name,
        state=job.state,
        create_time=job.create_time or record.create_time,
        start_time=started,
        end_time=job.end_time or (record.end_time or seen if is_terminal(job.state) else None),
        rows=record.rows if record.results else job.rows,
        error=job.error,
        rejected=False,
        missed=None,
        gone_time=None,
        trouble=_left(record, job),
    )


def _left(record: RecordedAttempt, job: RemoteJob) -> Trouble | None:
    """What still goes wrong once the remote job was seen: its making does not, nor does a cancel after its end."""
    if is_terminal(job.state):
        record = overcome(record, Operation.CANCEL)
    return overcome(record, Operation.UPLOAD, Operation.CREATE).trouble


def _is_same_remote(record: RecordedAttempt, job: RemoteJob) -> bool:
    """Whether a remote job is the recorded one. Names are one account's own; at another address the token tells."""
    if job.name != record.remote:
        return False
    return job.account == record.account or (job.mark is not None and job.mark.token == record.token)


def _follow(record: RecordedAttempt, job: RemoteJob) -> RecordedAttempt:
    """The record of an attempt for which another remote job stands from now on.

    What became of the former says nothing about this one. Nor need it do the same work: a lost state, or a create call
    that took effect late, leaves one number to two tokens.
    """
    mark = job.mark
    assert mark is not None
    if not same_digest(mark.digest, record.digest):
        record = replace(record, digest=mark.digest, tree={}, adopted=True, input_bytes=None)
    return replace(
        record,
        token=mark.token,
        create_time=None,
        start_time=None,
        end_time=None,
        cancel_time=None,
        cancel_cause=None,
        delete_time=None,
        results=None,
        tokens=None,
    )


def _others(candidates: tuple[RemoteJob, ...], chosen: RemoteJob) -> tuple[RemoteJob, ...]:
    return tuple(job for job in candidates if (job.name, _token(job)) != (chosen.name, _token(chosen)))


def _token(job: RemoteJob) -> str:
    return NO_TOKEN if job.mark is None else job.mark.token


def _age(job: RemoteJob) -> tuple[datetime, str]:
    return (job.create_time or datetime.min.replace(tzinfo=UTC), job.name)


def provider_now(account: Account, observed: Observed, now: datetime) -> datetime:
    """The provider's clock where it was seen, else the local one."""
    observation = observed.get(account)
    return observation.now if observation else now
