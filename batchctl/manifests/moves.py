"""Reads and checks `moved` of the stack file, the renames of jobs, as far as that needs no state."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults, did_you_mean
from batchctl.manifests.nodes import Items, Node, find, value_of
from batchctl.model.quoting import shown
from batchctl.model.stack import Moved


def read_moved(root: Node) -> tuple[Moved, ...]:
    """The entries of a stack file that is valid by its schema, in their order."""
    items = find(root, "spec", "moved")
    entries = items.values if isinstance(items, Items) else ()
    return tuple(Moved(value_of(entry, "from"), value_of(entry, "to"), entry.location) for entry in entries)


def check_moved(moved: Sequence[Moved], jobs: Collection[str], faults: Faults) -> None:
    """Report entries that cannot be applied. `jobs` are the names in all manifests, including invalid ones."""
    before: dict[str, Moved] = {}
    after: dict[str, Moved] = {}
    for entry in moved:
        _check_once(entry, before.setdefault(entry.before, entry), f'"from: {entry.before}"', faults)
        _check_once(entry, after.setdefault(entry.after, entry), f'"to: {entry.after}"', faults)
        if entry.before in jobs:
            message = f"{shown(entry.before)} was moved, but is still the name of a job"
            hint = "remove the entry, or the manifest with the former name"
            faults.add(entry.location, Code.INVALID_MOVE, message, hint)
    for entry in moved:
        # A name may be moved again: only the end of the chain has to be a job.
        if entry.after not in jobs and entry.after not in before:
            hint = did_you_mean(entry.after, jobs) or "if the job was removed later, remove the entry too"
            message = f'"moved" names {shown(entry.after)}, and there is no such job'
            faults.add(entry.location, Code.UNKNOWN_JOB, message, hint)
        elif _is_in_circle(entry, before):
            faults.add(entry.location, Code.INVALID_MOVE, f"{shown(entry.before)} is moved back to itself")


def _check_once(entry: Moved, first: Moved, what: str, faults: Faults) -> None:
    if first is not entry:
        message = f'{what} appears twice in "moved"'
        faults.add(entry.location, Code.INVALID_MOVE, message, f"first at {first.location}")


def _is_in_circle(entry: Moved, before: dict[str, Moved]) -> bool:
    name, seen = entry.after, {entry.before}
    while name in before and name not in seen:
        seen.add(name)
        name = before[name].after
    return name == entry.before
