"""Renames: what was recorded under one name goes on under another, by `state mv` or by `spec.moved`.

A mark cannot be rewritten on the Gemini API, so the record keeps the former names (see `names`). Nothing is cancelled
and nothing is bought for the sake of a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from batchctl.model.desired import Moved
from batchctl.model.keys import AttemptKey
from batchctl.model.recorded import Recorded, RecordedAttempt, RecordedJob, RenameJob, SaveAttempt, SaveJob, Write


@dataclass(frozen=True)
class Move:
    """One rename that has to be written down."""

    before: str
    after: str
    writes: tuple[Write, ...]
    is_new: bool = True
    """False where the job has its name already, and only the former one was not known: there is nothing else to do."""


@dataclass(frozen=True)
class Moves:
    """What `spec.moved` means for a record."""

    recorded: Recorded
    """The record as it stands when all is written down."""
    due: tuple[Move, ...] = ()
    clashes: Mapping[str, str] = field(default_factory=dict)
    """Former names that cannot go on under the new one, which stands here: another record has it."""


def rename(job: RecordedJob, to: str, recorded: Recorded) -> list[Write]:
    """The writes that give a recorded job a name that no other has."""
    row = renamed(job, to)
    writes: list[Write] = [RenameJob(job.name, to), SaveJob(replace(row, attempts=()))]
    writes += [SaveAttempt(attempt) for attempt in row.attempts]
    return writes + [SaveJob(replace(other, attempts=())) for other in _following(job.name, to, recorded)]


def renamed(job: RecordedJob, to: str) -> RecordedJob:
    """The record of a job under another name, its results in the folder of that name."""
    former = tuple(old for old in dict.fromkeys((*job.former_names, job.name)) if old != to)
    attempts = tuple(_renamed(attempt, job.name, to) for attempt in job.attempts)
    return replace(job, name=to, former_names=former, attempts=attempts)


def _renamed(attempt: RecordedAttempt, name: str, to: str) -> RecordedAttempt:
    key = AttemptKey(to, attempt.key.attempt, attempt.key.shard)
    folder = f"{name}/"
    results = attempt.results
    if results is not None and results.startswith(folder):
        results = f"{to}/{results.removeprefix(folder)}"
    return replace(attempt, key=key, results=results)


def _following(name: str, to: str, recorded: Recorded) -> Iterator[RecordedJob]:
    """The other jobs whose record names this one."""
    for other in recorded.jobs.values():
        if name in other.depends_on:
            yield replace(other, depends_on=tuple(to if one == name else one for one in other.depends_on))


def find_moves(moved: Iterable[Moved], recorded: Recorded) -> Moves:
    """What has to be done so that the record has the names of `spec.moved`. Nothing is left when it was done."""
    due: list[Move] = []
    clashes: dict[str, str] = {}
    ends = final_names(moved)
    for before, after in ends.items():
        found = recorded.jobs.get(before)
        if found is None:
            continue
        if after not in recorded.jobs:
            due.append(Move(before, after, tuple(rename(found, after, recorded))))
            recorded = _with_rename(recorded, found, after)
        elif found.released_time is None:
            clashes[before] = after
    for before, after in ends.items():
        there = recorded.jobs.get(after)
        if there is not None and before not in recorded.jobs and before not in there.former_names:
            known = replace(there, former_names=(*there.former_names, before))
            due.append(Move(before, after, (SaveJob(replace(known, attempts=())),), is_new=False))
            recorded = replace(recorded, jobs={**recorded.jobs, after: known})
    return Moves(recorded, tuple(due), clashes)


def final_names(moved: Iterable[Moved]) -> dict[str, str]:
    """For each name that was moved away the name that stands for it today, at the end of its chain.

    Those nearest to the end come first: of two jobs on one chain of names, the nearer one keeps the end of it.
    """
    steps = {entry.before: entry.after for entry in moved}

    def chain(name: str) -> list[str]:
        names = [name]
        while names[-1] in steps:
            names.append(steps[names[-1]])
        return names

    chains = sorted(map(chain, steps), key=len)
    return {names[0]: names[-1] for names in chains}


def _with_rename(recorded: Recorded, job: RecordedJob, to: str) -> Recorded:
    jobs = {name: other for name, other in recorded.jobs.items() if name != job.name}
    jobs |= {other.name: other for other in _following(job.name, to, recorded)}
    jobs[to] = renamed(job, to)
    return replace(recorded, jobs=jobs)
