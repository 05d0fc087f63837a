"""Warnings about deadlines that the history of the stack shows to be too short."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from batchctl.cli.workspace import Workspace
from batchctl.manifests.fault_codes import Code
from batchctl.model.desired import DesiredJob
from batchctl.model.errors import StateError
from batchctl.model.locations import Diagnostic, Location
from batchctl.model.recorded import Recorded


def warn_of_deadlines(workspace: Workspace) -> tuple[Diagnostic, ...]:
    """The warnings without any call: of a state in a local file, which is read without its lock.

    Nothing is opened unless a job has a deadline. A state that cannot be read is a warning, too.
    """
    place, jobs = workspace.stack.state, _with_deadlines(workspace)
    if not jobs or not isinstance(place, Path) or not place.exists():
        return ()
    try:
        return deadline_warnings(jobs, workspace.recorded)
    except StateError as error:
        where = Location.without_position(str(place))
        message = f"deadlines were not compared with the history of the stack: {error.message}"
        return (Diagnostic(where, Code.SHORT_DEADLINE, message, error.hint),)


def warn_by_record(workspace: Workspace) -> tuple[Diagnostic, ...]:
    """The warnings by the state that the command has read."""
    jobs = _with_deadlines(workspace)
    return deadline_warnings(jobs, workspace.recorded) if jobs else ()


def deadline_warnings(jobs: Iterable[DesiredJob], recorded: Recorded) -> tuple[Diagnostic, ...]:
    """A warning for each deadline that is too short, at the place of its job."""
    from batchctl.reconcile import find_short_deadlines, learn_history

    found = find_short_deadlines(jobs, recorded.learn(learn_history))
    return tuple(Diagnostic(one.job.location, Code.SHORT_DEADLINE, one.words, one.hint) for one in found)


def _with_deadlines(workspace: Workspace) -> list[DesiredJob]:
    """The jobs of the scope that have a deadline."""
    scope, jobs = workspace.scope, workspace.desired.jobs
    found = [
        job for job in jobs if job.lifecycle.pending_deadline is not None or job.lifecycle.active_deadline is not None
    ]
    return found if scope.is_whole else [job for job in found if scope.contains(job.name, job.path, job.labels)]
