"""Renames: what was recorded under one name goes on under another, by `state mv` or by `spec.moved`.

A mark cannot be rewritten on the Gemini API, so the record keeps the former names (see `names`). Nothing is cancelled
and nothing is bought for the sake of a name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.keys import AttemptKey
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.model.stack import Moved

if TYPE_CHECKING:  # few stacks have a rename to write down
    from batchctl.model.writes import Write


class Move(Struct, frozen=True):
    """One rename that has to be written down."""

    before: str
    after: str
    writes: tuple[Write, ...]
    is_new: bool = True
    """False where the job has its name already, and only the former one was not known: there is nothing else to do."""


class Moves(Struct, frozen=True):
    """The effect of `spec.moved` on a record."""

    recorded: Recorded
    """The record once the renames are written down."""
    due: tuple[Move, ...] = ()
    clashes: Mapping[str, str] = field(default_factory=dict)
    """Former names whose new one, given here, belongs to another record."""


def rename(job: RecordedJob, to: str, recorded: Recorded) -> list[Write]:
    """The writes that give a recorded job a name that no other has."""
    dependants = (other for other in recorded.jobs.values() if job.name in other.row.depends_on)
    return _writes(job, to, [_following(other, job.name, to) for other in dependants])


def _writes(job: RecordedJob, to: str, following: Iterable[RecordedJob]) -> list[Write]:
    from batchctl.model.writes import RenameJob, SaveAttempt, SaveJob

    record = renamed(job, to)
    writes: list[Write] = [RenameJob(job.name, to), SaveJob(record.row)]
    writes += [SaveAttempt(attempt) for attempt in record.attempts]
    return writes + [SaveJob(other.row) for other in following]


def renamed(job: RecordedJob, to: str) -> RecordedJob:
    """The record of a job under another name, its results in the folder of that name."""
    former = tuple(old for old in dict.fromkeys((*job.row.former_names, job.name)) if old != to)
    attempts = tuple(_renamed(attempt, job.name, to) for attempt in job.attempts)
    return RecordedJob(replace(job.row, name=to, former_names=former), attempts)


def _renamed(attempt: RecordedAttempt, name: str, to: str) -> RecordedAttempt:
    key = AttemptKey(to, attempt.key.attempt, attempt.key.shard)
    folder = f"{name}/"
    results = attempt.results
    if results is not None and results.startswith(folder):
        results = f"{to}/{results.removeprefix(folder)}"
    return replace(attempt, key=key, results=results)


def _following(other: RecordedJob, name: str, to: str) -> RecordedJob:
    """The record of a job that names the renamed one."""
    depends_on = tuple(to if one == name else one for one in other.row.depends_on)
    return replace(other, row=replace(other.row, depends_on=depends_on))


def find_moves(moved: Iterable[Moved], recorded: Recorded) -> Moves:
    """The renames that give the record the names of `spec.moved`. None are left once they were made."""
    due: list[Move] = []
    clashes: dict[str, str] = {}
    ends = final_names(moved)
    renaming = _Renaming(recorded)
    jobs = renaming.jobs
    for before, after in ends.items():
        found = jobs.get(before)
        if found is None:
            continue
        if after not in jobs:
            due.append(Move(before, after, renaming.rename(found, after)))
        elif found.row.released_time is None:
            clashes[before] = after
    for before, after in ends.items():
        there = jobs.get(after)
        if there is not None and before not in jobs and before not in there.row.former_names:
            from batchctl.model.writes import SaveJob

            row = replace(there.row, former_names=(*there.row.former_names, before))
            jobs[after] = replace(there, row=row)
            due.append(Move(before, after, (SaveJob(row),), is_new=False))
    return Moves(replace(recorded, jobs=jobs), tuple(due), clashes)


class _Renaming:
    """The recorded jobs while one after the other gets its new name. A rename costs what hangs on that one job."""

    def __init__(self, recorded: Recorded) -> None:
        self.jobs = dict(recorded.jobs)
        self._dependants: dict[str, set[str]] = defaultdict(set)
        """By name: the jobs whose record names it."""
        for job in self.jobs.values():
            self._index(job)

    def rename(self, job: RecordedJob, to: str) -> tuple[Write, ...]:
        """Give a job a name that no other has; gives the writes."""
        del self.jobs[job.name]
        following = []
        for name in sorted(self._dependants.pop(job.name, ())):
            # A dependant that was renamed itself is in the index under both of its names.
            if name in self.jobs:
                self.jobs[name] = _following(self.jobs[name], job.name, to)
                self._index(self.jobs[name])
                following.append(self.jobs[name])
        self.jobs[to] = renamed(job, to)
        self._index(self.jobs[to])
        return tuple(_writes(job, to, following))

    def _index(self, job: RecordedJob) -> None:
        for other in job.row.depends_on:
            self._dependants[other].add(job.name)


def final_names(moved: Iterable[Moved]) -> dict[str, str]:
    """For each former name the present one, at the end of its chain.

    Those nearest to the end come first: of two jobs on one chain of names, the nearer one keeps the end of it.
    """
    steps = {entry.before: entry.after for entry in moved}
    ends: dict[str, tuple[int, str]] = {}
    """By name: how far it is to the end of its chain, and that end."""
    for first in steps:
        chain, name = [], first
        while name in steps and name not in ends:
            chain.append(name)
            name = steps[name]
        length, end = ends.get(name, (0, name))
        for further, passed in enumerate(reversed(chain), start=1):
            ends[passed] = (length + further, end)
    return {name: ends[name][1] for name in sorted(steps, key=lambda name: ends[name][0])}
