"""The pieces that the decisions about desired and about removed jobs share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from functools import cached_property

from batchctl.model.admission import QueuePlace
from batchctl.model.desired import DesiredJob, Lifecycle, Stack
from batchctl.model.kept import Inventory
from batchctl.model.keys import AttemptKey
from batchctl.model.observed import Missing, Observed, Present, Unknown
from batchctl.model.plan import Action, Cancel, Change, Collect, Create, Delete, Guard, RecordJob, Step, Timer
from batchctl.model.reasons import Reason
from batchctl.model.recorded import CancelCause, RecordedAttempt, RecordedJob
from batchctl.model.settings import webhook_hashes
from batchctl.model.states import Phase
from batchctl.reconcile.options import Options
from batchctl.reconcile.view.attempts import AttemptView, provider_now
from batchctl.reconcile.view.kept_results import Holdings
from batchctl.reconcile.view.phases import WANTED, Standing, phase_of

CANCEL_RESEND = timedelta(minutes=1)
"""A cancel is best effort (reference 1.6): sent again when the job still works after this long."""

BY_ORDER = "cancelled by `batchctl cancel`"


class Counted(Enum):
    """Which of the stack's limits an action counts against."""

    CREATE = "create"
    REPLACE = "replace"
    DELETE = "delete"


@dataclass(frozen=True)
class Context:
    """What every decision may look at besides its own job."""

    stack: Stack
    observed: Observed
    now: datetime
    """The local clock; only the grace of an open intent looks at it, beside the provider's."""
    options: Options
    inventory: Inventory | None = None
    """What lies in the results folder; None where nobody looked."""
    holdings: Holdings = field(default_factory=Holdings)
    """What of it is this stack's."""


@dataclass(frozen=True)
class Subject:
    """One job with all that is desired, recorded and observed of it."""

    name: str
    desired: DesiredJob | None
    recorded: RecordedJob | None
    views: tuple[AttemptView, ...]
    used: int = 0
    """The highest attempt that another job made under this name before it was renamed."""

    @cached_property
    def current(self) -> AttemptView | None:
        """The attempt that counts: what the record says, unless a higher one was just found by its mark."""
        if not self.views:
            return None
        last = self.views[-1]
        if last.attempt.adopted and (self.recorded is None or last.key not in _keys(self.recorded)):
            return last
        named = [view for view in self.views if self.recorded and view.key.attempt == self.recorded.current]
        return named[-1] if named else last

    @property
    def next_key(self) -> AttemptKey:
        """The key of a new attempt: one more than any that is known."""
        return AttemptKey(self.name, 1 + max(self.used, *(view.key.attempt for view in self.views), 0))


@dataclass(frozen=True)
class Decision:
    """One job's decision before guards are applied."""

    action: Action
    standing: Standing
    """What its phase follows from."""
    code: Reason
    """The reason for programs."""
    reason: str
    """The same in words, with all that belongs to it."""
    steps: tuple[Step, ...] = ()
    base: tuple[Step, ...] = ()
    """Steps that come first whatever guards say: they keep the record true, or end a second live job."""
    changes: tuple[Change, ...] = ()
    """Of the work."""
    updates: tuple[Change, ...] = ()
    """Of settings that leave the work as it is; written down by `base`, whatever guards say."""
    unfinished: bool = False
    counted: Counted | None = None
    needs_consent: bool = False
    ends_protected: bool = False
    """Whether carrying it out would end a job that a `protect` should keep."""
    refusal: Guard | None = None
    """A guard that this job alone runs into."""
    meanwhile: Decision | None = None
    """What is done about the job as it is, where a guard refuses the decision; None: what is harmless in it."""
    next_time: datetime | None = None
    timer: Timer | None = None
    """What is due then."""
    current: int | None = None
    """The attempt that counts from then on, where carrying it out changes that."""
    waits_for: tuple[str, ...] = ()
    """See `JobPlan`; the same for the next three."""
    blocked: bool = False
    queue: QueuePlace | None = None
    unseen: bool = False

    @property
    def phase(self) -> Phase:
        """How the job stands before anything of this is carried out."""
        return phase_of(self.standing)

    def before(self, *steps: Step) -> Decision:
        """The same with further steps in front."""
        return replace(self, steps=(*steps, *self.steps))


def is_held(lifecycle: Lifecycle, context: Context) -> bool:
    """Whether `suspend`, the job's or the stack's, holds back creates and retries."""
    return context.stack.suspend or lifecycle.suspend


def is_cancel_requested(subject: Subject) -> bool:
    """Whether `batchctl cancel` was asked for, even if no cancel got through."""
    return subject.recorded is not None and subject.recorded.cancel_requested is not None


def stand(subject: Subject, view: AttemptView | None = None) -> Standing:
    """How a job stands as this look leaves it: by the attempt that counts, or by another that is given."""
    view = view or subject.current
    recorded = subject.recorded
    return Standing(
        None if view is None else view.attempt,
        is_hidden=view is not None and isinstance(view.presence, Unknown),
        is_missing=view is not None and isinstance(view.presence, Missing),
        is_called_off=is_cancel_requested(subject),
        is_removing=subject.desired is None and recorded is not None and recorded.removing_time is not None,
    )


def create(
    key: AttemptKey, lifecycle: Lifecycle, context: Context, code: Reason, reason: str, token: str | None = None
) -> Decision:
    """An attempt to be made, unless it is held back. A token is given when it was given to the attempt before."""
    if is_held(lifecycle, context):
        return wait(WANTED, Reason.SUSPENDED, f"suspended; {reason}")
    return Decision(
        Action.CREATE,
        WANTED,
        code,
        reason,
        (Create(key, token),),
        counted=Counted.CREATE,
        needs_consent=True,
        current=key.attempt,
    )


def wait(
    standing: Standing, code: Reason, reason: str, next_time: datetime | None = None, timer: Timer | None = None
) -> Decision:
    """Nothing can or need be done before something else happens, or a time has come."""
    timer = None if next_time is None else timer
    return Decision(Action.WAIT, standing, code, reason, next_time=next_time, timer=timer)


def rest(standing: Standing, code: Reason, reason: str) -> Decision:
    """Nothing is left to do."""
    return Decision(Action.NONE, standing, code, reason)


def wait_for_look(standing: Standing, code: Reason, reason: str) -> Decision:
    """Nothing can be done before the job, or all of its account, can be seen."""
    return Decision(Action.WAIT, standing, code, reason, unseen=True)


def next_cancel(attempt: RecordedAttempt, clock: datetime) -> datetime | None:
    """When a cancel is due again; None when it is due now."""
    if attempt.cancel_time is None:
        return None
    due = attempt.cancel_time + CANCEL_RESEND
    return due if clock < due else None


def stop_steps(view: AttemptView, context: Context, cause: CancelCause) -> tuple[Step, ...]:
    """The cancel of an active attempt, unless one was sent a moment ago."""
    assert isinstance(view.presence, Present)
    clock = provider_now(view.attempt.account, context.observed, context.now)
    if next_cancel(view.attempt, clock) is not None:
        return ()
    return (Cancel(view.key, view.attempt.account, view.presence.job.name, cause),)


def collect_steps(view: AttemptView) -> tuple[Collect, ...]:
    """The collection of an ended attempt whose results are not here, as long as its remote job is there."""
    if not view.is_uncollected or not isinstance(view.presence, Present):
        return ()
    return (Collect(view.key, view.presence.job),)


def end_steps(view: AttemptView, *, discard_results: bool) -> tuple[Step, ...]:
    """Collect and delete a terminal attempt, in this order: a failing collect ends the steps before the delete."""
    assert isinstance(view.presence, Present)
    job = view.presence.job
    results = view.attempt.results if view.has_results and not discard_results else None
    delete = Delete(view.key, view.attempt.account, job.name, results)
    return (delete,) if discard_results else (*collect_steps(view), delete)


def recorded_row(desired: DesiredJob, recorded: RecordedJob | None, current: int) -> RecordedJob:
    """The job's own row as the manifest now makes it."""
    base = recorded or RecordedJob(
        desired.name, desired.kind, desired.provider, desired.model, desired.path, desired.account
    )
    return replace(
        base,
        kind=desired.kind,
        provider=desired.provider,
        model=desired.model,
        path=desired.path,
        account=desired.account,
        lifecycle=desired.lifecycle,
        labels=dict(desired.labels),
        display_name=desired.display_name,
        depends_on=desired.depends_on,
        priority=desired.priority,
        webhook=webhook_hashes(desired.webhook),
        current=current,
        removing_time=None,
        released_time=None,
        attempts=(),
    )


def job_row_step(row: RecordedJob, recorded: RecordedJob | None) -> tuple[RecordJob, ...]:
    """The step that writes the job's row, if it differs from the record."""
    if recorded is not None and replace(recorded, attempts=()) == replace(row, attempts=()):
        return ()
    return (RecordJob(replace(row, attempts=())),)


def _keys(recorded: RecordedJob) -> frozenset[AttemptKey]:
    return frozenset(attempt.key for attempt in recorded.attempts)
