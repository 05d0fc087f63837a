"""Progress as lines of JSON, for `--log-format json`."""

from __future__ import annotations

from collections.abc import Sequence

from batchctl.model.plan import JobPlan, Plan
from batchctl.model.ports.surroundings import Clock
from batchctl.report.activity import Busy, busy_words
from batchctl.report.log import JsonLog, Level
from batchctl.report.progress import STOPPING, Calm, ProgressBase, Repeat
from batchctl.report.words import plan_summary


class JsonLinesProgress(ProgressBase):
    """`--log-format json`: one object a line, see `JsonLog`.

    Every plan is reported, so that the log is complete; waits as with `PlainProgress`.
    """

    def __init__(self, log: JsonLog, clock: Clock) -> None:
        super().__init__()
        self._log = log
        self._calm = Calm(clock)
        self._repeat = Repeat(clock)

    def planned(self, plan: Plan) -> None:
        self._log.head.stack = plan.stack
        self._log.write(Level.INFO, "planned", plan_summary(plan), summary=plan.summary())

    def step(self, job: str, message: str, attempt: int | None = None) -> None:
        self._log.write(Level.INFO, "step", message, job=job, attempt=attempt)

    def warn(self, message: str) -> None:
        self._log.write(Level.WARNING, "warning", message)

    def waiting(self, jobs: Sequence[JobPlan], seconds: float) -> None:
        from batchctl.report.waits import wait_words

        words = wait_words(jobs)
        if self._repeat.is_due(words):
            self._log.write(Level.INFO, "waiting", words, seconds=seconds)

    def busy(self, things: Sequence[Busy]) -> None:
        if self._calm.is_due(things):
            self._log.write(Level.INFO, "busy", busy_words(things))

    def stopping(self) -> bytes:
        return self._log.line(Level.WARNING, "stopping", STOPPING).encode()
