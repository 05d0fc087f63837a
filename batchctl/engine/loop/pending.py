"""Which jobs a further pass may bring on, and what is given up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from batchctl.engine.loop.report import DriveReport, Until
from batchctl.model.errors import (
    BadReply,
    BatchctlError,
    ConnectionFailed,
    QuotaExceeded,
    ReplyLost,
    ServerFailed,
)
from batchctl.model.keys import Account
from batchctl.model.outcome import Outcome, Result
from batchctl.model.plan import Action, JobPlan, Timer
from batchctl.model.states import Phase

_TRANSIENT = (ConnectionFailed, ReplyLost, QuotaExceeded, ServerFailed)
"""Errors that go away by themselves."""
_PATIENCE = 3
"""Passes in a row in which a job may fail for a lasting reason, or an account reply badly, before it is given up."""


class Patience:
    """Counts how often in a row each job failed for a lasting reason, and each account gave a bad reply."""

    def __init__(self) -> None:
        self._failures: Counter[str] = Counter()
        self._bad_looks: Counter[Account] = Counter()

    def note(self, outcomes: Mapping[str, Outcome]) -> None:
        """Take in the outcomes of one pass."""
        for name, outcome in outcomes.items():
            if outcome.result is not Result.FAILED:
                del self._failures[name]
            elif not isinstance(outcome.error, _TRANSIENT):
                self._failures[name] += 1

    def note_looks(self, errors: Mapping[Account, BatchctlError]) -> None:
        """Take in the accounts that one pass could not read."""
        bad = [account for account, error in errors.items() if isinstance(error, BadReply)]
        self._bad_looks = Counter({account: self._bad_looks[account] + 1 for account in bad})

    def is_over(self, job: str) -> bool:
        """Whether the job is given up."""
        return self._failures[job] >= _PATIENCE

    def is_lasting(self, account: Account, error: BatchctlError) -> bool:
        """Whether waiting does not mend what keeps an account from being read.

        A proxy may put a page of its own in place of one answer: that ends no watch of a whole day.
        """
        if isinstance(error, BadReply):
            return self._bad_looks[account] >= _PATIENCE
        return not isinstance(error, _TRANSIENT)


def find_pending(report: DriveReport, until: Until, patience: Patience) -> tuple[JobPlan, ...]:
    """The jobs that a further pass may bring on, by themselves or because another one does."""
    jobs = report.last.jobs
    going = {job.job for job in jobs if _goes_on(job, report, until, patience)}
    waiting = {job.job for job in jobs if job.waits_for and not job.blocked and job.guard is None}
    if not until.ended:
        # A removal follows at once when nothing is left of what it waits for.
        going |= {job.job for job in jobs if job.job in waiting and job.unfinished and _are_done(job.waits_for, report)}
    else:
        # What is out of scope is brought on by nobody here, but it is no person's doing that is waited for.
        inside = {job.job for job in jobs}
        if going or any(not inside.issuperset(job.waits_for) for job in jobs if job.job in waiting):
            going |= waiting
    return tuple(job for job in jobs if job.job in going)


def _are_done(names: tuple[str, ...], report: DriveReport) -> bool:
    outcomes = (report.outcomes.get(name) for name in names)
    return all(outcome is not None and outcome.result is Result.DONE for outcome in outcomes)


def _goes_on(job: JobPlan, report: DriveReport, until: Until, patience: Patience) -> bool:
    """Whether a further pass may bring the job on."""
    outcome = report.outcomes.get(job.job)
    failed = outcome is not None and outcome.result is Result.FAILED
    if not until.ended:
        # What is missing may have ended before, and is removed or replaced only once it is confirmed gone.
        is_open = job.phase is Phase.SETTLING or job.timer is Timer.MISSING
        is_settling = is_open and not _is_blind(job, report, patience)
        return is_settling or (failed and job.job in report.unanswered)
    if job.action is Action.NONE:
        return False
    if failed:
        return not patience.is_over(job.job)
    if job.guard is not None and job.action is not Action.ADOPT:
        # What is refused is not waited for; how the old work goes on is.
        return job.unfinished and not _is_blind(job, report, patience)
    if job.action is Action.WAIT:
        # What waits for nothing but a person's doing would be waited for in vain.
        is_held = job.phase in {Phase.WAITING, Phase.BLOCKED} and job.next_time is None and job.queue is None
        is_due = job.unseen or not is_held
        return is_due and not _is_blind(job, report, patience)
    return not job.action.is_quiet


def _is_blind(job: JobPlan, report: DriveReport, patience: Patience) -> bool:
    """Whether a job that waits would wait for a look at an account that cannot be read, for a reason that lasts."""
    lasting = {account for account, error in report.errors.items() if patience.is_lasting(account, error)}
    if job.attempt is None:
        return job.phase is Phase.UNKNOWN and bool(lasting)
    return job.attempt.account in lasting
