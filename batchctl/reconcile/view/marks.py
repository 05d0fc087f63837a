"""The remote jobs that carry this stack's mark."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeGuard

from batchctl.model.keys import AttemptKey, Mark, short_uid
from batchctl.model.observed import Observed, RemoteJob
from batchctl.model.stack import Stack

NO_TOKEN = ""
"""The token of an attempt that was created manually: its remote job has no mark."""

Marked = Mapping[str, Mapping[AttemptKey, tuple[RemoteJob, ...]]]


def is_ours(mark: Mark | None, stack: Stack) -> TypeGuard[Mark]:
    """Whether a mark is this very stack's: name and uid."""
    return mark is not None and mark.stack == stack.name and mark.uid == short_uid(stack.uid)


def find_marked(stack: Stack, observed: Observed) -> Marked:
    """All remote jobs with our mark, by job and by attempt, each list sorted so that no order of input matters."""
    found: dict[str, dict[AttemptKey, list[RemoteJob]]] = defaultdict(lambda: defaultdict(list))
    for account in sorted(observed):
        for job in observed[account].jobs:
            if is_ours(job.mark, stack):
                found[job.mark.key.job][job.mark.key].append(job)
    return {
        name: {key: tuple(sorted(jobs, key=age_of) if len(jobs) > 1 else jobs) for key, jobs in attempts.items()}
        for name, attempts in found.items()
    }


def age_of(job: RemoteJob) -> tuple[datetime, str]:
    """The order of remote jobs, the oldest first."""
    return (job.create_time or datetime.min.replace(tzinfo=UTC), job.name)
