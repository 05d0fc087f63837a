"""Explains why jobs are in their phases, and what happens next."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from msgspec.structs import replace

from batchctl.cli.common import Common
from batchctl.cli.exits import weightiest
from batchctl.cli.guard_options import guarded_options
from batchctl.cli.job_selection import JobSelection, open_selected
from batchctl.cli.output import Shown, emit_each
from batchctl.cli.preview import planned_jobs, preview_and_warn
from batchctl.cli.rows_left import rows_left
from batchctl.cli.why_not_answer import answer_why_not
from batchctl.cli.workspace import Workspace
from batchctl.engine.loop.polling import Pace, longest_wait
from batchctl.engine.preview import Preview
from batchctl.model.actions import Action
from batchctl.model.plan import JobPlan
from batchctl.model.recorded import RecordedJob
from batchctl.reconcile import Question, Scope, attempt_on_record
from batchctl.report.explain import JobCase
from batchctl.report.explain_document import explain_document
from batchctl.report.explain_text import write_explanation

_EVENTS = 50


def explain_jobs(common: Common, selection: JobSelection, output: str, asked: Action | None) -> int:
    """Print the explanations of the selected jobs, or why they do not have an action, and give the exit code."""
    # The plan covers the whole stack, because a job may wait for another one.
    workspace = replace(open_selected(common, selection), scope=Scope())
    questions: list[Question] = []
    seen = preview_and_warn(
        workspace, guarded_options(workspace, {}), lambda question, _plan, _warnings: questions.append(question)
    )
    jobs = planned_jobs(workspace, seen, selection)
    if asked is None:
        shown = [_explanation(_case(workspace, seen, job), common) for job in jobs]
    else:
        shown = [answer_why_not(questions[-1], job.job, asked) for job in jobs]
    emit_each(common, output, shown, alone=selection.names_one)
    return weightiest(error.exit_code for error in seen.failures)


def _explanation(case: JobCase, common: Common) -> Shown:
    return Shown(partial(write_explanation, case, verbose=common.verbose), partial(explain_document, case))


def _case(workspace: Workspace, seen: Preview, job: JobPlan) -> JobCase:
    desired = next((one for one in workspace.desired.jobs if one.name == job.job), None)
    attempt = job.attempt
    account = attempt.account if attempt is not None else desired.account if desired is not None else None
    age = None
    if attempt is not None and attempt.create_time is not None and attempt.is_active:
        now = seen.plan.clocks.get(attempt.account, workspace.clock.now())
        age = max(0.0, (now - attempt.create_time).total_seconds())
    recorded = seen.recorded.jobs.get(job.job)
    return JobCase(
        seen.plan.stack,
        job,
        desired,
        recorded,
        workspace.stack.suspend,
        seen.errors.get(account) if account is not None else None,
        tuple(workspace.state.events(job.job, _EVENTS)),
        timedelta(seconds=longest_wait(Pace(), age)),
        now=None if account is None else seen.plan.clocks.get(account, workspace.clock.now()),
        left=None if desired is None else rows_left(workspace, job, desired, recorded),
        results_attempt=_former_results(job, recorded),
    )


def _former_results(job: JobPlan, recorded: RecordedJob | None) -> int | None:
    """The last attempt with results, if the current one has none yet."""
    if recorded is None or job.attempt is None or job.attempt.results is not None:
        return None
    numbers = sorted({one.key.attempt for one in recorded.attempts})
    before = [number for number in numbers if (one := attempt_on_record(recorded, number)) and one.results is not None]
    return before[-1] if before else None
