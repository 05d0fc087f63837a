"""The steps that carry a decision out, as every decision uses them."""

from __future__ import annotations

from datetime import datetime, timedelta
from operator import attrgetter

from msgspec.structs import replace

from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.desired import DesiredJob
from batchctl.model.recorded import JobRow
from batchctl.model.settings import webhook_hashes
from batchctl.model.steps import Cancel, Collect, Delete, RecordAttempt, RecordJob, Step
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.subject import Subject

CANCEL_RESEND = timedelta(minutes=1)
"""A cancel is best effort (reference 1.6): it is sent again when the job still works after this long."""

_OF_MANIFEST = (
    "kind",
    "provider",
    "model",
    "path",
    "account",
    "lifecycle",
    "row_settings",
    "labels",
    "display_name",
    "depends_on",
    "priority",
)
"""The fields that a manifest and the row of its job have under the same names."""
_of_manifest = attrgetter(*_OF_MANIFEST)


def next_cancel(attempt: RecordedAttempt, clock: datetime) -> datetime | None:
    """When a cancel is due again; None when it is due now."""
    if attempt.cancel_time is None:
        return None
    due = attempt.cancel_time + CANCEL_RESEND
    return due if clock < due else None


def stop_steps(view: AttemptView, context: Context, cause: CancelCause) -> tuple[Step, ...]:
    """The cancel of an active attempt, unless one was sent a moment ago."""
    return tuple(
        Cancel(part.key, part.attempt.account, part.shown.name, cause)
        for part in view.shards
        if part.shown is not None and (part.is_working or not view.parts)
        if next_cancel(part.attempt, context.clock_of(part.attempt.account)) is None
    )


def collect_steps(view: AttemptView) -> tuple[Collect, ...]:
    """The collections of an ended attempt whose results are not here, as long as its remote jobs are there."""
    return tuple(
        Collect(part.key, part.shown) for part in view.shards if part.is_uncollected and part.shown is not None
    )


def end_steps(view: AttemptView, *, discard_results: bool) -> tuple[Step, ...]:
    """Collect and delete a terminal attempt, in this order: a failing collect ends the steps before the delete."""
    assert view.shown is not None
    results = view.attempt.results if view.has_results and not discard_results else None
    delete = Delete(view.key, view.attempt.account, view.shown.name, results)
    return (delete,) if discard_results else (*collect_steps(view), delete)


def seen_steps(subject: Subject) -> tuple[RecordAttempt, ...]:
    """The steps that write down how this pass saw the job's attempts."""
    return tuple(step for view in subject.views for step in view.steps)


def job_row(desired: DesiredJob, recorded: JobRow | None, current: int) -> JobRow:
    """The job's own row as the manifest now makes it."""
    base = recorded or JobRow(
        desired.name, desired.kind, desired.provider, desired.model, desired.path, desired.account
    )
    return replace(
        base,
        **{name: getattr(desired, name) for name in _OF_MANIFEST},
        webhook=webhook_hashes(desired.webhook),
        current=current,
        removing_time=None,
        released_time=None,
    )


def is_recorded(desired: DesiredJob, recorded: JobRow, current: int) -> bool:
    """Whether `job_row` would give the recorded row. It is so for most jobs, and this makes no copy."""
    return (
        _of_manifest(desired) == _of_manifest(recorded)
        and webhook_hashes(desired.webhook) == recorded.webhook
        and recorded.current == current
        and recorded.removing_time is None
        and recorded.released_time is None
    )


def job_row_step(row: JobRow, recorded: JobRow | None) -> tuple[RecordJob, ...]:
    """The step that writes the job's row, if it differs from the record."""
    return () if recorded == row else (RecordJob(row),)
