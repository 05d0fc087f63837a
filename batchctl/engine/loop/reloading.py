"""The manifests of each pass, for a process that outlives many versions of them.

A checkout that is changed, broken or gone never removes a job: the last good set stays in force, and the error
is shown once. A manifest that is gone counts as removed when the next reading lacks it too: a checkout that is written
in place is read halfway at times. State and results stay where the process found them, wherever the stack file leads
by now. While another process has changed the record and its manifests cannot be used here, nothing is bought or removed
by the older ones.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from batchctl.engine.warnings import Warnings
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredStack
from batchctl.model.errors import BatchctlError, GuardError, ManifestError, UsageError
from batchctl.model.recorded import Recorded
from batchctl.model.stack import SharedPlace, Stack

Reload = Callable[[], DesiredStack]
"""Gives the manifests of a pass."""

Glance = Callable[[], bool]
"""Whether reading the manifests once more would give the same as the last time; False where only reading them shows."""

_SUBJECT = "manifests"
_PLACES = "places"
_REMOVED = "removed"
_OVERTAKEN = "overtaken"


class LastGood:
    """A Reload over another one that may fail."""

    def __init__(self, read: Reload, warnings: Warnings, opened: Stack | None, *, allow_empty: bool) -> None:
        self._read = read
        self._opened = opened
        self._warnings = warnings
        self._allow_empty = allow_empty
        self._good: DesiredStack | None = None
        self._lacking: frozenset[str] = frozenset()
        """Jobs of the good set that the last reading had no manifest of."""
        self._is_current = True
        """Whether the good set is what the last reading found."""
        self._is_overtaken = False

    def __call__(self) -> DesiredStack:
        """The manifests as they are now, or the last that were good. Raises what the very first reading raises."""
        if self._good is None:
            found = self._read()
            self._good = found if self._opened is None else self._in_place(found, self._opened)
            return self._good
        self._is_current = False
        try:
            found = self._accepted(self._read(), self._good)
        except (BatchctlError, OSError) as error:
            words = "the manifests cannot be used, and those that were read before stay in force"
            self._warnings.warn(_SUBJECT, f"{words}: {_first_line(error)}")
        else:
            self._warnings.resolved(_SUBJECT, "the manifests can be used again")
            if self._is_settled(found, self._good):
                self._good, self._is_current = found, True
        return self._good

    @property
    def is_current(self) -> bool:
        """Whether the set in force is what the last reading found."""
        return self._is_current

    def may_act(self, found: Recorded, left: Recorded | None) -> bool:
        """Whether the set that is in force may buy, replace and remove.

        Not where it is older than the manifests, and somebody else has acted since: `left` is the record as our own
        last pass left it, `found` as it is now.
        """
        if self._is_current:
            self._is_overtaken = False
            self._warnings.resolved(_OVERTAKEN, "jobs are created, replaced and removed again")
        elif left is not None and found.jobs != left.jobs:
            self._is_overtaken = True
            message = (
                "another process has changed the state since the manifests in force were read:"
                " nothing is created, replaced or removed until newer ones can be used"
            )
            self._warnings.warn(_OVERTAKEN, message)
        return not self._is_overtaken

    def _is_settled(self, found: DesiredStack, good: DesiredStack) -> bool:
        """Whether all that this reading lacks was lacking in the one before."""
        lacking = frozenset(job.name for job in good.jobs) - {job.name for job in found.jobs}
        is_settled, self._lacking = lacking <= self._lacking, lacking
        if is_settled:
            self._warnings.resolved(_REMOVED, "the manifests are settled again")
        else:
            names = ", ".join(sorted(lacking))
            self._warnings.warn(
                _REMOVED, f"no manifest any more of {names}: removed if the next reading finds none either"
            )
        return is_settled

    def _accepted(self, found: DesiredStack, good: DesiredStack) -> DesiredStack:
        """The new set, with state and results where they were. Raises BatchctlError where it may be a mishap."""
        placed = self._in_place(found, good.stack)
        if good.jobs and not found.jobs and not self._allow_empty:
            message = "no manifest is left, and that would remove every recorded job (--allow-empty)"
            raise GuardError(message, code=ErrorCode.NOTHING_DESIRED, hint="--allow-empty")
        return placed

    def _in_place(self, found: DesiredStack, stack: Stack) -> DesiredStack:
        """The new set, with state and results where `stack` has them. Raises UsageError for another stack's."""
        require_same_stack(found.stack, stack)
        self._note_places(found.stack, stack)
        return replace(found, stack=replace(found.stack, state=stack.state, results=stack.results))

    def _note_places(self, found: Stack, before: Stack) -> None:
        moved = [
            f"{what} stay{'s' if what == 'state' else ''} at {old}, and not at {new}"
            for what, old, new in moved_places(found, before)
        ]
        if moved:
            self._warnings.warn(_PLACES, f"{'; '.join(moved)}, until `watch` is started again")
        else:
            self._warnings.resolved(_PLACES, "state and results are where the stack file says")


def require_same_stack(found: Stack, before: Stack) -> None:
    """Raise UsageError where the stack file is another stack's by now."""
    if (found.name, found.uid) != (before.name, before.uid):
        raise UsageError(
            f"the stack file is of another stack now: {found.name}, uid {found.uid}",
            hint="start the command again for that one",
        )


def moved_places(found: Stack, before: Stack) -> list[tuple[str, Path | SharedPlace, Path | SharedPlace]]:
    """Which of state and results the stack file has elsewhere by now: what, where it was, where it would be."""
    places = (("state", before.state, found.state), ("results", before.results, found.results))
    return [(what, old, new) for what, old, new in places if old != new]


def _first_line(error: BatchctlError | OSError) -> str:
    if isinstance(error, ManifestError):
        first, *others = error.diagnostics
        return f"{first}; and {len(others)} more" if others else str(first)
    return str(error)
