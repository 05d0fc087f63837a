"""Carry a plan out. No decision is made here: steps run as planned, and their effects are recorded.

Each job's steps are a generator that yields what it waits for. Calls run side by side on a bounded pool of workers;
the generators themselves, and with them every write to the state, run on the engine's own thread. One job's failure
ends its own steps only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing

from msgspec import Struct
from msgspec.structs import replace

from batchctl.engine.journal import Journal
from batchctl.engine.observations import Observations
from batchctl.engine.steps.admitting import Gate, NotAdmittedError
from batchctl.engine.steps.runner import StepRunner
from batchctl.engine.steps.running import Running
from batchctl.engine.steps.turns import Turns
from batchctl.engine.steps.waiting import Steps
from batchctl.engine.tools import Tools
from batchctl.model.actions import Action
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredStack
from batchctl.model.errors import BatchctlError, StoppedError
from batchctl.model.events import EventKind
from batchctl.model.keys import Api
from batchctl.model.observing import ActionWork
from batchctl.model.outcome import Outcome, Result
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.steps import Record, Step
from batchctl.reconcile import outcome_of

_NOT_READY = ErrorCode.RESULTS_NOT_READY
"""The code of a collection that comes too early (`Provider.read_results`)."""


class Done(Struct, frozen=True):
    """The result of executing a plan."""

    outcomes: Mapping[str, Outcome]
    """One for each job."""
    is_cut_short: bool
    """Whether collections were left for the next pass."""
    has_acted: bool
    """Whether anything was done but to write down what was seen."""


def execute(
    plan: Plan,
    desired: DesiredStack,
    journal: Journal,
    observations: Observations,
    tools: Tools,
    collects_for: Callable[[], float | None] | None = None,
) -> Done:
    """Carry out the steps of the plan. Raises StateError when nothing can be recorded.

    What the calls showed of the accounts is noted in `observations`. After as many seconds of collections as
    `collects_for` says, no further one is begun. It is asked once, when what the plan has seen is recorded.
    """
    limit = desired.stack.limits.concurrency
    runner = StepRunner(desired, journal, observations, Gate(journal, plan.live), tools)
    apis = {job.name: job.account.api for job in desired.jobs}
    outcomes: dict[str, Outcome] = {}
    rest = {job.job: _record_first(job, runner, journal, outcomes) for job in plan.jobs}
    journal.commit()
    waiting = [job for job in plan.jobs if rest[job.job]]
    collects = any(job.action is Action.COLLECT for job in waiting)
    turns = Turns(waiting, tools.clock, collects_for() if collects_for is not None and collects else None)

    def end(job: JobPlan, problem: BatchctlError | None) -> None:
        outcomes[job.job] = _outcome(job, journal, None) if problem is None else _broken_off(job, journal, problem)

    with closing(Running(limit, journal, tools.clock, end)) as running:
        while True:
            if not running.count:
                # Nothing is under way that could share a commit of what the last jobs noted at their end.
                running.commit()
            while running.has_room and not tools.clock.is_stopped():
                job = turns.next()
                if job is None:
                    break
                running.start(job, _observed(job, runner.run(job, rest[job.job]), apis, tools))
            if not running.count:
                break
            if not running.take_answer():
                running.commit()
    journal.commit()
    is_stopped = tools.clock.is_stopped()
    for job in turns.left:
        outcomes[job.job] = Outcome(job.job, Result.SKIPPED if is_stopped else Result.PENDING, job.remote)
    return Done(outcomes, is_cut_short=bool(turns.left) and not is_stopped, has_acted=turns.has_begun)


def _observed(job: JobPlan, steps: Steps[None], apis: Mapping[str, Api], tools: Tools) -> Steps[None]:
    """The steps of a job, as work that observers see."""
    attempt = job.attempt
    work = ActionWork(
        job.job,
        job.action.value,
        job.code.value,
        model=job.size.model,
        api=apis.get(job.job) if attempt is None else attempt.account.api,
        attempt=None if attempt is None else attempt.key.attempt,
    )
    with tools.activity.observing(work):
        yield from steps


def _record_first(job: JobPlan, runner: StepRunner, journal: Journal, outcomes: dict[str, Outcome]) -> tuple[Step, ...]:
    """Note the writes at the head of a job's steps, so that all jobs' go into one commit; gives the other steps."""
    try:
        for number, step in enumerate(job.steps):
            if not isinstance(step, Record):
                return job.steps[number:]
            runner.record(step)
        runner.point_current(job.job)
    except BatchctlError as problem:
        outcomes[job.job] = _broken_off(job, journal, problem)
    else:
        outcomes[job.job] = _outcome(job, journal, None)
    return ()


def _broken_off(job: JobPlan, journal: Journal, problem: BatchctlError) -> Outcome:
    """The outcome of a job whose steps ended early. Results that are not there yet are no failure."""
    if isinstance(problem, StoppedError):
        return replace(_outcome(job, journal, None), result=Result.PENDING)
    if isinstance(problem, NotAdmittedError):
        return replace(_outcome(job, journal, None), result=Result.PENDING, error=problem)
    is_early = problem.code == _NOT_READY
    kind = EventKind.NOT_READY if is_early else EventKind.FAILED
    journal.note_event(job.job, None, kind, problem.message, problem.code)
    if is_early:
        return replace(_outcome(job, journal, None), result=Result.PENDING)
    return _outcome(job, journal, problem)


def _outcome(job: JobPlan, journal: Journal, error: BatchctlError | None) -> Outcome:
    current = journal.current(job.job)
    remote = current.remote if current is not None else job.remote
    return outcome_of(job, remote) if error is None else Outcome(job.job, Result.FAILED, remote, error)
