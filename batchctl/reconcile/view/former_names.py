"""Marks that carry a name from before a rename.

A mark cannot be rewritten on the Gemini API, so a renamed job keeps its former names, and what carries one of them is
read as if it carried the new one. No other code has to know former names.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from batchctl.model.keys import AttemptKey
from batchctl.model.observed import Observed, Present, RemoteJob
from batchctl.model.recorded import Recorded
from batchctl.model.stack import Stack
from batchctl.reconcile.view.marks import is_ours
from batchctl.reconcile.view.renames import final_names


class _Names(Struct, frozen=True):
    """The names in the record."""

    stack: Stack
    now: Mapping[str, str]
    """By former name: the present one."""
    tokens: Mapping[str, str]
    """The job of each recorded token."""


def with_present_names(stack: Stack, recorded: Recorded, observed: Observed) -> Observed:
    """The observations, each mark under the name that its job has now.

    A former name may have been given to another job since. So a token that is recorded decides; only a mark that
    is not known goes by its name, and to a job of just that name first.
    """
    former = {old: job.name for job in recorded.renamed for old in job.row.former_names}
    # With the state lost, or by another's hand, a job may not know its former name yet.
    former = {**final_names(stack.moved), **former}
    if not former:
        return observed
    now = {old: new for old, new in former.items() if old not in recorded.jobs}
    tokens = {attempt.token: job.name for job in recorded.renamed for attempt in job.attempts}
    names = _Names(stack, now, tokens)
    return {
        account: replace(
            look,
            jobs=tuple(_renamed(job, names) for job in look.jobs),
            checked={
                name: Present(_renamed(there.job, names)) if isinstance(there, Present) else there
                for name, there in look.checked.items()
            },
        )
        for account, look in observed.items()
    }


def numbers_used(recorded: Recorded) -> dict[str, int]:
    """The highest attempt that a renamed job made under each of its former names.

    A new job of such a name counts on from there: two remote jobs must never carry the same name and number.
    """
    used: dict[str, int] = {}
    for job in recorded.renamed:
        highest = max((attempt.key.attempt for attempt in job.attempts), default=0)
        for old in job.row.former_names:
            used[old] = max(used.get(old, 0), highest)
    return used


def _renamed(job: RemoteJob, names: _Names) -> RemoteJob:
    mark = job.mark
    if not is_ours(mark, names.stack):
        return job
    name = names.tokens.get(mark.token) or names.now.get(mark.key.job, mark.key.job)
    if name == mark.key.job:
        return job
    return replace(job, mark=replace(mark, key=AttemptKey(name, mark.key.attempt, mark.key.shard)))
