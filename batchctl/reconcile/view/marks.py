"""The remote jobs that carry this stack's mark."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeGuard

from batchctl.model.keys import AttemptKey, Mark, short_uid
from batchctl.model.observed import Observed, RemoteJob
from batchctl.model.stack import Stack

NO_TOKEN = ""
"""The token of an attempt that was created manually: its remote job has no mark."""

Marked = Mapping[str, tuple[RemoteJob, ...]]
"""By the name of a job: the remote jobs with a mark of its attempts, in the order of these, each attempt's by age."""


def is_ours(mark: Mark | None, stack: Stack) -> TypeGuard[Mark]:
    """Whether a mark is this very stack's: name and uid."""
    return mark is not None and mark.stack == stack.name and mark.uid == short_uid(stack.uid)


def find_marked(stack: Stack, observed: Observed) -> Marked:
    """All remote jobs with our mark, sorted so that no order of input matters."""
    found: dict[str, tuple[RemoteJob, ...]] = {}
    several = set()
    for account in sorted(observed):
        for job in observed[account].jobs:
            if is_ours(job.mark, stack):
                name = job.mark.key.job
                others = found.get(name)
                if others is None:
                    found[name] = (job,)
                else:
                    found[name] = (*others, job)
                    several.add(name)
    for name in several:
        found[name] = tuple(sorted(found[name], key=lambda job: (key_of(job), age_of(job))))
    return found


def key_of(job: RemoteJob) -> AttemptKey:
    """The attempt that a remote job was made for, by its mark, which it has."""
    assert job.mark is not None
    return job.mark.key


def age_of(job: RemoteJob) -> tuple[datetime, str]:
    """The order of remote jobs, the oldest first."""
    return (job.create_time or datetime.min.replace(tzinfo=UTC), job.name)
