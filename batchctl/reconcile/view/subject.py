"""One job with everything that is desired, recorded and observed of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import cached_property

from msgspec import Struct

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredJob
from batchctl.model.keys import AttemptKey, same_digest
from batchctl.model.lifecycle import Lifecycle
from batchctl.model.recorded import RecordedJob
from batchctl.model.states import Phase
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.phases import PhaseFacts, phase_of


class JobKind(Enum):
    """Which rules apply to a job. In one plan a job is of exactly one kind."""

    DESIRED = "desired"
    """A manifest describes it."""
    REMOVED = "removed"
    """The state has it, and no manifest describes it."""
    ORPHAN = "orphan"
    """Its remote jobs carry this stack's mark, and neither a manifest nor the state has it."""
    CANCEL_COMMAND = "cancel"
    """`batchctl cancel` names it."""
    RETRY_COMMAND = "retry"
    """`batchctl retry` names it, and it can have a new attempt."""
    RETRY_REFUSED = "retry refused"
    """`batchctl retry` names it, and it cannot have a new attempt."""


class Subject(Struct, frozen=True, dict=True):
    """One job as the rules see it."""

    name: str
    desired: DesiredJob | None
    recorded: RecordedJob | None
    views: tuple[AttemptView, ...]
    """Of each shard of each attempt, sorted by key."""
    used: int = 0
    """The highest attempt that another job made under this name before it was renamed."""
    kind: JobKind = JobKind.DESIRED

    @property
    def current(self) -> AttemptView | None:
        """The current attempt: the recorded one, unless a higher one was just found by its mark."""
        views = self.views
        if len(views) == 1:
            return views[0]  # nearly all jobs
        return self._current_of_several if views else None

    @cached_property
    def _current_of_several(self) -> AttemptView:
        from batchctl.reconcile.view.shards import combine_views  # most jobs have one attempt without shards

        last = self.views[-1]
        number = last.key.attempt
        if not (last.attempt.adopted and (self.recorded is None or last.key not in _keys(self.recorded))):
            known = {view.key.attempt for view in self.views}
            current = number if self.recorded is None else self.recorded.row.current
            number = current if current in known else number
        return combine_views([view for view in self.views if view.key.attempt == number])

    @cached_property
    def attempts(self) -> tuple[AttemptView, ...]:
        """The attempts, oldest first: each the sum of its shards."""
        from batchctl.reconcile.view.shards import combine_views

        by_number: dict[int, list[AttemptView]] = {}
        for view in self.views:
            by_number.setdefault(view.key.attempt, []).append(view)
        return tuple(combine_views(by_number[number]) for number in sorted(by_number))

    def is_current(self, view: AttemptView) -> bool:
        """Whether a view is of the attempt that counts, or of one of its shards."""
        return self.current is not None and view.key.attempt == self.current.key.attempt

    @property
    def counting(self) -> AttemptView:
        """The current attempt of a job that has one."""
        assert self.current is not None
        return self.current

    @property
    def manifest(self) -> DesiredJob:
        """The manifest of a job that is desired."""
        assert self.desired is not None
        return self.desired

    def asks_for(self, attempt: RecordedAttempt) -> bool:
        """Whether the manifest asks for the work of an attempt: its rows, in their order and with their keys."""
        return self.desired is not None and same_digest(attempt.digest, self.desired.digest)

    @property
    def record(self) -> RecordedJob:
        """The record of a job that is recorded."""
        assert self.recorded is not None
        return self.recorded

    @property
    def lifecycle(self) -> Lifecycle:
        """The manifest's lifecycle; without a manifest the recorded one."""
        if self.desired is not None:
            return self.desired.lifecycle
        return Lifecycle() if self.recorded is None else self.recorded.row.lifecycle

    @property
    def labels(self) -> Mapping[str, str]:
        """The manifest's labels; without a manifest the recorded ones."""
        if self.desired is not None:
            return self.desired.labels
        return {} if self.recorded is None else self.recorded.row.labels

    @property
    def next_key(self) -> AttemptKey:
        """The key of a new attempt: one more than any that is known."""
        return AttemptKey(self.name, 1 + max(self.used, *(view.key.attempt for view in self.views), 0))

    @property
    def is_cancel_requested(self) -> bool:
        """Whether `batchctl cancel` was asked for, even if no cancel got through."""
        return self.recorded is not None and self.recorded.row.cancel_requested is not None

    @property
    def is_removal_agreed(self) -> bool:
        """Whether its removal has begun: a person agreed to it then."""
        return self.recorded is not None and self.recorded.row.removing_time is not None


def phase_facts(subject: Subject, view: AttemptView | None = None) -> PhaseFacts:
    """The facts that a job's phase follows from: of the attempt that counts, or of another that is given."""
    view = view or subject.current
    return PhaseFacts(
        None if view is None else view.attempt,
        is_hidden=view is not None and view.is_unseen,
        is_missing=view is not None and view.is_missing,
        is_called_off=subject.is_cancel_requested,
        is_removing=subject.desired is None and subject.is_removal_agreed,
    )


def current_phase(subject: Subject, view: AttemptView | None = None) -> Phase:
    """The phase that follows from these facts."""
    return phase_of(phase_facts(subject, view))


def _keys(recorded: RecordedJob) -> frozenset[AttemptKey]:
    return frozenset(attempt.key for attempt in recorded.attempts)
