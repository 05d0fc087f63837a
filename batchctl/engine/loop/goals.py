"""The goals of a command that waits and only looks, and when waiting for them is of no use."""

from __future__ import annotations

from msgspec import Struct

from batchctl.engine.loop.phases import has_come_to
from batchctl.engine.preview import Preview
from batchctl.model.actions import Action
from batchctl.model.plan import JobPlan
from batchctl.model.states import ENDED_PHASES, GOOD_PHASES, NO_GOOD_PHASES, Phase

RESULTS = "results"
DELETE = "delete"


class Goal(Struct, frozen=True):
    """A phase, or one of the two words `results` (collected) and `delete` (no longer in the state)."""

    word: str

    @property
    def phase(self) -> Phase | None:
        """None for `results` and `delete`."""
        return None if self.word in {RESULTS, DELETE} else Phase(self.word)

    @property
    def is_delete(self) -> bool:
        return self.word == DELETE

    @property
    def words(self) -> str:
        """It as a fact about a job: `Succeeded`, `collected`, `deleted`."""
        return {RESULTS: "collected", DELETE: "deleted"}.get(self.word, self.word)

    def words_of(self, name: str, seen: Preview) -> str:
        """How a job that has reached it is: `Succeeded`, or `has been Active, is Succeeded`."""
        job = _find(name, seen)
        if self.phase is None or job is None or job.phase is self.phase:
            return self.words
        return f"has been {self.words}, is {job.phase}"

    def is_reached(self, name: str, seen: Preview) -> bool:
        """Whether a job is, or surely was, where it is waited for."""
        if self.is_delete:
            record = seen.recorded.jobs.get(name)
            return record is None or record.row.released_time is not None
        job = _find(name, seen)
        if job is None:
            return False
        if self.phase is not None:
            return has_come_to(job, self.phase)
        return job.phase in ENDED_PHASES and job.attempt is not None and job.attempt.results is not None

    def is_out_of_reach(self, name: str, seen: Preview) -> bool:
        """Whether a job that has not reached it does not come there unless a person acts."""
        if self.is_delete:
            return False
        job = _find(name, seen)
        if job is None:
            return True
        if self.word == RESULTS and (job.phase in GOOD_PHASES or job.action is Action.COLLECT):
            return False
        return job.phase in ENDED_PHASES | NO_GOOD_PHASES and not job.action.buys


def _find(name: str, seen: Preview) -> JobPlan | None:
    return next((job for job in seen.plan.jobs if job.job == name), None)
