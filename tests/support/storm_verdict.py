"""The verdict on a storm, by what the service says of its jobs and by the results folder alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.apis import RemoteJob
from tests.support.storm_stack import Wanted


@dataclass
class Figures:
    """What a storm came to."""

    commands: int = 0
    signals: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    attempts: int = 0
    remote: int = 0
    violations: list[str] = field(default_factory=list)

    def add(self, other: Figures) -> None:
        self.commands += other.commands
        self.signals += other.signals
        self.changes += other.changes
        self.attempts += other.attempts
        self.remote += other.remote
        self.violations += other.violations

    def __str__(self) -> str:
        struck = ", ".join(f"{count} {name}" for name, count in sorted(self.signals.items()))
        changed = ", ".join(f"{count} {name}" for name, count in sorted(self.changes.items()))
        return (
            f"{self.attempts} attempts, {self.remote} remote jobs, {self.commands} commands, signals: {struck or 'none'};"
            f" changes: {changed or 'none'}; {len(self.violations)} violations"
        )


def judge(found: list[RemoteJob], results: Path, wanted: Mapping[str, Wanted], figures: Figures) -> None:
    """Hold what is found against the rule; what breaks it is added to the figures."""
    ours = [job for job in found if job.attempt is not None]
    # A job that was removed and comes back counts from 1 again; its work is another one each time.
    made = Counter((job.attempt, job.digest) for job in ours)
    figures.attempts, figures.remote = len(made), len(ours)
    told = figures.violations
    told += [f"{attempt} was made {count} times" for (attempt, _), count in made.items() if count > 1]
    # Two processes with manifests of different times may take turns; then work is begun again, and never finished twice.
    paid = Counter(job.digest for job in ours if job.state == "SUCCEEDED")
    told += [f"the work of {job} was done {paid[job.digest]} times" for job in ours if paid[job.digest] > 1]
    told += list(_living(ours, wanted))
    told += [f"somebody else's job was touched: {job}" for job in found if job.attempt is None and _is_touched(job)]
    told += list(_lost(ours, results, wanted))


def _living(ours: list[RemoteJob], wanted: Mapping[str, Wanted]) -> Iterator[str]:
    """At rest nothing works any more, and of what nobody wants nothing is left."""
    names = {name for one in wanted.values() for name in one.names}
    for job in ours:
        if job.works:
            yield f"{job} works at rest"
        if not job.deleted and job.job not in names:
            yield f"{job} is left of a job that nobody wants"


def _is_touched(job: RemoteJob) -> bool:
    return job.deleted or job.state in {"CANCELLED", "CANCELLING"}


def _lost(ours: list[RemoteJob], results: Path, wanted: Mapping[str, Wanted]) -> Iterator[str]:
    """Every wanted job has the rows of its present work, and whatever succeeded and was deleted lies in the folder."""
    kept = {json.loads(path.read_text())["remote"] for path in results.glob("*/*/manifest.json")}
    for job in ours:
        if job.state == "SUCCEEDED" and job.deleted and job.name not in kept:
            yield f"{job} was paid for, deleted, and its results are nowhere"
    for name, one in wanted.items():
        path = results / name / "current" / "results.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        keys = sorted(row["key"] for row in rows if "response" in row)
        if keys != [f"v{one.version}-{row}" for row in "ab"]:
            yield f"{name} should have the results of version {one.version}, and has {keys}"
