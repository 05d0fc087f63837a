"""The accounts as known at the end of a pass: the look that it began with, and the effects of its own calls since.

A look ages while a pass acts on it. What the pass itself made or deleted needs no further call to be known.
"""

from __future__ import annotations

from collections import defaultdict

from msgspec.structs import replace

from batchctl.model.keys import Account
from batchctl.model.observed import Observation, Observed, RemoteJob


class Observations:
    """Used from the engine's own thread only."""

    def __init__(self, observed: Observed) -> None:
        self._observed = observed
        self._made: dict[Account, list[RemoteJob]] = defaultdict(list)
        self._deleted: dict[Account, set[str]] = defaultdict(set)

    def note_made(self, job: RemoteJob) -> None:
        """A create call was answered."""
        self._made[job.account].append(job)

    def note_deleted(self, account: Account, remote: str) -> None:
        """A delete was answered, or found nothing left to delete."""
        self._deleted[account].add(remote)

    @property
    def observed(self) -> Observed:
        """The observation with all effects that this pass knows."""
        return {account: self._renewed(look) for account, look in self._observed.items()}

    def _renewed(self, look: Observation) -> Observation:
        made, deleted = self._made[look.account], self._deleted[look.account]
        if not made and not deleted:
            return look
        return replace(look, jobs=(*(job for job in look.jobs if job.name not in deleted), *made))
