"""Carry a plan out. No decision is made here: steps run as planned, and their effects are recorded.

Each job's steps are a generator that yields the calls to make. Calls run side by side on a bounded pool of workers;
the generators themselves, and with them every write to the state, run on the engine's own thread. One job's failure
ends its own steps only.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from batchctl.engine.journal import Journal
from batchctl.engine.observations import Observations
from batchctl.engine.steps.admitting import Gate, NotAdmittedError
from batchctl.engine.steps.runner import Call, StepRunner
from batchctl.engine.tools import Tools
from batchctl.engine.workers import Workers
from batchctl.model.actions import Action
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredStack
from batchctl.model.errors import BatchctlError, GuardError, NotYetError, StateError, StoppedError
from batchctl.model.events import EventKind
from batchctl.model.outcome import Outcome, Result
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.reasons import Reason
from batchctl.model.steps import Record, Step

Run = Generator[Call, Any, None]
_NOT_YET = {
    Reason.QUOTA: "`batchctl watch` creates it as soon as there is room",
    Reason.REFUSED_FOR_NOW: "`batchctl watch` tries it again; `batchctl explain NAME` says until when",
    Reason.SETTLING: "`batchctl apply` or `watch` goes on to look for what it made; nothing is bought twice",
    Reason.UNSEEN: "`batchctl apply` creates it as soon as its account can be read",
}
"""Reasons of a wait for which a create call could not be made or answered yet, with the way out."""
_NOT_READY = ErrorCode.RESULTS_NOT_READY
"""The code of a collection that comes too early (`Provider.read_results`)."""


def execute(
    plan: Plan, desired: DesiredStack, journal: Journal, observations: Observations, tools: Tools
) -> dict[str, Outcome]:
    """Carry out all steps of the plan; gives one outcome per job. Raises StateError when nothing can be recorded.

    What the calls showed of the accounts is noted in `observations`.
    """
    limit = desired.stack.limits.concurrency
    runner = StepRunner(desired, journal, observations, Gate(journal, plan.live), tools)
    outcomes: dict[str, Outcome] = {}
    rest = {job.job: _record_first(job, runner, journal, outcomes) for job in plan.jobs}
    journal.commit()
    busy = [job for job in plan.jobs if rest[job.job]]
    pending: dict[Future[Any], tuple[JobPlan, Run]] = {}
    waiting = iter(busy)
    with _closing(pending), Workers(max_workers=limit) as pool:
        while True:
            while len(pending) < limit and not tools.clock.is_stopped():
                job = next(waiting, None)
                if job is None:
                    break
                run = runner.run(job, rest[job.job])
                _advance(job, run, None, pending, pool, outcomes, journal)
            if not pending:
                break
            done, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                job, run = pending.pop(future)
                _advance(job, run, future, pending, pool, outcomes, journal)
    for job in waiting:
        outcomes[job.job] = Outcome(job.job, Result.SKIPPED, job.remote)
    return outcomes


@contextmanager
def _closing(pending: Mapping[Future[Any], tuple[JobPlan, Run]]) -> Iterator[None]:
    """Close the runs that an error leaves in the middle, once no call uses what they hold open."""
    try:
        yield
    finally:
        for _, run in pending.values():
            run.close()


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


def _advance(
    job: JobPlan,
    run: Run,
    done: Future[Any] | None,
    pending: dict[Future[Any], tuple[JobPlan, Run]],
    pool: Workers,
    outcomes: dict[str, Outcome],
    journal: Journal,
) -> None:
    """Let a job go on to its next call, or to its end."""
    try:
        error = done.exception() if done is not None else None
        call = run.throw(error) if error else (next(run) if done is None else run.send(done.result()))
    except StopIteration:
        outcomes[job.job] = _outcome(job, journal, None)
    except StateError:
        # Without a state to write to nothing more may be begun.
        raise
    except BatchctlError as problem:
        outcomes[job.job] = _broken_off(job, journal, problem)
        journal.commit()
    else:
        pending[pool.submit(call)] = (job, run)


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
    if error is not None:
        return Outcome(job.job, Result.FAILED, remote, error)
    if job.guard is not None:
        refusal = GuardError(job.guard.message, code=job.guard.code, hint=job.guard.way_out)
        # An adoption itself is never refused, only what would follow from it.
        result = Result.DONE if job.action is Action.ADOPT else Result.SKIPPED
        return Outcome(job.job, result, remote, refusal)
    # Beside settings that were recorded, an approved change may wait for its turn.
    is_update = job.action is Action.UPDATE and not job.needs_consent
    if not is_update and (job.unfinished or job.action in {Action.UPDATE, Action.WAIT}):
        return Outcome(job.job, Result.PENDING, remote, _why_not_yet(job))
    return Outcome(job.job, Result.DONE, remote)


def _why_not_yet(job: JobPlan) -> BatchctlError | None:
    """The error of a create call that the API keeps from being made or answered; None for every other wait."""
    is_made = job.remote is not None
    if job.code not in _NOT_YET or (is_made and job.code is Reason.UNSEEN):
        return None
    said = job.attempt.error if job.attempt is not None and not is_made else None
    message = job.reason if said is None or said.message in job.reason else f"{job.reason}: {said.message}"
    trouble = job.attempt.trouble if job.attempt is not None and not is_made else None
    if trouble is not None and trouble.hint:
        return NotYetError(message, code=trouble.code, hint=trouble.hint)
    return NotYetError(message, hint=_NOT_YET[job.code])
