"""The manifests of each pass, for a process that outlives many versions of them.

A checkout that is changed, broken or gone never tears a job down: the last good set stays in force, and what is wrong
is told once. A manifest that is gone counts as removed when the next reading lacks it too: a checkout that is written
in place is read halfway at times. State and results stay where the process found them, wherever the stack file leads
by now.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from batchctl.engine.complaints import Complaints
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredStack
from batchctl.model.errors import BatchctlError, GuardError, ManifestError, UsageError

Reload = Callable[[], DesiredStack]
"""Gives the manifests of a pass."""

_SUBJECT = "manifests"
_PLACES = "places"
_REMOVED = "removed"


class LastGood:
    """A Reload over another one that may fail."""

    def __init__(self, read: Reload, complaints: Complaints, *, allow_empty: bool) -> None:
        self._read = read
        self._complaints = complaints
        self._allow_empty = allow_empty
        self._good: DesiredStack | None = None
        self._lacking: frozenset[str] = frozenset()
        """Jobs of the good set that the last reading had no manifest of."""

    def __call__(self) -> DesiredStack:
        """The manifests as they are now, or the last that were good. Raises what the very first reading raises."""
        if self._good is None:
            self._good = self._read()
            return self._good
        try:
            found = self._accepted(self._read(), self._good)
        except (BatchctlError, OSError) as error:
            words = "the manifests cannot be used, and those that were read before stay in force"
            self._complaints.tell(_SUBJECT, f"{words}: {_first_line(error)}")
        else:
            self._complaints.over(_SUBJECT, "the manifests can be used again")
            if self._is_settled(found, self._good):
                self._good = found
        return self._good

    def _is_settled(self, found: DesiredStack, good: DesiredStack) -> bool:
        """Whether all that this reading lacks was lacking in the one before."""
        lacking = frozenset(job.name for job in good.jobs) - {job.name for job in found.jobs}
        is_settled, self._lacking = lacking <= self._lacking, lacking
        if is_settled:
            self._complaints.over(_REMOVED, "the manifests are settled again")
        else:
            names = ", ".join(sorted(lacking))
            self._complaints.tell(
                _REMOVED, f"no manifest any more of {names}: removed if the next reading finds none either"
            )
        return is_settled

    def _accepted(self, found: DesiredStack, good: DesiredStack) -> DesiredStack:
        """The new set, with state and results where they were. Raises BatchctlError where it may be a mishap."""
        if (found.stack.name, found.stack.uid) != (good.stack.name, good.stack.uid):
            raise UsageError(
                f"the stack file is of another stack now: {found.stack.name}, uid {found.stack.uid}",
                hint="start another `watch` for that one",
            )
        if good.jobs and not found.jobs and not self._allow_empty:
            message = "no manifest is left, and that would remove every recorded job (--allow-empty)"
            raise GuardError(message, code=ErrorCode.NOTHING_DESIRED, hint="--allow-empty")
        self._note_places(found, good)
        return replace(found, stack=replace(found.stack, state=good.stack.state, results=good.stack.results))

    def _note_places(self, found: DesiredStack, good: DesiredStack) -> None:
        moved = [
            f"{what} stay{'s' if what == 'state' else ''} at {before}, and not at {after}"
            for what, before, after in (
                ("state", good.stack.state, found.stack.state),
                ("results", good.stack.results, found.stack.results),
            )
            if before != after
        ]
        if moved:
            self._complaints.tell(_PLACES, f"{'; '.join(moved)}, until `watch` starts anew")
        else:
            self._complaints.over(_PLACES, "state and results are where the stack file says")


def _first_line(error: BatchctlError | OSError) -> str:
    if isinstance(error, ManifestError):
        first, *others = error.diagnostics
        return f"{first}; and {len(others)} more" if others else str(first)
    return str(error)
