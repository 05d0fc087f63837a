"""`batchctl state rebuild` in a small world: the record made from marks, collected results and open calls."""

from __future__ import annotations

from collections import defaultdict

from batchctl.model.recorded import Recorded
from batchctl.reconcile import find_open, ghosts_of, rebuild, record_results, with_open
from tests.search.looks import look_around
from tests.search.record import Journal, jobs_of
from tests.search.state import Store, Working
from tests.search.values import LOCAL, frozen_attempt


def rebuild_state(working: Working) -> None:
    """Rebuild the state as `batchctl state rebuild` does."""
    desired = working.desired()
    former = Recorded(jobs_of(working.store), serial=1, ghosts=working.store.ghosts)
    found = find_open(former, desired)
    deleted = ghosts_of((one for job in former.jobs.values() for one in job.attempts), LOCAL)
    names: dict[str, set[str]] = defaultdict(set)
    for one in working.kept.values():
        names[one.attempt.key.job].add(one.written_for)
    kept = [working.kept[path].attempt for path in sorted(working.kept)]
    results = record_results(desired, kept, names, desired.accounts, LOCAL)
    ghosts = tuple(sorted({*former.ghosts, *deleted}, key=lambda ghost: (ghost.account, ghost.remote)))
    with_calls = with_open(results, found, desired)
    known = Recorded(with_calls.jobs, ghosts=ghosts)
    working.store = Store((), (), ghosts, is_new=False, epoch=1 if working.sleeper is not None else 0)
    looked = _look(working, known)
    made = rebuild(desired, known, looked, LOCAL)
    journal = Journal(working, working.store.epoch)
    journal.rename({job.name: job for job in made.jobs})
    journal.commit()


def _look(working: Working, known: Recorded) -> dict:
    attempts = tuple(frozen_attempt(one) for job in known.jobs.values() for one in job.attempts)
    before = working.store
    working.store = before._replace(attempts=tuple(sorted(attempts, key=lambda one: one.key)))
    looks = look_around(working, "whole")
    working.store = before
    return {look.account: look.observation for look in looks}
