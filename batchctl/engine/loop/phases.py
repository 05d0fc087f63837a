"""The phases of jobs from one look or pass to the next. Does not know how a pass is made."""

from __future__ import annotations

from batchctl.model.actions import Action
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.states import ENDED_PHASES, Phase


def has_changed(before: Plan, after: Plan) -> bool:
    """Whether a pass shows a change. A job that becomes hidden is no change; one that is visible again is."""
    old, new = _states(before), _states(after)
    return old.keys() != new.keys() or any(old[name] != now for name, now in new.items() if now[1] is not Phase.UNKNOWN)


def _states(plan: Plan) -> dict[str, tuple[Action, Phase, str | None]]:
    return {job.job: (job.action, job.phase, job.attempt.state if job.attempt else None) for job in plan.jobs}


def has_come_to(job: JobPlan, phase: Phase) -> bool:
    """Whether a job is, or surely was, in a phase."""
    if phase is Phase.ACTIVE and job.phase in ENDED_PHASES:
        # What ended between two looks had worked.
        return job.remote is not None
    return job.phase is phase
