"""Rebuild a lost record from the marks on remote jobs and from collected results.

Only jobs that a manifest asks for come back, and those of which the former record has a create call without an answer.
Of any other job it is not known whether it was to be removed or had been released; it stays out, and `drift`
shows its remote jobs as orphans.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.keys import Account, AttemptKey, same_digest
from batchctl.model.observed import Observed, RemoteJob
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.model.states import GOOD_STATES
from batchctl.reconcile.decide.steps import job_row
from batchctl.reconcile.view.absence import with_absences_aged
from batchctl.reconcile.view.attempts import attach, claim, confirm
from batchctl.reconcile.view.former_names import with_present_names
from batchctl.reconcile.view.marks import find_marked
from batchctl.reconcile.view.readings import with_latest_readings


class Rebuilt(Struct, frozen=True):
    """The jobs that could be rebuilt."""

    jobs: tuple[RecordedJob, ...]
    left_out: tuple[RemoteJob, ...]
    """Remote jobs with our mark that no manifest asks for."""


def record_results(
    desired: DesiredStack,
    kept: Iterable[RecordedAttempt],
    former_names: Mapping[str, Collection[str]],
    accounts: Collection[Account],
    now: datetime,
) -> Recorded:
    """The record that follows from collected results alone. Jobs on accounts that left the stack count as gone."""
    by_job: dict[str, dict[AttemptKey, list[RecordedAttempt]]] = defaultdict(lambda: defaultdict(list))
    for attempt in kept:
        known = attempt if attempt.account in accounts else replace(attempt, gone_time=now)
        by_job[attempt.key.job][attempt.key].append(known)
    jobs = {}
    for wanted in desired.jobs:
        found = by_job.get(wanted.name, {})
        attempts = tuple(_best(found[key], wanted) for key in sorted(found))
        if attempts:
            names = tuple(sorted(set(former_names.get(wanted.name, ())) - {wanted.name}))
            row = job_row(wanted, None, attempts[-1].key.attempt)
            jobs[wanted.name] = RecordedJob(replace(row, former_names=names), attempts)
    return Recorded(jobs)


def rebuild(desired: DesiredStack, known: Recorded, observed: Observed, now: datetime) -> Rebuilt:
    """The complete record. All accounts of the stack have to be in `observed`, with complete lists."""
    aged = with_absences_aged(known, with_latest_readings(known, observed), now, desired.stack.limits.settle_grace)
    seen = with_present_names(desired.stack, known, aged)
    marked = find_marked(desired.stack, seen)
    jobs = []
    for wanted in desired.jobs:
        record = known.jobs.get(wanted.name)
        views = attach(record, marked.get(wanted.name, ()), seen, now) or claim(wanted, desired.stack, seen)
        attempts = tuple(_with_size(confirm(view, wanted).attempt, wanted) for view in views)
        if attempts:
            row = job_row(wanted, record.row if record is not None else None, attempts[-1].key.attempt)
            jobs.append(RecordedJob(row, attempts))
    names = {job.name for job in desired.jobs}
    for name in sorted(known.jobs.keys() - names):
        views = attach(known.jobs[name], marked.get(name, ()), seen, now)
        jobs.append(replace(known.jobs[name], attempts=tuple(view.attempt for view in views)))
    names |= known.jobs.keys()
    others = [remote for name in sorted(marked.keys() - names) for remote in marked[name]]
    return Rebuilt(tuple(jobs), tuple(others))


def _with_size(attempt: RecordedAttempt, wanted: DesiredJob) -> RecordedAttempt:
    """The attempt with the size of its input, which only the manifest of the same work shows."""
    is_known = attempt.input_bytes is not None or not same_digest(attempt.digest, wanted.digest)
    return attempt if is_known else replace(attempt, input_bytes=wanted.input_bytes)


def _best(attempts: list[RecordedAttempt], wanted: DesiredJob) -> RecordedAttempt:
    """The one to believe of several results under one number: that of the desired work, and a success first."""

    def rank(attempt: RecordedAttempt) -> tuple[bool, bool, str]:
        return (
            not same_digest(attempt.digest, wanted.digest),
            attempt.state not in GOOD_STATES,
            attempt.results or "",
        )

    return min(attempts, key=rank)
