"""The steps of several jobs in progress: their calls, on a bounded pool of workers, and the commits that they share."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import Context, copy_context
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias

from msgspec import Struct

from batchctl.engine.journal import Journal
from batchctl.engine.steps.waiting import DURABLE, Call, Durable, Steps
from batchctl.engine.workers import Workers
from batchctl.model.errors import BatchctlError, StateError
from batchctl.model.plan import JobPlan
from batchctl.model.ports.surroundings import Stoppable

_GATHER_SECONDS = 0.02
"""How long a commit waits for further answers that it can serve: a tenth of what the services take for a call."""
_MANY = 8
"""Calls at once from which on commits and calls are arranged for each other: see `Running`."""
_LONG_COMMIT = 0.1
"""Seconds from which on a commit waits for all answers that it can serve: one to a bucket takes longer than a call."""

End: TypeAlias = Callable[[JobPlan, BatchctlError | None], None]
"""Called when the steps of a job have ended, with the error that ended them."""


class _Job(Struct):
    """A job in progress."""

    plan: JobPlan
    steps: Steps[None]
    context: Context
    """Of its steps and calls: what one job sets in it, the others do not see."""
    noted: int = 0
    """The last of its writes, as a number of all that were noted."""

    def go_on(self, done: Future[Any] | None) -> Call | Durable:
        """Go on until the next wait. Raises StopIteration at the end, and what the steps raise."""
        error = done.exception() if done is not None else None
        if error is not None:
            return self.context.run(self.steps.throw, error)
        return self.context.run(self.steps.send, None if done is None else done.result())

    def close(self) -> None:
        """End the steps where they are."""
        self.context.run(self.steps.close)


class Running:
    """The jobs whose steps are in progress, with as many calls at once as `limit` says.

    If these are many, as many jobs again wait for a commit meanwhile, so that calls do not wait for the disk. A call is
    made as soon as its job has decided on it: nothing that was checked right before it gets old in a queue.
    """

    def __init__(self, limit: int, journal: Journal, clock: Stoppable, end: End) -> None:
        self._limit = limit
        self._most = limit if limit < _MANY else 2 * limit
        self._pool = Workers(max_workers=limit)
        self._journal = journal
        self._end = end
        self._clock = clock
        self._calls: dict[Future[Any], _Job] = {}
        self._ended: SimpleQueue[Future[Any]] = SimpleQueue()
        """Calls whose answers were not taken yet."""
        self._uncommitted: list[_Job] = []
        self._durable: deque[_Job] = deque()
        """Jobs that may go on as soon as another call may be made."""
        self._until: float | None = None
        """When the next commit is due; None while no job waits for one, and none has ended since the last."""
        self._took = 0.0
        """Seconds that the last commit took."""

    @property
    def count(self) -> int:
        return len(self._calls) + len(self._uncommitted) + len(self._durable)

    @property
    def has_room(self) -> bool:
        """Whether a further job may start."""
        return self._may_call and not self._durable and self.count < self._most

    @property
    def _may_call(self) -> bool:
        return len(self._calls) < self._limit

    def start(self, job: JobPlan, steps: Steps[None]) -> None:
        """Begin the steps of a job."""
        self._advance(_Job(job, steps, copy_context()), None)

    def take_answer(self) -> bool:
        """Wait for an answer, and let its job go on. False when a commit is due first.

        While many calls are under way, a commit waits a moment for their answers, to serve them too; but not while
        fewer are under way than might be, because the jobs that could call wait for it, or those in whose place others
        could begin.
        """
        left = None if self._until is None else max(self._until - self._clock.elapsed(), 0)
        if not self._calls or (left is not None and (len(self._calls) < _MANY or self._is_stalled(left))):
            return False
        try:
            done = self._ended.get(timeout=left)
        except Empty:
            return False
        self._advance(self._calls.pop(done), done)
        self._go_on()
        return True

    def commit(self) -> None:
        """Make everything noted durable, and let the jobs go on that waited for it. Raises StateError."""
        begun = self._clock.elapsed()
        self._journal.commit()
        self._took = self._clock.elapsed() - begun
        self._until = None
        self._durable += self._uncommitted
        self._uncommitted = []
        self._go_on()

    def close(self) -> None:
        """Close the steps that an error leaves in the middle, once no call uses what they hold open."""
        self._pool.shutdown()
        for job in (*self._calls.values(), *self._uncommitted, *self._durable):
            job.close()

    def _go_on(self) -> None:
        """Let jobs go on that have waited for the disk, while calls may be made."""
        while self._durable and self._may_call:
            self._advance(self._durable.popleft(), None)

    def _advance(self, job: _Job, done: Future[Any] | None) -> None:
        """Let a job go on until it waits again, or to its end. What its end notes is in the next commit."""
        try:
            awaited = self._next(job, done)
            while awaited is DURABLE and self._journal.durable >= job.noted:
                awaited = self._next(job, None)
        except StopIteration:
            self._end(job.plan, None)
            self._ask_for_commit()
        except StateError:
            # Without a state to write to nothing more may be begun.
            raise
        except BatchctlError as problem:
            self._end(job.plan, problem)
            self._ask_for_commit()
        else:
            if isinstance(awaited, Durable):
                self._uncommitted.append(job)
                self._ask_for_commit()
            else:
                call = job.context.run(self._pool.submit, awaited)
                self._calls[call] = job
                call.add_done_callback(self._ended.put)

    def _next(self, job: _Job, done: Future[Any] | None) -> Call | Durable:
        """Let a job go on until its next wait, and keep which of the writes are its own: it waits for no others."""
        before = self._journal.noted
        awaited = job.go_on(done)
        if self._journal.noted > before:
            job.noted = self._journal.noted
        return awaited

    def _is_stalled(self, left: float) -> bool:
        """Whether a call could be made if a commit came, which is due in so many seconds, and takes little time."""
        is_due = self.count >= self._most or not left
        return is_due and self._may_call and not self._durable and self._took < _LONG_COMMIT

    def _ask_for_commit(self) -> None:
        if self._until is None and not self._journal.is_durable:
            self._until = self._clock.elapsed() + _GATHER_SECONDS
