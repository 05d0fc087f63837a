"""The jobs that a command line selects: names as arguments, `-f` and `-l`, on every command that takes names.

The three narrow each other: a job is selected if it has one of the names, lies in one of the paths, and has the labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any, TypeVar

import click
from msgspec import Struct

from batchctl.cli import complete
from batchctl.cli.common import Common, not_empty, scope_options
from batchctl.cli.notes import warn
from batchctl.cli.workspace import Workspace, open_workspace, scope_path
from batchctl.model.desired import DesiredJob
from batchctl.model.errors import UsageError
from batchctl.model.recorded import JobRow, Recorded
from batchctl.model.stack import Stack
from batchctl.reconcile import Scope, names_in_scope, parse_selector

F = TypeVar("F", bound=Callable[..., Any])


class JobSelection(Struct, frozen=True):
    """The names and options of one command line."""

    names: tuple[str, ...] = ()
    filenames: tuple[str, ...] = ()
    selector: str | None = None
    everything: bool = False
    """`--all`, on commands that have it."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was selected: commands that look then show all jobs."""
        return not self.names and not self.filenames and self.selector is None and not self.everything

    @property
    def names_one(self) -> bool:
        """Whether exactly one name was given and nothing else, so that the output is one document and no list."""
        return len(set(self.names)) == 1 and not self.filenames and self.selector is None

    @property
    def names_each(self) -> bool:
        """Whether the jobs were named one by one, which is consent to what a command does with a named job."""
        return bool(self.names)

    def scope(self, stack: Stack) -> Scope:
        """The scope of a plan, or of a look into the state. Raises UsageError for an invalid selector."""
        return Scope(
            frozenset(scope_path(name, stack.file) for name in self.filenames),
            parse_selector(self.selector) if self.selector else (),
            frozenset(self.names),
        )


def select_jobs(*, required: bool = False, all_help: str | None = None) -> Callable[[F], F]:
    """Add `[NAME]...`, `-f` and `-l` to a command, which gets them as one value, `selection`.

    `required`: at least one of them is given. `all_help`: the help of `--all`, for commands that have it.
    """

    def decorate(command: F) -> F:
        @wraps(command)
        def wrapped(**given: Any) -> object:  # noqa: ANN401 - whatever the command takes
            members = (
                given.pop("names"),
                given.pop("filenames"),
                given.pop("selector"),
                given.pop("everything", False),
            )
            selection = JobSelection(*members)
            _check(selection, required=required, has_all=all_help is not None)
            return command(selection=selection, **given)

        decorated: Any = wrapped
        if all_help is not None:
            decorated = click.option("--all", "everything", is_flag=True, help=all_help)(decorated)
        decorated = scope_options(decorated)
        names = click.argument("names", metavar="[NAME]...", nargs=-1, callback=not_empty, shell_complete=complete.jobs)
        return names(decorated)  # type: ignore[no-any-return]

    return decorate


def open_selected(
    common: Common, selection: JobSelection, lock_timeout: str = "0s", *, offline: bool = False
) -> Workspace:
    """Load the stack with the scope of a selection, and warn of a part of it that matches no job.

    `offline`: as of `open_workspace`.

    Raises ManifestError, UsageError, StateError, and BatchctlError for a name that no job has.
    """
    workspace = open_workspace(
        common, selection.filenames, selection.selector, selection.names, lock_timeout, offline=offline
    )
    workspace.require(selection.names, workspace.recorded)
    warn_of_empty_scope(selection, workspace.stack, workspace.desired.jobs, workspace.recorded)
    return workspace


def selected_names(workspace: Workspace, selection: JobSelection, recorded: Recorded) -> list[str]:
    """The selected jobs: in the order of the names if there are any, else sorted."""
    inside = names_in_scope(selection.scope(workspace.stack), workspace.desired.by_name, recorded)
    return [name for name in dict.fromkeys(selection.names or sorted(inside)) if name in inside]


def warn_of_empty_scope(
    selection: JobSelection, stack: Stack, manifests: Sequence[DesiredJob], recorded: Recorded | None = None
) -> None:
    """Warn on standard error of each `-f`, and of a `-l`, that matches no job, which is usually a typing error."""
    owners: list[DesiredJob | JobRow] = [*manifests, *(job.row for job in (recorded or Recorded()).jobs.values())]
    for name in _empty(selection, stack, owners):
        warn(f"{name} matches no job")


def _empty(selection: JobSelection, stack: Stack, owners: Sequence[DesiredJob | JobRow]) -> Iterator[str]:
    alone = [(name, JobSelection(filenames=(name,)).scope(stack)) for name in selection.filenames]
    empty = [name for name, scope in alone if not _holds_any(scope, owners)]
    yield from (f"-f {name}" for name in empty)
    has_jobs = not selection.filenames or len(empty) < len(selection.filenames)
    if selection.selector and has_jobs:
        unnamed = JobSelection((), selection.filenames, selection.selector)
        if not _holds_any(unnamed.scope(stack), owners):
            yield f"-l {selection.selector}"


def _holds_any(scope: Scope, owners: Sequence[DesiredJob | JobRow]) -> bool:
    return any(scope.contains(owner.name, owner.path, owner.labels) for owner in owners)


def _check(selection: JobSelection, *, required: bool, has_all: bool) -> None:
    ways = "name the jobs, or select them with -f or -l"
    if required and selection.is_empty:
        raise UsageError(f"{ways}, or use --all" if has_all else ways, hint="`batchctl status` lists the jobs")
    if selection.everything and (selection.names or selection.filenames or selection.selector is not None):
        raise UsageError("--all selects every job, so names, -f and -l cannot be added", hint="leave --all out")
