"""The calls and writes of each step of a plan.

The order of writes is the promise of design section 6: the intent is durable before the create call, the reply is
durable before anything else happens, a cancel is on record before it is sent, and a delete after it was answered. Right
before a call that changes anything the lock is checked: a process that slept through its turn must not do what its
successor may have decided otherwise.
"""

from __future__ import annotations

from functools import partial
from typing import assert_never

from msgspec.structs import replace

from batchctl.engine.journal import Journal
from batchctl.engine.observations import Observations
from batchctl.engine.steps.admitting import Gate
from batchctl.engine.steps.assembling import Assembler
from batchctl.engine.steps.collecting import Collector
from batchctl.engine.steps.creating import Creator
from batchctl.engine.steps.failures import failure_of
from batchctl.engine.steps.marks import marks_of
from batchctl.engine.steps.waiting import DURABLE, Steps
from batchctl.engine.tools import Tools
from batchctl.model.attempts import CancelCause, Operation, RecordedAttempt
from batchctl.model.desired import DesiredStack
from batchctl.model.errors import ApiError, ApiStatus, Effect, NotFound
from batchctl.model.events import EventKind
from batchctl.model.keys import AttemptKey
from batchctl.model.plan import JobPlan
from batchctl.model.steps import (
    Assemble,
    Cancel,
    Collect,
    Create,
    Delete,
    Forget,
    Merge,
    Record,
    RecordAttempt,
    RecordJob,
    Reuse,
    Step,
)
from batchctl.reconcile import after_failure, has_succeeded, overcome


class StepRunner:
    """Runs the steps of one pass's plan."""

    def __init__(
        self, desired: DesiredStack, journal: Journal, observations: Observations, gate: Gate, tools: Tools
    ) -> None:
        self._stack = desired.stack
        self._desired = desired.by_name
        self._journal = journal
        self._observations = observations
        self._tools = tools
        self._assembler = Assembler(desired.stack, journal, tools)
        self._creator = Creator(desired.stack, journal, observations, gate, tools)
        self._collector = Collector(desired, journal, tools)

    def run(self, plan: JobPlan, steps: tuple[Step, ...]) -> Steps[None]:
        """Run steps in order. Raises BatchctlError; the steps after a failed one do not start."""
        for step in steps:
            self._tools.require_running()
            match step:
                case RecordJob() | RecordAttempt():
                    self.record(step)
                case Create():
                    yield from self._creator.create(self._desired[plan.job], step, plan)
                case Reuse():
                    yield from self._reuse(step, plan)
                case Assemble() | Merge():
                    yield from self._write_results(step, plan)
                case Cancel():
                    yield from self._cancel(step, plan)
                case Collect():
                    yield from self._collector.collect(step)
                case Delete():
                    yield from self._delete(step, plan)
                case Forget():
                    self._journal.note_event(step.job, None, EventKind.FORGOTTEN, plan.reason, plan.code)
                    self._journal.note_forgotten(step.job)
                case _:
                    assert_never(step)
        self.point_current(plan.job)
        yield DURABLE

    def record(self, step: Record) -> None:
        """Note what the plan says to write down, with the event that it means."""
        if isinstance(step, RecordJob):
            self._journal.note_job(step.job)
            return
        attempt, before = step.attempt, self._journal.attempts.get(step.attempt.key)
        self._journal.note_attempt(attempt)
        name = self._journal.attempt_words(attempt.key)
        kind = step.note.value
        if kind is not None:
            self._journal.note_attempt_event(attempt.key, kind, attempt.remote or "")
            self._tools.progress.step(attempt.key.job, f"{name} {kind.words}", attempt.key.attempt)
        elif before is not None and before.state != attempt.state:
            words = f"{before.state or 'created'} → {attempt.state}"
            self._journal.note_attempt_event(attempt.key, EventKind.STATE_CHANGED, words)
            self._tools.progress.step(attempt.key.job, f"{attempt.state} ({name})", attempt.key.attempt)

    def point_current(self, job: str) -> None:
        """Let the results that count be `current`. Done in each pass, which restores a missing link.

        Raises ResultsError.
        """
        attempt = self._journal.current(job)
        if attempt is not None and attempt.results and has_succeeded(attempt):
            self._tools.results.point_current(job, attempt.results)

    def _write_results(self, step: Assemble | Merge, plan: JobPlan) -> Steps[None]:
        """Write results from the answers of several remote jobs."""
        job = self._desired[plan.job]
        if isinstance(step, Merge):
            yield from self._assembler.merge(job, step)
        else:
            yield from self._assembler.assemble(job, step.attempt, step.rows, plan)

    def _reuse(self, step: Reuse, plan: JobPlan) -> Steps[None]:
        attempt = step.attempt
        marks = marks_of(self._stack, attempt.token)
        path = yield partial(self._tools.results.reuse, step.key, attempt.digest, step.source, marks)
        self._journal.note_attempt(replace(attempt, results=path))
        self._note_decision(step.key, EventKind.REUSED, plan)
        yield DURABLE
        self._tools.progress.step(step.key.job, f"results of {step.source} used again; {path}", step.key.attempt)

    def _cancel(self, step: Cancel, plan: JobPlan) -> Steps[None]:
        provider = self._tools.providers.get(step.account)
        before = self._journal.attempts[step.key]
        is_recorded = step.cause is not CancelCause.DUPLICATE
        if is_recorded:
            self._journal.note_attempt(replace(before, cancel_time=provider.now(), cancel_cause=step.cause))
        self._note_decision(step.key, EventKind.CANCELLING, plan, f"{step.remote}: ")
        yield DURABLE
        self._journal.check()
        try:
            yield partial(provider.cancel_job, step.remote)
        except NotFound:
            # Gone meanwhile; the next look says so.
            return
        except ApiError as error:
            if isinstance(error, ApiStatus) and error.status == "FAILED_PRECONDITION":
                # It has ended meanwhile; the next look shows how.
                return
            if is_recorded:
                # A cancel that surely was not taken is due again at once.
                kept = self._journal.attempts[step.key] if error.effect is Effect.AMBIGUOUS else before
                self._note_trouble(kept, Operation.CANCEL, error)
            raise
        if is_recorded:
            self._journal.note_attempt(overcome(self._journal.attempts[step.key], Operation.CANCEL))
            yield DURABLE
        self._tools.progress.step(step.key.job, f"cancel sent to {step.remote}", step.key.attempt)

    def _note_decision(self, key: AttemptKey, kind: EventKind, plan: JobPlan, subject: str = "") -> None:
        """Note what is done about an attempt, with the reason of the plan."""
        self._journal.note_attempt_event(key, kind, f"{subject}{plan.reason}", plan.code)

    def _note_trouble(self, attempt: RecordedAttempt, operation: Operation, error: ApiError) -> None:
        """Write down what goes wrong with an attempt; the caller raises."""
        now = self._tools.providers.get(attempt.account).now()
        self._journal.note_attempt(after_failure(attempt, failure_of(operation, error), now))

    def _delete(self, step: Delete, plan: JobPlan) -> Steps[None]:
        provider = self._tools.providers.get(step.account)
        yield DURABLE
        self._journal.check()
        try:
            yield partial(provider.delete_job, step.remote)
        except NotFound:
            words = "was gone already"
        except ApiError as error:
            self._note_trouble(self._journal.attempts[step.key], Operation.DELETE, error)
            raise
        else:
            words = "deleted"
        attempt = overcome(self._journal.attempts[step.key], Operation.DELETE)
        self._journal.note_attempt(replace(attempt, delete_time=provider.now()))
        self._note_decision(step.key, EventKind.DELETED, plan, f"{step.remote} {words}: ")
        yield DURABLE
        self._observations.note_deleted(step.account, step.remote)
        self._tools.progress.step(step.key.job, f"{step.remote} {words}", step.key.attempt)
