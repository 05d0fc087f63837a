"""Passes in a row: `apply` until nothing is left to settle, `apply --wait` and `watch` until every job has ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from batchctl.engine.passes import Approve, PassReport, run_pass
from batchctl.engine.polling import Interval
from batchctl.engine.tools import Tools
from batchctl.model.desired import DesiredStack
from batchctl.model.errors import (
    BadReply,
    BatchctlError,
    ConnectionFailed,
    LockedError,
    QuotaExceeded,
    ReplyLost,
    ServerFailed,
    StoppedError,
    TimeUpError,
)
from batchctl.model.keys import Account
from batchctl.model.outcome import Outcome, Result
from batchctl.model.plan import CHANGES, Action, JobPlan, Plan
from batchctl.model.states import FAILED_PHASES, Phase
from batchctl.reconcile import Options

_TRANSIENT = (ConnectionFailed, ReplyLost, QuotaExceeded, ServerFailed)
"""Errors that go away by themselves."""
_PATIENCE = 3
"""Passes in a row in which a job may fail for a lasting reason, or an account reply badly, before it is given up."""
_NAMED = 5
"""Jobs named in a message before it says that there are more."""

Reload = Callable[[], DesiredStack]
"""Gives the manifests of a pass."""


@dataclass(frozen=True)
class Until:
    """When a run of passes ends."""

    ended: bool
    """When every job has ended; else as soon as no create call is left to settle."""
    timeout: timedelta | None = None
    once: bool = False
    forever: bool = False


@dataclass(frozen=True)
class DriveReport:
    """What a run of passes came to."""

    plan: Plan
    """Of the first pass: what was asked for."""
    last: Plan
    """Of the last pass: how things stand."""
    outcomes: Mapping[str, Outcome]
    """For each job of the first plan, how its action ended."""
    errors: Mapping[Account, BatchctlError]
    """Accounts that the last pass could not read."""
    unanswered: frozenset[str] = frozenset()
    """Jobs that the last pass leaves with a create call of which nobody knows the outcome."""
    stopped: BatchctlError | None = None
    """Why it ended early: a signal, or the time was up."""

    @property
    def failed_jobs(self) -> tuple[JobPlan, ...]:
        """The jobs that have ended without success, nothing more being planned for them."""
        return tuple(job for job in self.last.jobs if job.phase in FAILED_PHASES and job.action not in CHANGES)


def drive(reload: Reload, options: Options, until: Until, tools: Tools, approve: Approve | None = None) -> DriveReport:
    """Run passes until their end.

    Raises LockedError when the first pass finds the state locked; StateError, and what `approve` and `reload` raise.
    """
    deadline = None if until.timeout is None else tools.clock.now() + until.timeout
    done = run_pass(reload(), options, tools, approve)
    report = DriveReport(done.plan, done.plan, done.outcomes, done.errors, done.unanswered)
    patience, interval, changed = Patience(), Interval(tools.random), True
    patience.note(done.outcomes)
    patience.note_looks(done.errors)
    if until.once or (_saw_nothing(done) and not until.forever):
        return _stopped(report) if tools.clock.is_stopped() else report
    while True:
        going = tuple(job for job in report.last.jobs if _goes_on(job, report, until, patience))
        if tools.clock.is_stopped():
            return _stopped(report)
        if not going and not until.forever:
            return report
        now = tools.clock.now()
        if deadline is not None and now >= deadline:
            return replace(report, stopped=_time_up(going))
        seconds = interval.next(changed=changed, now=now, due=_next_time(going, deadline))
        tools.progress.waiting(going, seconds)
        tools.clock.sleep(seconds)
        if tools.clock.is_stopped():
            return _stopped(report)
        try:
            done = run_pass(reload(), options, tools, only=_only(going, until))
        except LockedError as error:
            tools.progress.warn(f"{error.message}; trying again")
            continue
        for account, fault in done.errors.items():
            tools.progress.warn(f"{account}: {fault.message}")
        patience.note(done.outcomes)
        patience.note_looks(done.errors)
        before, report = report, _merge(report, done, whole=until.ended)
        changed = _standing(before.last) != _standing(report.last)


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


def _saw_nothing(done: PassReport) -> bool:
    """Whether no account at all could be read: then the set-up is wrong, and waiting does not mend it."""
    return bool(done.errors) and done.accounts == done.errors.keys()


def _goes_on(job: JobPlan, report: DriveReport, until: Until, patience: Patience) -> bool:
    """Whether a further pass may bring the job on."""
    outcome = report.outcomes.get(job.job)
    failed = outcome is not None and outcome.result is Result.FAILED
    if not until.ended:
        is_settling = job.phase is Phase.SETTLING and not _is_blind(job, report, patience)
        return is_settling or (failed and job.job in report.unanswered)
    if job.action is Action.NONE:
        return False
    if failed:
        return not patience.is_over(job.job)
    if job.guard is not None and job.action is not Action.ADOPT:
        return False
    if job.action is Action.WAIT:
        # What waits for nothing but a person's doing would be waited for in vain.
        return not _is_blind(job, report, patience) and (job.phase is not Phase.WAITING or job.next_time is not None)
    return job.action in CHANGES


def _is_blind(job: JobPlan, report: DriveReport, patience: Patience) -> bool:
    """Whether a job that waits would wait for a look at an account that cannot be read, for a reason that lasts."""
    lasting = {account for account, error in report.errors.items() if patience.is_lasting(account, error)}
    if job.attempt is None:
        return job.phase is Phase.UNKNOWN and bool(lasting)
    return job.attempt.account in lasting


def _only(going: tuple[JobPlan, ...], until: Until) -> frozenset[str] | None:
    """A plain `apply` goes on with nothing but what is to be settled: the rest has had its pass."""
    return None if until.ended else frozenset(job.job for job in going)


def _merge(report: DriveReport, done: PassReport, *, whole: bool) -> DriveReport:
    """The report as a further pass leaves it."""
    refused = {job.job for job in done.plan.jobs if job.phase is Phase.REJECTED}
    outcomes = {}
    for name, first in report.outcomes.items():
        later = done.outcomes.get(name)
        if later is None:
            # Not planned about any more: what was pending, a removal, has come to its end.
            is_over = whole and first.result is Result.PENDING
            outcomes[name] = replace(first, result=Result.DONE) if is_over else first
        elif first.result is Result.DONE and later.result is not Result.FAILED:
            outcomes[name] = replace(first, remote=later.remote)
        elif first.result is Result.FAILED and name in refused:
            # Nothing more is done about it, but that is no success.
            outcomes[name] = first
        else:
            outcomes[name] = later
    last = done.plan
    if not whole:
        seen = {job.job: job for job in done.plan.jobs}
        last = replace(last, jobs=tuple(seen.get(job.job, job) for job in report.last.jobs))
    return replace(report, last=last, outcomes=outcomes, errors=done.errors, unanswered=done.unanswered)


def _standing(plan: Plan) -> tuple[tuple[str, Action, Phase, str | None], ...]:
    """How the jobs stand, to tell whether a pass changed anything."""
    return tuple((job.job, job.action, job.phase, job.attempt.state if job.attempt else None) for job in plan.jobs)


def _next_time(going: tuple[JobPlan, ...], deadline: datetime | None) -> datetime | None:
    times = [job.next_time for job in going if job.next_time is not None]
    return min([*times, deadline] if deadline else times, default=None)


def _stopped(report: DriveReport) -> DriveReport:
    hint = "the state is sound; run the same command again to go on"
    return replace(report, stopped=StoppedError("interrupted", hint=hint))


def _time_up(going: tuple[JobPlan, ...]) -> BatchctlError:
    names = ", ".join(job.job for job in going[:_NAMED]) + (" …" if len(going) > _NAMED else "")
    return TimeUpError(f"time is up; not ended yet: {names}", hint="`batchctl watch` goes on waiting")
