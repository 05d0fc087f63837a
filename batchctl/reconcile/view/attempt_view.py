"""One attempt with what this pass saw of it."""

from __future__ import annotations

from msgspec import Struct

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.keys import AttemptKey
from batchctl.model.observed import Gone, Missing, Presence, Present, RemoteJob, Unknown
from batchctl.model.states import JobState, is_active
from batchctl.model.steps import Note, RecordAttempt


class AttemptView(Struct, frozen=True, gc=False):
    """One attempt with what was seen of it."""

    attempt: RecordedAttempt
    """The record once `note` is written down."""
    presence: Presence
    note: Note | None = None
    """The change to write down; None when the record is right already."""
    duplicates: tuple[RemoteJob, ...] = ()
    """Further remote jobs for the same (job, attempt, shard)."""
    missing: str | None = None
    """Why the results that the record says were collected are incomplete in the results folder; None when they are."""

    parts: tuple[AttemptView, ...] = ()
    """Its shards, if it has several: this view is their sum."""

    @property
    def shards(self) -> tuple[AttemptView, ...]:
        """Its shards: itself, unless it has several."""
        return self.parts or (self,)

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

    @property
    def shown(self) -> RemoteJob | None:
        """Its remote job as the API shows it; None where this pass did not see it."""
        return self.presence.job if isinstance(self.presence, Present) else None

    @property
    def is_present(self) -> bool:
        """Whether the API shows its remote job."""
        return isinstance(self.presence, Present)

    @property
    def is_unseen(self) -> bool:
        """Whether this pass does not know if its remote job exists."""
        return isinstance(self.presence, Unknown)

    @property
    def is_missing(self) -> bool:
        """Whether its remote job was not there, and a second look has yet to confirm that it is gone."""
        return isinstance(self.presence, Missing)

    @property
    def is_gone(self) -> bool:
        """Whether it is certain that its remote job is not there."""
        return isinstance(self.presence, Gone)

    @property
    def is_working(self) -> bool:
        """Whether the API shows its remote job, and that waits for work or works."""
        return self.is_present and self.attempt.is_active

    @property
    def is_in_unknown_state(self) -> bool:
        """Whether the API shows its remote job in a state of which it is not known what it leads to."""
        return self.is_present and not self.attempt.is_active and not self.attempt.has_ended

    @property
    def living_duplicates(self) -> tuple[RemoteJob, ...]:
        """The further remote jobs that still work, and that no cancel has reached yet."""
        return tuple(job for job in self.duplicates if can_be_cancelled(job))


def can_be_cancelled(job: RemoteJob) -> bool:
    """Whether a cancel is of use: a job that is cancelling already needs no second one."""
    return is_active(job.state) and job.state != JobState.CANCELLING
