"""Gathers the facts that explain a job."""

from __future__ import annotations

from datetime import timedelta

from batchctl.cli.rows_left import rows_left
from batchctl.cli.workspace import Workspace
from batchctl.engine.loop.polling import Pace, longest_wait
from batchctl.engine.preview import Preview
from batchctl.model.plan import JobPlan
from batchctl.model.recorded import RecordedJob
from batchctl.reconcile import attempt_on_record
from batchctl.report.explain import JobCase

_EVENTS = 50


def job_case(workspace: Workspace, seen: Preview, job: JobPlan) -> JobCase:
    """The facts about a job of a plan."""
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
