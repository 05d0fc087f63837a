"""The phases of jobs from one look or pass to the next. Does not know how a pass is made."""

from __future__ import annotations

from batchctl.model.actions import Action
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.states import ENDED_PHASES, Phase


def has_changed(before: Plan, after: Plan) -> bool:
    """Whether a pass shows a change. A job that becomes hidden is no change; one that is visible again is."""
    if len(before.jobs) != len(after.jobs):
        return True
    pairs = zip(before.jobs, after.jobs, strict=True)  # both are sorted by name
    return any(
        old.job != new.job or (new.phase is not Phase.UNKNOWN and _state(old) != _state(new)) for old, new in pairs
    )


def _state(job: JobPlan) -> tuple[Action, Phase, str | None]:
    return job.action, job.phase, None if job.attempt is None else job.attempt.state


def has_come_to(job: JobPlan, phase: Phase) -> bool:
    """Whether a job is, or surely was, in a phase."""
    if phase is Phase.ACTIVE and job.phase in ENDED_PHASES:
        # What ended between two looks had worked.
        return job.remote is not None
    return job.phase is phase
