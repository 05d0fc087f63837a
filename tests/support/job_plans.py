"""A job's plan in one line, for tests that make one by hand."""

from __future__ import annotations

from typing import Any

from batchctl.model.actions import Action
from batchctl.model.decision import Decision
from batchctl.model.plan import JobPlan
from batchctl.model.reasons import Reason
from batchctl.model.states import Phase

_OF_JOB = ("guard", "attempt", "size", "buys")


def job_plan(name: str, action: Action, phase: Phase, code: Reason, reason: str, **fields: Any) -> JobPlan:
    """The plan of a job; `fields` are those of its decision and its own."""
    own = {key: fields.pop(key) for key in _OF_JOB if key in fields}
    return JobPlan(name, Decision(action, phase, code, reason, **fields), **own)
