"""One run of a rehearsal: the stack is driven to its end by the engine that drives the real one."""

from __future__ import annotations

import string
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

from msgspec import Struct

from batchctl.cli.rehearsal.clock import MovedClock
from batchctl.cli.rehearsal.copies import Beginning
from batchctl.cli.rehearsal.manifests import Manifests
from batchctl.cli.rehearsal.stand_ins import stand_ins
from batchctl.cli.rehearsal.weather import Sky, faults, rules, settings
from batchctl.cli.rehearsal.world import EmulatedAccounts
from batchctl.engine.loop.drive import Around, Until, drive
from batchctl.engine.loop.report import DriveReport
from batchctl.engine.passes import PassReport
from batchctl.engine.providers import Providers
from batchctl.engine.tools import Tools
from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredStack
from batchctl.model.errors import BatchctlError
from batchctl.model.history import History
from batchctl.model.keys import TOKEN_LENGTH, short_uid
from batchctl.model.notices import Hook, Notice
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.model.rehearsal import BreakKind, JobRun, Run
from batchctl.model.states import ENDED_PHASES, FAILED_PHASES, Phase
from batchctl.reconcile import Options
from batchctl.report.progress import QuietProgress
from batchctl.rows.encode import RowEncoder
from batchctl.rows.local_place import LocalPlace
from batchctl.state.store import FileState, open_state

_LETTERS = string.ascii_lowercase + string.digits
_WHO = "rehearsal"


class Stage(Struct, frozen=True):
    """Everything that all runs of a rehearsal have in common."""

    manifests: Manifests
    options: Options
    recorded: Recorded
    beginning: Beginning
    history: History
    start: datetime
    horizon: float
    """The seconds after which a run ends."""


class _Silent(QuietProgress):
    """Says nothing, and lets the clock go on to the next event between two passes."""

    def __init__(self, run: _OneRun) -> None:
        super().__init__(sys.stderr)
        self._run = run

    def warn(self, message: str) -> None:
        """The faults of the weather are expected."""

    def waiting(self, jobs: Iterable[JobPlan], seconds: float) -> None:  # noqa: ARG002 - the run knows them
        self._run.clock.skip_next(self._run.next_event)


class _NoHooks:
    """Implements `Notifier`: a rehearsal sends no notification."""

    def send(self, hook: Hook, notice: Notice) -> None:
        """Nothing is sent."""

    def check(self, hook: Hook) -> None:
        """Nothing would be sent."""


def rehearse_once(stage: Stage, sky: Sky, folder: Path) -> Run:
    """Drive the stack to its end in an empty folder. Raises BatchctlError for a stack that cannot be driven."""
    return _OneRun(stage, sky, folder).run()


class _OneRun:
    """One run."""

    def __init__(self, stage: Stage, sky: Sky, folder: Path) -> None:
        self._stage = stage
        self._sky = sky
        self._folder = folder
        self.clock = MovedClock(stage.start)
        self._passes = 0
        self._first: Plan | None = None
        self._last: PassReport | None = None
        dice = Random(f"{sky.seed} {sky.weather}")  # noqa: S311 - tokens of a rehearsal are no secrets
        self._desired = stage.manifests.begin(folder)
        self._accounts = EmulatedAccounts(self._desired.stack, folder, self.clock, dice)
        self._dice = dice
        self._needs_starts = any(job.lifecycle.active_deadline is not None for job in self._desired.jobs)

    def run(self) -> Run:
        """The run, from its first pass to its end."""
        self._prepare()
        tools = self._tools()
        until = Until(ended=True, timeout=timedelta(seconds=self._stage.horizon))
        try:
            around = Around(self._reload, glance=lambda: True, witness=self._saw)
            report = drive(around, self._stage.options, until, tools)
            return self._outcome(report, tools.state.load())
        finally:
            tools.providers.close()
            self._accounts.close()

    def _prepare(self) -> None:
        """Make the services, and write the record of the beginning."""
        stage, desired = self._stage, self._desired
        for account in sorted({*desired.accounts, *(job.account for job in desired.jobs)}):
            jobs = [job for job in desired.jobs if job.account == account]
            seed = {**stand_ins(account, desired, stage.recorded).seed, "settings": settings(jobs, self._sky)}
            given = rules(desired.stack.name, jobs, stage.history, stage.beginning.again, self._sky)
            try:
                self._accounts.prepare(account, seed, given, faults(self._sky))
            except ValueError as error:
                message = f"{account} cannot be rehearsed: {error}"
                hint = "a rehearsal needs names of buckets and tables that the service would accept"
                raise BatchctlError(message, code=ErrorCode.EMULATOR_FAILED, hint=hint) from error
        if stage.beginning.writes:
            with self._state().lock() as session:
                session.commit(stage.beginning.writes)

    def _state(self) -> FileState:
        stack = self._desired.stack
        assert isinstance(stack.state, Path)
        return open_state(stack.state, stack=stack.name, uid=stack.uid, clock=self.clock, who=_WHO)

    def _tools(self) -> Tools:
        stack = self._desired.stack
        assert isinstance(stack.results, Path)
        results, providers = LocalPlace(stack.results), Providers(self._accounts)
        inputs = RowEncoder(stack.limits.line_bytes, results=results, providers=providers.get)
        return Tools(
            self._state(),
            providers,
            inputs,
            results.store,
            _NoHooks(),
            self.clock,
            _Silent(self),
            token=lambda: "".join(self._dice.choice(_LETTERS) for _ in range(TOKEN_LENGTH)),
            random=self._dice.random,
            shelf=results.shelf,
            ledger=results.ledger(short_uid(stack.uid), inputs),
            opened=stack,
        )

    def _reload(self) -> DesiredStack:
        return self._stage.manifests.read()

    def _saw(self, done: PassReport) -> None:
        self._passes += 1
        self._first = self._first or done.plan
        self._last = done
        self._stage.manifests.collected(done.after.recorded)

    def next_event(self) -> float | None:
        """Seconds until anything happens: a job starts or ends, or a decision falls due."""
        event, last = self._accounts.next_event(starts=self._needs_starts), self._last
        due = None if last is None else last.timing.due_in(last.plan.jobs, self.clock.elapsed())
        found = [one for one in (event, due) if one is not None and one > 0]
        return min(found) if found else None

    def _outcome(self, report: DriveReport, recorded: Recorded) -> Run:
        jobs = tuple(_job_run(job, self._bought(recorded.jobs.get(job.job))) for job in report.next_plan.jobs)
        is_over = report.stopped is None
        low, high = _cost(self._first or report.plan, jobs)
        return Run(
            self._sky.weather,
            self._sky.seed,
            self._length(recorded) if is_over else None,
            jobs,
            low,
            high,
            self._accounts.calls(),
            self._passes,
        )

    def _length(self, recorded: Recorded) -> float:
        """Seconds until the last attempt ended. A watcher that looks often collects it right after that."""
        attempts = (one for job in recorded.jobs.values() for one in self._bought(job))
        ends = [one.end_time for one in attempts if one.end_time is not None]
        return max(0.0, (max(ends, default=self._stage.start) - self._stage.start).total_seconds())

    def _bought(self, record: RecordedJob | None) -> list[RecordedAttempt]:
        """The attempts of a job that this run has bought."""
        over = self._stage.beginning.over
        return [
            one for one in (() if record is None else record.attempts) if one.remote is not None and one.key not in over
        ]


def _job_run(job: JobPlan, attempts: Sequence[RecordedAttempt]) -> JobRun:
    """One job with the attempts that were bought."""
    bought = len({one.key.attempt for one in attempts})
    is_killed = any(one.cancel_cause is CancelCause.DEADLINE for one in attempts)
    breaks = set(_breaks(job, bought, is_killed=is_killed))
    return JobRun(job.job, job.phase, _words(job, attempts), bought, frozenset(breaks))


def _words(job: JobPlan, attempts: Iterable[RecordedAttempt]) -> str:
    """The reason, without the names of emulated jobs: they are made up, and others each time."""
    words = job.reason if job.guard is None else f"{job.guard.message} ({job.guard.way_out})"
    for one in attempts:
        if one.remote is not None:
            words = words.replace(one.remote.rpartition("/")[2], "…")
    return words


def _breaks(job: JobPlan, bought: int, *, is_killed: bool) -> Iterator[BreakKind]:
    if job.phase in FAILED_PHASES:
        yield BreakKind.FAILED
    elif job.guard is not None or job.phase is Phase.BLOCKED:
        yield BreakKind.HELD
    elif job.phase not in ENDED_PHASES:
        yield BreakKind.UNFINISHED
    if is_killed:
        yield BreakKind.DEADLINE
    if bought > 1:
        yield BreakKind.RETRIED


def _cost(plan: Plan, jobs: Iterable[JobRun]) -> tuple[Decimal | None, Decimal | None]:
    """The estimates of the jobs, each as often as it was bought; None if one of them is not known."""
    estimates = {job.job: job.cost.estimate for job in plan.jobs if job.cost is not None}
    low: Decimal | None = Decimal(0)
    high: Decimal | None = Decimal(0)
    for job in jobs:
        if not job.attempts:
            continue
        estimate = estimates.get(job.job)
        money = None if estimate is None else estimate.money
        low = None if low is None or money is None or money.low is None else low + money.low * job.attempts
        high = None if high is None or money is None or money.high is None else high + money.high * job.attempts
    return low, high
