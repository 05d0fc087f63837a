"""Differences between the API and the record that batchctl did not cause."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

from batchctl.model.observed import Gone, Missing, Observation, Observed, RemoteJob
from batchctl.model.plan import Drift, DriftKind
from batchctl.model.stack import Stack
from batchctl.model.states import GOOD_STATES, JobState, is_active
from batchctl.model.steps import Note
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.marks import NO_TOKEN, is_ours
from batchctl.reconcile.view.subject import Subject


def may_have_drifted(subject: Subject) -> bool:
    """False for nearly all jobs: the one remote job of one attempt is seen, with the mark that it was given."""
    views = subject.views
    if len(views) != 1 or views[0].note is not None or views[0].duplicates:
        return True
    view, shown = views[0], views[0].shown
    attempt = view.attempt
    if shown is None or shown.mark is None or attempt.state == JobState.CANCELLED:
        return True
    return shown.mark.key != attempt.key or shown.mark.token != attempt.token


def find_drift(subject: Subject) -> Iterator[Drift]:
    """The drift of one job."""
    view = subject.current
    if view is None:
        return
    for part in view.shards:
        yield from _of_current(subject.name, part)
    for other in subject.views:
        if other.duplicates or not subject.is_current(other):
            yield from _of_duplicates(subject, other)


def _of_current(name: str, view: AttemptView) -> Iterator[Drift]:
    attempt = view.attempt
    ours = attempt.cancel_time is not None or attempt.adopted
    if (
        not view.is_present
        and isinstance(view.presence, Gone | Missing)
        and attempt.remote is not None
        and attempt.delete_time is None
    ):
        yield from _of_absent(name, view)
    if attempt.state == JobState.CANCELLED and not ours:
        yield Drift(name, DriftKind.CANCELLED, f"{attempt.remote} was cancelled, and not by batchctl")
    if view.shown is not None and view.note is not Note.ADOPTED:
        yield from _of_mark(name, view, view.shown)


def _of_absent(name: str, view: AttemptView) -> Iterator[Drift]:
    """The drift of a remote job that is not there, and that batchctl did not delete."""
    attempt = view.attempt
    later = "; a second look has yet to confirm it" if view.is_missing else ""
    if not attempt.has_ended:
        if attempt.cancel_time is None:
            yield Drift(name, DriftKind.MISSING, f"{attempt.remote} is gone, and had not ended{later}")
    elif view.note is Note.LOOKED or (view.note is Note.GONE and view.is_uncollected):
        kept = f"results are at {attempt.results}" if attempt.results else "its results were not collected"
        yield Drift(name, DriftKind.VANISHED, f"{attempt.remote} has ended and is gone; {kept}{later}")


def _of_mark(name: str, view: AttemptView, job: RemoteJob) -> Iterator[Drift]:
    if view.attempt.token == NO_TOKEN:
        return
    if job.mark is None:
        words = "has lost its mark" if job.broken is None else f"shows a damaged mark: {job.broken.text}"
        yield Drift(name, DriftKind.CHANGED, f"{job.name} {words}")
    elif job.mark.key != view.key or job.mark.token != view.attempt.token:
        yield Drift(name, DriftKind.CHANGED, f"{job.name} carries the mark of another attempt: {job.mark}")


def _of_duplicates(subject: Subject, view: AttemptView) -> Iterator[Drift]:
    extra = [job for job in view.duplicates if is_active(job.state) or job.state in GOOD_STATES]
    if not subject.is_current(view) and view.shown is not None and is_active(view.shown.state):
        extra.append(view.shown)
    for job in extra:
        words = f"{job.name} ({job.state}) is a second remote job beside {view.attempt.remote}"
        if not subject.is_current(view):
            words = f"{job.name} ({job.state}) is attempt {view.key.attempt}, and still runs"
        yield Drift(subject.name, DriftKind.DUPLICATE, words)


def find_orphans(name: str, marked: Iterable[RemoteJob]) -> Iterator[Drift]:
    """Remote jobs with our mark that are neither desired nor recorded: of a job of that name."""
    for job in marked:
        detail = f"{job.name} ({job.state}) has this stack's mark, but is neither in a manifest nor in the state"
        yield Drift(name, DriftKind.ORPHAN, detail)


def find_unmanaged(stack: Stack, observed: Observed, recorded_names: Container[str]) -> tuple[RemoteJob, ...]:
    """Remote jobs that are not ours, seen by the way."""
    return tuple(
        job
        for account in sorted(observed)
        for job in sorted(_unmanaged(observed[account], stack, recorded_names), key=lambda job: job.name)
    )


def _unmanaged(look: Observation, stack: Stack, recorded_names: Container[str]) -> Iterator[RemoteJob]:
    return (job for job in look.jobs if job.name not in recorded_names and not is_ours(job.mark, stack))


def describe_unmanaged(job: RemoteJob) -> Drift:
    """An unmanaged job as `drift --unmanaged` shows it."""
    return Drift(job.name, DriftKind.UNMANAGED, f"{job.state}, {job.display_name!r}")
