"""The results that are in this stack's results folder, by job and by work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from batchctl.model.inventory import Inventory, KeptResults
from batchctl.model.keys import DIGEST_SCHEME, MARK_DIGEST_LENGTH, same_digest, short_uid
from batchctl.model.stack import Stack
from batchctl.reconcile.view.attempt_view import AttemptView

_SHORTEST = len(DIGEST_SCHEME) + MARK_DIGEST_LENGTH
"""As much as is known of every digest."""


class CollectedResults(Struct, frozen=True):
    """Whole results that were collected for this very stack, its name and uid."""

    by_job: Mapping[str, tuple[KeptResults, ...]] = field(default_factory=dict)
    """By the name of their folder."""
    by_work: Mapping[str, tuple[KeptResults, ...]] = field(default_factory=dict)
    """By the beginning of their digest."""

    def of_work(self, digest: str) -> Iterator[KeptResults]:
        """All that are of one work, by path."""
        return (one for one in self.by_work.get(digest[:_SHORTEST], ()) if same_digest(one.attempt.digest, digest))


def collected_for(stack: Stack, inventory: Inventory | None) -> CollectedResults:
    """The part of an inventory that is this stack's; nothing where the folder was not read."""
    by_job: dict[str, list[KeptResults]] = defaultdict(list)
    by_work: dict[str, list[KeptResults]] = defaultdict(list)
    uid = short_uid(stack.uid)
    for path in sorted(inventory.kept) if inventory is not None else ():
        one = inventory.kept[path] if inventory is not None else None
        if one is not None and (one.stack, one.uid) == (stack.name, uid):
            by_job[one.attempt.key.job].append(one)
            by_work[one.attempt.digest[:_SHORTEST]].append(one)
    return CollectedResults(
        {job: tuple(found) for job, found in by_job.items()}, {k: tuple(v) for k, v in by_work.items()}
    )


def check_collected(view: AttemptView, inventory: Inventory | None) -> AttemptView:
    """The attempt, with the reason if its results are incomplete. Without an inventory the record is trusted."""
    missing = None if inventory is None else inventory.why_not_whole(view.attempt)
    return view if missing is None else replace(view, missing=missing)
