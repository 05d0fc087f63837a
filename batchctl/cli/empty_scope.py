"""Warns about `-f` and `-l` that match no job, which is usually a typing error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import click

from batchctl.cli.workspace import Workspace
from batchctl.model.desired import DesiredJob
from batchctl.model.recorded import JobRow, Recorded
from batchctl.reconcile import Scope
from batchctl.report.escape import terminal


def warn_of_empty_scope(
    workspace: Workspace, filenames: Sequence[str], selector: str | None, recorded: Recorded | None = None
) -> None:
    """Warn on standard error of each `-f`, and of a `-l`, that matches no job, neither desired nor recorded."""
    for name in _empty(workspace, filenames, selector, recorded or Recorded()):
        click.echo(f"warning: {terminal(name)} matches no job", err=True)


def _empty(workspace: Workspace, filenames: Sequence[str], selector: str | None, recorded: Recorded) -> Iterator[str]:
    jobs: list[DesiredJob | JobRow] = [*workspace.desired.jobs, *(job.row for job in recorded.jobs.values())]
    files = [name for name in filenames if not _holds_any(Scope(paths=frozenset([workspace.scope_path(name)])), jobs)]
    yield from (f"-f {name}" for name in files)
    has_jobs = not filenames or len(files) < len(filenames)
    if selector and has_jobs and not _holds_any(replace(workspace.scope, names=frozenset()), jobs):
        yield f"-l {selector}"


def _holds_any(scope: Scope, jobs: Sequence[DesiredJob | JobRow]) -> bool:
    return any(scope.contains(job.name, job.path, job.labels) for job in jobs)
