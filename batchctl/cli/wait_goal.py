"""The value of `wait --for`."""

from __future__ import annotations

import click

from batchctl.engine.loop.goals import DELETE, RESULTS, Goal
from batchctl.model.states import Phase
from batchctl.model.suggest import did_you_mean

WORDS = (*Phase, RESULTS, DELETE)
_OF_OTHERS = {
    "condition=complete": str(Phase.SUCCEEDED),
    "condition=failed": str(Phase.FAILED),
    "complete": str(Phase.SUCCEEDED),
    "completed": str(Phase.SUCCEEDED),
    "done": str(Phase.SUCCEEDED),
    "pending": str(Phase.ACTIVE),
    "running": str(Phase.ACTIVE),
    "deleted": DELETE,
    "collected": RESULTS,
}
"""Words of kubectl and of the APIs, in lower case."""


class GoalType(click.ParamType[Goal]):
    """A phase in any case, also as `phase=PHASE`, or one of the other words."""

    name = "goal"

    def convert(self, value: str | Goal, param: click.Parameter | None, ctx: click.Context | None) -> Goal:
        if isinstance(value, Goal):
            return value
        text = value.lower()
        found = next((word for word in WORDS if word.lower() == text.removeprefix("phase=")), None)
        if found is None:
            self.fail(_no_goal(value), param, ctx)
        return Goal(str(found))


def _no_goal(value: str) -> str:
    meant = _OF_OTHERS.get(value.lower())
    if meant is not None:
        return f"{value} is --for={meant} here"
    hint = did_you_mean(value, list(map(str, WORDS)), f"one of: {', '.join(WORDS)}")
    return f"{value!r} is no phase ({hint})"
