"""What must be true at rest, however often and whenever processes died, stopped or were cut off (design section 6)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.recorded import Recorded
from tests.support.apis import RemoteJob
from tests.support.workplace import Site


@dataclass(frozen=True)
class Rest:
    """What a site should come to rest with: for each job its current attempt's number, and the rows collected of it,
    None while it still works."""

    jobs: Mapping[str, tuple[int, str | None]]


def audit(site: Site, rest: Rest, *, twice: Iterable[str] = ()) -> None:
    """Hold the service, the record and the results against each other. `twice`: attempts that may have been bought a
    second time, which has to have been cancelled then."""
    remotes = site.jobs()
    ours = [job for job in remotes if job.attempt is not None]
    recorded = site.recorded()
    _at_most_one(ours, set(twice))
    _none_lost(ours, recorded, rest)
    _record_is_true({job.name: job for job in ours}, recorded)
    _foreign_untouched([job for job in remotes if job.attempt is None])
    for job, (_, keys) in rest.jobs.items():
        if keys is not None:
            rows = site.rows(job)
            assert "".join(sorted(rows)) == keys, f"{job}: {sorted(rows)}"
            assert all("response" in row for row in rows.values()), job


def _at_most_one(ours: list[RemoteJob], twice: set[str]) -> None:
    lives = Counter(job.attempt for job in ours if job.lives)
    assert not {attempt: count for attempt, count in lives.items() if count > 1}, f"two live: {ours}"
    bought = {attempt for attempt, count in Counter(job.attempt for job in ours).items() if count > 1}
    assert bought <= twice, f"bought twice: {bought - twice}: {ours}"


def _none_lost(ours: list[RemoteJob], recorded: Recorded, rest: Rest) -> None:
    assert recorded.jobs.keys() == rest.jobs.keys()
    known = {attempt.remote for job in recorded.jobs.values() for attempt in job.attempts}
    assert [job for job in ours if job.lives and job.name not in known] == [], "a live job that nobody knows"
    names = {job.name: job for job in ours}
    by_job = defaultdict(list)
    for job in ours:
        by_job[job.job].append(job)
    for name, (number, keys) in rest.jobs.items():
        current = _current(recorded, name)
        assert (current.key.attempt, current.intent) == (number, None), (name, current)
        remote = names.get(current.remote or "")
        assert remote is not None, f"{name}: {current.remote} is not at the service: {by_job[name]}"
        assert remote.lives, f"{name}: {remote}"
        assert (current.results is not None) == (keys is not None), (name, current)


def _current(recorded: Recorded, job: str) -> RecordedAttempt:
    found = recorded.jobs[job]
    (current,) = [attempt for attempt in found.attempts if attempt.key.attempt == found.row.current]
    return current


def _record_is_true(ours: Mapping[str, RemoteJob], recorded: Recorded) -> None:
    """Every recorded attempt is what the service says of its remote job."""
    for job in recorded.jobs.values():
        for attempt in job.attempts:
            assert attempt.intent is None, attempt
            if attempt.remote is not None:
                remote = ours[attempt.remote]
                assert (remote.attempt, remote.token) == (str(attempt.key), attempt.token), (remote, attempt)


def _foreign_untouched(others: list[RemoteJob]) -> None:
    for job in others:
        assert not job.deleted, f"somebody else's job was deleted: {job}"
        assert job.state not in {"CANCELLED", "CANCELLING"}, f"somebody else's job was cancelled: {job}"
