"""How tests of the queue set bounds, and read who is let in and who waits."""

from __future__ import annotations

from batchctl.model.admission import AdmissionLimits, QuotaKey
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.stack import Limits
from batchctl.reconcile import Options
from tests.support.decisions import HERE, attempt

ACTIVE = attempt()
MODEL = "gemini-2.5-flash"
KEY = QuotaKey(HERE, MODEL)
MANY = Options(max_create=1000)


def bounds(**fields: object) -> Limits:
    return Limits(admission=AdmissionLimits(**fields))  # type: ignore[arg-type]


def admitted(made: Plan) -> str:
    """The jobs with a create call in the plan."""
    return " ".join(one.job for one in made.jobs if any(type(step).__name__ == "Create" for step in one.steps))


def of(made: Plan, name: str) -> JobPlan:
    (one,) = [one for one in made.jobs if one.job == name]
    return one


def queue(made: Plan) -> list[str]:
    """The jobs that wait, in the order of their places."""
    waiting = [(one.queue.position, one.job) for one in made.jobs if one.queue]
    assert [place for place, _ in sorted(waiting)] == list(range(1, len(waiting) + 1))
    return [name for _, name in sorted(waiting)]
