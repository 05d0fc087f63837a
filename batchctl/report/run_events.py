"""The events of a run, one JSON document a line: `--events FILE` of `plan`, `apply` and `watch`.

Implements `Progress`. Unlike progress for people, it has a version, and each pass is in it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TextIO

from batchctl.model.errors import BatchctlError
from batchctl.model.json_value import Json
from batchctl.model.outcome import Outcome, Result
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.plan_digest import PlanDigest
from batchctl.model.ports.surroundings import Progress
from batchctl.model.times import rfc3339
from batchctl.report.documents import to_json_line
from batchctl.report.error_document import error_fields
from batchctl.report.plan_document import drift_entries, guard_code, problem_entries

RUN_EVENT = "batchctl/run-event/v1"

MOST_WAITING = 100
"""The number of jobs that one event of a wait has; the others are counted."""


class RunEvents:
    """Writes events to a stream; without one it writes nothing.

    If the stream fails, `on_failure` is called once, and nothing more is written: the run itself continues.
    """

    def __init__(
        self, stream: TextIO | None, now: Callable[[], datetime], on_failure: Callable[[OSError], None]
    ) -> None:
        self._stream = stream
        self._now = now
        self._on_failure = on_failure
        self._lock = threading.Lock()
        self._number = 0

    @property
    def is_written(self) -> bool:
        """Whether anybody gets the events: making them takes time."""
        return self._stream is not None

    def started(self, command: str, version: str) -> None:
        """The first event."""
        self._write("started", command=command, version=version)

    def planned(self, plan: Plan) -> None:
        """A plan, with each job that has an action, a guard or a change."""
        if not self.is_written:
            return
        jobs = [job for job in plan.jobs if not job.action.is_quiet or job.guard is not None or job.changes]
        self._write(
            "planned",
            stack=plan.stack,
            digest=str(PlanDigest.of(plan)),
            summary=plan.summary(),
            actions=[_action(job) for job in jobs],
            drift=drift_entries(plan.drift),
            problems=problem_entries(plan.unread),
        )

    def step(self, job: str, message: str, attempt: int | None = None) -> None:
        self._write("step", job=job, message=message, attempt=attempt)

    def warn(self, message: str) -> None:
        self._write("warning", message=message)

    def waiting(self, jobs: Sequence[JobPlan], seconds: float) -> None:
        phases = [
            {"job": job.job, "phase": job.phase.value, "reasonCode": job.code.value} for job in jobs[:MOST_WAITING]
        ]
        self._write("waiting", seconds=seconds, count=len(jobs), jobs=phases)

    def results(self, plan: Plan, outcomes: Mapping[str, Outcome]) -> None:
        """The result of each action."""
        for job in plan.jobs:
            outcome = outcomes.get(job.job) or Outcome(job.job, Result.SKIPPED)
            if job.action.is_quiet and outcome.error is None:
                continue
            error = None if outcome.error is None else error_fields(outcome.error)
            facts = {"result": outcome.result.value, "remote": outcome.remote, "error": error}
            self._write("result", job=job.job, action=job.action.value, **facts)

    def ended(self, exit_code: int, error: BatchctlError | None = None) -> None:
        """The last event. `error` is the one that ended the command early."""
        self._write("ended", exitCode=exit_code, error=None if error is None else error_fields(error))

    def _write(self, event: str, **facts: Json) -> None:
        with self._lock:
            if self._stream is None:
                return
            head = {"format": RUN_EVENT, "number": self._number, "time": rfc3339(self._now()), "event": event}
            try:
                self._stream.write(to_json_line(head | facts))
                self._stream.flush()
            except OSError as error:
                self._stream = None
                self._on_failure(error)
            self._number += 1


def _action(job: JobPlan) -> dict[str, Json]:
    return {
        "job": job.job,
        "action": job.action.value,
        "phase": job.phase.value,
        "reasonCode": job.code.value,
        "buys": job.buys,
        "guard": guard_code(job.guard),
    }


class BothProgress:
    """Passes everything on to two receivers."""

    def __init__(self, first: Progress, second: Progress) -> None:
        self._all = (first, second)

    def planned(self, plan: Plan) -> None:
        for one in self._all:
            one.planned(plan)

    def step(self, job: str, message: str, attempt: int | None = None) -> None:
        for one in self._all:
            one.step(job, message, attempt)

    def warn(self, message: str) -> None:
        for one in self._all:
            one.warn(message)

    def waiting(self, jobs: Sequence[JobPlan], seconds: float) -> None:
        for one in self._all:
            one.waiting(jobs, seconds)
