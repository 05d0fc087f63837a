"""Rebuilds a lost record from the results folder: each collected folder proves an attempt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec.structs import replace

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.inventory import KeptResults
from batchctl.model.keys import Account, same_digest, short_uid
from batchctl.model.recorded import Recorded
from batchctl.reconcile.recover.other_account import attempt_at
from batchctl.reconcile.recover.rebuild import record_results


def record_kept(desired: DesiredStack, folders: Iterable[KeptResults], now: datetime) -> Recorded:
    """The record that follows from the collected folders of this stack."""
    own = (desired.stack.name, short_uid(desired.stack.uid))
    kept = list(_without_copies(one for one in folders if (one.stack, one.uid) == own))
    former_names: dict[str, set[str]] = defaultdict(set)
    for one in kept:
        former_names[one.attempt.key.job].add(one.written_for)
    manifests = desired.by_name
    attempts = [_with_work(one.attempt, manifests.get(one.attempt.key.job)) for one in kept]
    return record_results(desired, attempts, former_names, desired.accounts, now)


def _with_work(attempt: RecordedAttempt, wanted: DesiredJob | None) -> RecordedAttempt:
    """The attempt with the tree behind its digest, where that is the manifest's work at another account.

    Then the attempt's work is known, wherever its account went (`state rebind`).
    """
    if wanted is None or wanted.account == attempt.account:
        return attempt
    there = attempt_at(replace(attempt, tree=wanted.tree), attempt.account)
    return there if same_digest(there.digest, attempt.digest) else attempt


def _without_copies(kept: Iterable[KeptResults]) -> Iterator[KeptResults]:
    """Each remote job's results once. A folder under the name that it was collected for is no copy."""
    by_remote: dict[tuple[Account, str | None], list[KeptResults]] = defaultdict(list)
    for one in kept:
        by_remote[one.attempt.account, one.attempt.remote].append(one)
    for (_, remote), copies in by_remote.items():
        if remote is None:
            # Copies of results that were used again: each is its own job's.
            yield from copies
            continue
        yield min(copies, key=lambda one: (one.written_for != one.attempt.key.job, one.attempt.results or ""))
