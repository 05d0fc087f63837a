"""`batchctl wait NAME... --for=PHASE`: wait for jobs, and do nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import click
from msgspec.structs import replace

from batchctl.cli import complete
from batchctl.cli.common import Common, common_options, output_option
from batchctl.cli.engine_tools import open_tools
from batchctl.cli.exits import lightest_first, weightiest
from batchctl.cli.job_selection import JobSelection, open_selected, select_jobs, selected_names
from batchctl.cli.manifest_reload import ManifestReload
from batchctl.cli.notes import warn
from batchctl.cli.output import emit, show_error
from batchctl.cli.plan_output import open_progress, status_report
from batchctl.cli.wait_goal import GoalType
from batchctl.cli.workspace import Workspace, open_workspace, time_limit
from batchctl.engine.loop.goals import Goal
from batchctl.engine.loop.looks import Looks
from batchctl.engine.loop.polling import Pace
from batchctl.engine.preview import Preview
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError, JobsFailedError, TimeUpError
from batchctl.reconcile import Options
from batchctl.report.job_document import status_document
from batchctl.report.layout import count
from batchctl.report.progress import ProgressBase
from batchctl.report.reports import StatusReport

_NAMED = 3


@click.command()
@select_jobs(required=True, all_help="Every job of the stack.")
@click.option(
    "--for",
    "goal",
    shell_complete=complete.goals,
    type=GoalType(),
    default="Succeeded",
    show_default=True,
    metavar="PHASE",
    help="A phase of `status`; `results`: collected; `delete`: no longer in the state.",
)
@click.option("--timeout", metavar="TIME", help="Stop waiting after this time (exit 7); 0s looks once.")
@output_option("json", "yaml", "name")
@common_options
def wait(*, common: Common, selection: JobSelection, goal: Goal, timeout: str | None, output: str) -> int:
    """Wait until each job has been in a phase, or cannot come there (exit 4).

    Only looks: it takes no lock, collects nothing and creates nothing, so `watch` or `apply` has to run elsewhere. JSON
    is the status of the jobs at the end.
    """
    limit = time_limit(timeout)
    if goal.is_delete:
        # A job that was deleted before is what is waited for.
        workspace = open_workspace(common, selection.filenames, selection.selector, selection.names)
        names = _to_be_deleted(workspace, selection)
    else:
        workspace = open_selected(common, selection)
        names = selected_names(workspace, selection, workspace.recorded)
        if not names:
            hint = "`batchctl status` lists the jobs"
            raise BatchctlError("there is no job to wait for", code=ErrorCode.JOB_NOT_FOUND, hint=hint)
    return _Wait(workspace, goal, names, output).run(None if limit is None else limit.total_seconds())


def _to_be_deleted(workspace: Workspace, selection: JobSelection) -> list[str]:
    """The named jobs, whether there are such jobs or not; else the selected ones that are recorded."""
    recorded = workspace.recorded
    for name in selection.names:
        if name not in workspace.known(recorded):
            warn(f"there is no job {name}")
    selected = selected_names(workspace, selection, recorded)
    return list(dict.fromkeys(selection.names)) or [name for name in selected if name in recorded.jobs]


class _Wait:
    """One run of the command."""

    def __init__(self, workspace: Workspace, goal: Goal, names: Sequence[str], output: str) -> None:
        self._workspace = workspace
        self._reload = ManifestReload(workspace)
        self._goal = goal
        self._names = names
        self._output = output
        self._reached: set[str] = set()
        self._missed: list[str] = []

    def run(self, timeout: float | None) -> int:
        """Wait, print the end, and give the exit code. Raises what the first look raises."""
        common = self._workspace.common
        with open_progress(self._workspace) as progress:
            tools = open_tools(self._workspace, progress)
            try:
                looks = Looks(self._reload, Options(self._workspace.scope), tools, timeout, Pace())
                seen = self._look(looks, progress)
                self._require_readable(seen)
                while self._awaited:
                    awaited = [job for job in seen.plan.jobs if job.job in self._awaited]
                    if not looks.pause(awaited):
                        break
                    seen = self._look(looks, progress)
            finally:
                tools.providers.close()
        self._print(seen)
        errors = lightest_first(self._errors(seen))
        for error in errors:
            show_error(error, common)
        return weightiest(error.exit_code for error in errors)

    @property
    def _awaited(self) -> set[str]:
        return {*self._names} - self._reached - {*self._missed}

    def _look(self, looks: Looks, progress: ProgressBase) -> Preview:
        seen = looks.look()
        progress.looked(self._report(seen, {*self._names}))
        for name in self._names:
            if name not in self._awaited:
                continue
            if self._goal.is_reached(name, seen):
                self._reached.add(name)
                if self._output == "text":
                    with progress.aside():
                        click.echo(f"{name}: {self._goal.words_of(name, seen)}")
            elif self._goal.is_out_of_reach(name, seen):
                self._missed.append(name)
        return seen

    def _require_readable(self, seen: Preview) -> None:
        """Raise the error of an account that has a job which is waited for: waiting does not help against most."""
        for job in seen.plan.jobs:
            if job.job in self._awaited and job.attempt is not None and job.attempt.account in seen.errors:
                raise seen.errors[job.attempt.account]

    def _print(self, seen: Preview) -> None:
        report = self._report(seen)
        emit(
            self._workspace.common,
            self._output,
            text=lambda _console: None,
            document=lambda: status_document(report),
            names=[name for name in self._names if name in self._reached],
        )

    def _report(self, seen: Preview, only: set[str] | None = None) -> StatusReport:
        """The status of all jobs, or only of some."""
        report = status_report(self._reload.workspace, seen.plan, seen.recorded)
        return report if only is None else replace(report, jobs=tuple(row for row in report.jobs if row.job in only))

    def _errors(self, seen: Preview) -> list[BatchctlError]:
        facts = {job.job: f"{job.job} is {job.phase} ({job.reason})" for job in seen.plan.jobs}
        errors: list[BatchctlError] = []
        if self._missed:
            message = f"not {self._goal.words}: {_some(self._missed, facts)}; waiting does not help"
            hint = f"`batchctl explain {self._missed[0]}` shows why"
            errors.append(JobsFailedError(message, hint=hint))
        left = [name for name in self._names if name in self._awaited]
        if left:
            hint = "only `batchctl apply` and `batchctl watch` create, retry and collect; see `batchctl explain"
            errors.append(
                TimeUpError(f"time is up; not {self._goal.words} yet: {_some(left, facts)}", hint=f"{hint} {left[0]}`")
            )
        return errors


def _some(names: Sequence[str], facts: dict[str, str]) -> str:
    """The first few jobs with their phase, and the number of the others."""
    words = [facts.get(name, f"{name} is gone") for name in names[:_NAMED]]
    more = len(names) - _NAMED
    return ", ".join([*words, *([f"and {count(more, 'more job')}"] if more > 0 else [])])
