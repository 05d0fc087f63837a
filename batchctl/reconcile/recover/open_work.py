"""Open work that a record must not lose when another one replaces it: remote jobs that lists may not show yet.

Of a create call without an answer the record alone knows, and a list may lag behind one that was answered. Were either
forgotten, the next pass would send the call again under another token.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredStack
from batchctl.model.keys import AttemptKey
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.model.writes import SaveAttempt, SaveJob, Write
from batchctl.reconcile.decide.steps import job_row


def find_open(former: Recorded, desired: DesiredStack) -> Recorded:
    """The part of a record about work that may still go on, before the record is rebuilt.

    Of jobs without a manifest only the calls that got no answer: what else they have is found by its mark.
    """
    wanted = {job.name for job in desired.jobs}
    jobs = {}
    for name, job in former.jobs.items():
        found = tuple(one for one in job.attempts if one.intent is not None or (name in wanted and _may_live(one)))
        if found:
            jobs[name] = replace(job, attempts=found)
    return Recorded(jobs, identities=former.identities)


def with_open(results: Recorded, found: Recorded, desired: DesiredStack) -> Recorded:
    """The record as collected results tell it, with the open work of the former one. What was collected is settled."""
    jobs = dict(results.jobs)
    manifests = desired.by_name
    for name, former in found.jobs.items():
        record, wanted = results.jobs.get(name), manifests.get(name)
        attempts = {one.key: one for one in former.attempts}
        attempts |= {one.key: one for one in record.attempts} if record is not None else {}
        ordered = tuple(attempts[key] for key in sorted(attempts))
        row = former.row if wanted is None else job_row(wanted, former.row, ordered[-1].key.attempt)
        names = set(former.row.former_names) | set(record.row.former_names if record is not None else ())
        jobs[name] = RecordedJob(replace(row, former_names=tuple(sorted(names))), ordered)
    return Recorded(jobs)


class LostCalls(Struct, frozen=True):
    """Create calls without an answer that another record knows nothing of."""

    writes: tuple[Write, ...]
    """The writes that put them on record there."""
    taken: tuple[AttemptKey, ...]
    """Those that cannot be put there, for it has another call under their number."""


def find_lost_calls(present: Recorded, given: Recorded) -> LostCalls:
    """The create calls that would be lost if the given record replaced the present one."""
    others = [attempt for job in given.jobs.values() for attempt in job.attempts]
    known = {one.token for one in others if one.intent is not None or one.remote is not None}
    tokens = {one.key: one.token for one in others}
    writes: list[Write] = []
    taken = []
    for name, job in present.jobs.items():
        lost = [one for one in job.attempts if one.intent is not None and one.token not in known]
        taken += [one.key for one in lost if tokens.get(one.key, one.token) != one.token]
        if lost and name not in given.jobs:
            writes.append(SaveJob(job.row))
        writes += map(SaveAttempt, lost)
    return LostCalls(tuple(writes), tuple(taken))


def _may_live(attempt: RecordedAttempt) -> bool:
    return attempt.remote is not None and not attempt.is_gone and not attempt.has_ended
