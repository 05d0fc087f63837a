"""The commands that lead on with a job, by its plan alone: its rows are not read."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.decision import Timer
from batchctl.model.plan import JobPlan
from batchctl.model.reasons import Reason
from batchctl.model.states import FAILED_PHASES, Phase
from batchctl.report.explain_ways import WayOn


def job_commands(plan: JobPlan, target: str | None) -> tuple[WayOn, ...]:
    """The commands, those that change something first; with the target of the stack, if it has one."""
    option = "" if target is None else f" --target {target}"
    return tuple(replace(one, command=f"{one.command}{option}") for one in _commands(plan))


def _commands(plan: JobPlan) -> Iterator[WayOn]:
    job, attempt = plan.job, plan.attempt
    if plan.needs_consent and plan.guard is None and plan.action not in (Action.NONE, Action.WAIT):
        yield WayOn(f"batchctl apply {job}", f"carries out its plan ({plan.action}), after a question")
    if plan.code is Reason.CANARY_FAILED:
        yield WayOn(f"batchctl retry {job}", "tries the canary again")
        yield WayOn(f"batchctl retry {job} --accept-canary", "buys the other rows anyway")
    elif plan.phase in FAILED_PHASES and plan.action is Action.NONE:
        yield WayOn(f"batchctl retry {job}", "makes a new attempt")
    elif plan.timer is Timer.BACKOFF:
        yield WayOn(f"batchctl retry {job}", "makes the next attempt now")
    if plan.phase is Phase.ACTIVE:
        yield WayOn(f"batchctl cancel {job}", "stops it: nothing is sent again")
    if attempt is not None and attempt.results is not None:
        if attempt.rows.bad - attempt.rows.not_sent > 0:
            yield WayOn(f"batchctl results {job} --failed", "prints its rows without a good answer")
        yield WayOn(f"batchctl results {job}", "prints its rows")
    yield WayOn(f"batchctl explain {job}", "says why it is so, with the rule that decided")
