"""The manifests of each pass, for a run that was approved: `apply`, `destroy`, `watch` without `--forever`.

Each pass reads them under the lock. A run that finds other work than it began with ends: its own version may be older
than what another process has applied meanwhile, and the newer one was not approved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import is_

from msgspec.structs import replace

from batchctl.engine.loop.reloading import Reload, moved_places, require_same_stack
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.errors import GuardError
from batchctl.model.locations import Location
from batchctl.model.sources import AwaitedRows, UnknownSource
from batchctl.model.stack import Stack
from batchctl.reconcile import Scope

_NAMED = 5
"""Jobs named of each kind of change before it says that there are more."""
_NOWHERE = Location("")
_UNKNOWN = UnknownSource()


class ApprovedManifests:
    """A Reload over another one that lets only the manifests pass that the first pass acted on."""

    def __init__(self, read: Reload, scope: Scope, opened: Stack | None) -> None:
        self._read = read
        self._scope = scope
        self._opened = opened
        self._jobs: dict[str, DesiredJob] | None = None
        self._found: tuple[DesiredJob, ...] = ()
        """All of the last reading."""

    def __call__(self) -> DesiredStack:
        """The manifests as they are now. Raises GuardError, UsageError and what reading them raises."""
        found = self._read()
        if self._opened is not None:
            _require_same_places(found.stack, self._opened)
        self._opened = found.stack
        if len(found.jobs) == len(self._found) and all(map(is_, found.jobs, self._found)):
            return found  # files that are the same give the very same jobs
        jobs = {job.name: _substance(job) for job in found.jobs if self._scope.contains(job.name, job.path, job.labels)}
        if self._jobs is not None and jobs != self._jobs:
            message = f"the manifests have changed since this run began ({_compare(self._jobs, jobs)}): it ends here"
            hint = "run the command again: it goes on with the manifests as they are now"
            raise GuardError(message, code=ErrorCode.MANIFESTS_CHANGED, hint=hint)
        self._jobs, self._found = jobs, found.jobs
        return found


def _require_same_places(found: Stack, opened: Stack) -> None:
    require_same_stack(found, opened)
    moved = [f"{what} at {new}, and not at {old}" for what, old, new in moved_places(found, opened)]
    if moved:
        message = f"the stack file has changed since this command began ({'; '.join(moved)}): it ends here"
        raise GuardError(message, code=ErrorCode.MANIFESTS_CHANGED, hint="run the command again")


def _substance(job: DesiredJob) -> DesiredJob:
    """The part of a manifest that has an effect, without the place of its input: the digest says what the input is.

    The rows of a chain follow from the answers of another job, which may come during the run.
    """
    if job.chain is None:
        return replace(job, location=_NOWHERE, annotations={}, expansion=None, source=_UNKNOWN)
    bare = replace(job, location=_NOWHERE, annotations={}, expansion=None)
    return replace(bare, source=AwaitedRows(job.chain), digest="", tree={}, input_bytes=None, row_hashes=None)


def _compare(before: dict[str, DesiredJob], after: dict[str, DesiredJob]) -> str:
    return "; ".join(_differences(before, after))


def _differences(before: dict[str, DesiredJob], after: dict[str, DesiredJob]) -> Iterator[str]:
    kinds = {
        "changed": (name for name, job in before.items() if name in after and after[name] != job),
        "new": after.keys() - before.keys(),
        "gone": before.keys() - after.keys(),
    }
    for kind, found in kinds.items():
        if names := sorted(found):
            yield f"{kind}: {_name_some(names)}"


def _name_some(names: Iterable[str]) -> str:
    every = list(names)
    more = len(every) - _NAMED
    return ", ".join(every[:_NAMED]) + (f" and {more} more" if more > 0 else "")
