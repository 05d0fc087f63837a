"""Passes in a row: `apply` until nothing is left to settle, `apply --wait` and `watch` until every job has ended.

The lock is held within a pass and never while sleeping, and the manifests of a pass are read under it. All lengths of
time are measured on a monotonic clock.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from batchctl.engine.loop.approved_manifests import ApprovedManifests
from batchctl.engine.loop.failures import FailureNews
from batchctl.engine.loop.phases import has_changed, has_come_to
from batchctl.engine.loop.polling import Interval, Pace
from batchctl.engine.loop.quick_check import MAX_QUICK_CHECKS, is_unchanged
from batchctl.engine.loop.reloading import Glance, LastGood, Reload
from batchctl.engine.loop.report import (
    DriveReport,
    Until,
    Witness,
    as_left,
    creates_of,
    first_report,
    have_been_collected,
    interrupted,
    merge,
    no_report,
    not_rerun,
    saw_nothing,
    time_up,
)
from batchctl.engine.passes import Asked, PassReport, run_pass
from batchctl.engine.preview import Approve
from batchctl.engine.tools import Tools
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredStack
from batchctl.model.errors import BatchctlError, GuardError, LockedError, StateError
from batchctl.model.exhaustion import exhausted
from batchctl.model.plan import JobPlan
from batchctl.model.recorded import Recorded, StateVersion
from batchctl.reconcile import Options, PassEnd, Patience, find_pending, find_unsettled

__all__ = ["Around", "DriveReport", "Reload", "Until", "Witness", "drive"]

_SUBJECT = "this pass"


class Around(Struct, frozen=True):
    """The surroundings of each pass of a run: the reading before it, and the observers after it."""

    reload: Reload
    glance: Glance = lambda: False
    """Saves readings of the manifests between passes."""
    witness: Witness = lambda _done: None
    pausing: Callable[[float], None] = lambda _seconds: None
    """Is given the seconds until the next pass. What it takes is a part of them; the rest is slept."""


def drive(
    around: Around,
    options: Options,
    until: Until,
    tools: Tools,
    approve: Approve | None = None,
    pace: Pace | None = None,
) -> DriveReport:
    """Run passes until their end.

    Raises what `approve` raises, and what keeps the first pass from being made: LockedError, StateError, and what
    `reload` raises. With `forever` only the first reading and `approve` can end it so; without, other manifests in a
    later pass end the run.
    """
    return _Run(around, options, until, tools, approve, pace or Pace()).run()


class _Run:
    """One run of passes."""

    def __init__(
        self, around: Around, options: Options, until: Until, tools: Tools, approve: Approve | None, pace: Pace
    ) -> None:
        self._around = around
        self._warnings = tools.warnings
        reload, allow_empty = around.reload, options.allow_empty
        self._good = LastGood(reload, self._warnings, tools.opened, allow_empty=allow_empty) if until.forever else None
        self._reload: Reload = self._good or ApprovedManifests(reload, options.scope, tools.opened)
        self._options = options
        self._until = until
        self._tools = tools
        self._approve = approve
        self._interval = Interval(tools.random, pace)
        self._patience = Patience()
        self._start = tools.clock.elapsed()
        self._desired: DesiredStack | None = None
        """As last read under the lock."""
        self._unread: BatchctlError | OSError | MemoryError | None = None
        """Why they could not be read or used, where that ends the run."""
        self._other_work: BatchctlError | None = None
        """Why the manifests end the run."""
        self._followed: DesiredStack | None = None
        """As the last pass that came to its end had them."""
        self._last: PassReport | None = None
        self._report: DriveReport | None = None
        self._pending: tuple[JobPlan, ...] = ()
        self._reached: set[str] = set()
        self._quick_checks = 0
        self._failures = FailureNews(tools.progress)
        self._is_first = True
        """Whether no more than one pass was made."""
        self._waited = 0.0
        """Seconds slept since the second pass: the first that looks for what a create call has made."""

    def run(self) -> DriveReport:
        """Make passes until there is nothing more to wait for."""
        while True:
            seconds = self._try_pass()
            if self._other_work is not None:
                return self._ended(self._other_work)
            if self._tools.clock.is_stopped():
                return self._ended(interrupted())
            if self._is_over():
                return self._ended(None)
            left = self._left()
            if left is not None and left <= 0:
                return self._ended(time_up(self._pending, self._until))
            begun = self._tools.clock.elapsed()
            self._tools.progress.waiting(as_left(self._pending, self._last), seconds)
            pause = min(each for each in (seconds, left, self._wait_left()) if each is not None)
            self._sleep(max(pause - (self._tools.clock.elapsed() - begun), 0.0))
            if self._tools.clock.is_stopped():
                return self._ended(interrupted())

    def _try_pass(self) -> float:
        """Make one pass, or see that none is needed; gives how long to sleep then."""
        begun, before = self._tools.clock.elapsed(), self._last
        try:
            changed = self._pass()
        except (BatchctlError, OSError, MemoryError) as problem:
            error = exhausted(problem) or problem
            if isinstance(error, LockedError) and self._tools.clock.is_stopped():
                # The wait for the lock was broken off.
                return 0.0
            if problem is self._unread and self._last is not None and isinstance(error, BatchctlError):
                self._other_work = error
                return 0.0
            if not self._is_tried_again(error):
                raise error from (None if error is problem else problem)
            self._warnings.warn(_SUBJECT, f"{error}; trying again")
            # A glance could not tell whether what failed works again.
            self._quick_checks = MAX_QUICK_CHECKS
            return self._interval.after_failure()
        self._warnings.resolved(_SUBJECT, "a pass could be made again")
        assert self._last is not None
        since = begun if self._last is before else self._last.rested
        return self._interval.after(self._last, self._pending, since, self._tools.clock.elapsed(), changed=changed)

    def _is_tried_again(self, error: BatchctlError | OSError | MemoryError) -> bool:
        if self._until.forever:
            # Consent that was refused is no mishap, and there is no last good set before the first reading.
            return self._unread is None and not isinstance(error, GuardError)
        return self._last is not None and isinstance(error, LockedError)

    def _pass(self) -> bool:
        """Make one pass; gives whether it brought news."""
        tools, last = self._tools, self._last
        if last is None:
            done = run_pass(self._read, tools, self._approve, left=self._left(), is_followed=self._until.goes_on)
            self._take(done, first_report(done))
            return True
        version = tools.state.version()
        if last.version.lineage and version.lineage != last.version.lineage:
            message = "the state is not the one that this process began with"
            hint = "put the state file back; if the other one is meant, start again"
            raise StateError(message, code=ErrorCode.STATE_REPLACED, hint=hint)
        if self._until.ended and self._quick_checks < MAX_QUICK_CHECKS and self._is_unchanged(last, version):
            self._quick_checks += 1
            return False
        self._quick_checks = 0
        # An order is given once, and then followed like any other decision.
        self._options = replace(self._options, retry=False, rerun=not_rerun(self._options.rerun, last))
        if not self._until.forever:
            self._options = replace(self._options, bought=self._options.bought | creates_of(last.plan))
        only = None if self._until.ended else frozenset(job.job for job in self._pending)
        like = () if self._desired is None else self._desired.jobs
        done = run_pass(self._read, tools, only=only, left=self._left(), is_followed=self._until.goes_on, like=like)
        assert self._report is not None
        before, merged = self._report.last, merge(self._report, done, whole=self._until.ended)
        self._is_first = False
        if self._until.forever:  # after weeks, the first pass does not matter any more
            merged = replace(merged, plan=done.plan, outcomes=done.outcomes)
        self._take(done, merged)
        return has_changed(before, merged.last)

    def _is_unchanged(self, last: PassReport, version: StateVersion) -> bool:
        """Whether neither the jobs nor the manifests have changed.

        A pass reads the manifests again. Two readings in one turn are no two readings of what is gone, so they are
        read here only where no pass follows, unless they have changed already.
        """
        assert self._desired is not None
        limits = self._desired.stack.limits
        return is_unchanged(last, version, limits, self._tools) and (
            self._is_followed() or self._reading() == self._followed
        )

    def _is_followed(self) -> bool:
        """Whether the last pass followed the manifests that are there, as a glance at them shows."""
        is_current = self._desired is self._followed and (self._good is None or self._good.is_current)
        return is_current and self._around.glance()

    def _read(self, recorded: Recorded) -> Asked:
        """The work of the pass that holds the lock."""
        desired, before = self._reading(), self._tools.opened if self._desired is None else self._desired.stack
        self._tools.follow(desired.stack, before, retry=self._until.forever)
        self._desired = desired
        left = self._last.after.recorded if self._last is not None else None
        if self._good is None or self._good.may_act(recorded, left):
            return Asked(desired, self._options)
        unmoved = replace(desired, stack=replace(desired.stack, moved=()))
        return Asked(unmoved, replace(self._options, consent=False), follows=True)

    def _reading(self) -> DesiredStack:
        try:
            return self._reload()
        except (BatchctlError, OSError, MemoryError) as problem:
            if self._desired is None or not self._until.forever:
                self._unread = problem
            raise

    def _take(self, done: PassReport, report: DriveReport) -> None:
        """Note what a pass found."""
        if self._last is not None or self._until.forever:
            for account, fault in done.errors.items():
                self._warnings.warn(str(account), f"{account}: {fault.message}")
        for account in done.accounts - done.errors.keys():
            self._warnings.resolved(str(account), f"{account}: it can be read again")
        self._failures.report(done.outcomes)
        self._patience = self._patience.after(done.outcomes, done.errors)
        self._last, self._report, self._followed = done, report, self._desired
        facts = report.outcomes, report.errors, report.unanswered, report.unsent
        end = PassEnd(report.last.jobs, *facts, self._patience)
        self._pending = find_pending(end) if self._until.ended else find_unsettled(end)
        if self._until.ended and self._pending and have_been_collected(self._pending, done):
            # The plan was made before their results came: without them nothing may be left to wait for.
            after = done.after.next_plan
            self._pending = find_pending(PassEnd(after.jobs, {}, *facts[1:], self._patience))
            if not self._pending:
                self._report = replace(report, last=after)
        phases = self._until.phases
        # What it was in before the pass counts, and what the pass has brought it to.
        shown = (*done.plan.jobs, *done.after.next_plan.jobs) if phases else ()
        self._reached |= {job.job for job in shown if job.job in phases and has_come_to(job, phases[job.job])}
        self._around.witness(done)

    def _is_over(self) -> bool:
        """Whether nothing more is waited for."""
        if self._until.forever or self._last is None:
            return False
        if self._until.once or (self._is_first and saw_nothing(self._last)):
            return True
        if (wait_left := self._wait_left()) is not None and wait_left <= 0:
            # A create call that was sent again may need another grace: a later run waits for that.
            return True
        awaited = self._until.phases.keys() - self._reached
        if self._until.phases:
            return not any(job.job in awaited for job in self._pending)
        return not self._pending

    def _sleep(self, seconds: float) -> None:
        begin = self._tools.clock.elapsed()
        self._around.pausing(seconds)
        self._tools.clock.sleep(max(seconds - (self._tools.clock.elapsed() - begin), 0.0))
        if not self._is_first:
            self._waited += self._tools.clock.elapsed() - begin

    def _wait_left(self) -> float | None:
        """Seconds that may still be slept in all; None where there is no such bound.

        A command that makes one pass waits for what is to be settled, but no longer than one grace.
        """
        if self._until.ended or self._until.forever or self._desired is None:
            return None
        return self._desired.stack.limits.settle_grace.total_seconds() - self._waited

    def _left(self) -> float | None:
        """Seconds until the time is up; None when it never is."""
        timeout = self._until.timeout
        return None if timeout is None else timeout.total_seconds() - (self._tools.clock.elapsed() - self._start)

    def _ended(self, why: BatchctlError | None) -> DriveReport:
        report = self._report or no_report(self._tools.opened)
        if self._last is not None and not (self._options.cancel or self._options.retry):
            # After an order, what the next pass decides is asked without it.
            report = replace(report, next_plan=self._last.after.next_plan)
        missed = tuple(sorted(self._until.phases.keys() - self._reached)) if self._until.phases else None
        return replace(report, stopped=why, missed=missed)
