"""The end condition of a run of passes, and its report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from batchctl.engine.passes import PassReport
from batchctl.model.actions import Action
from batchctl.model.errors import BatchctlError, GuardError, StoppedError, TimeUpError
from batchctl.model.keys import Account, AttemptKey
from batchctl.model.outcome import Outcome, Result
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.stack import Stack
from batchctl.model.states import NO_GOOD_PHASES, Phase
from batchctl.model.steps import Create

_NAMED = 5
"""Jobs named in a message before it says that there are more."""
_WEIGHTS = (
    Action.NONE,
    Action.WAIT,
    Action.UPDATE,
    Action.COLLECT,
    Action.ADOPT,
    Action.FORGET,
    Action.CANCEL,
    Action.DELETE,
    Action.REUSE,
    Action.CREATE,
    Action.RETRY,
    Action.REPLACE,
)
"""All actions, by how much a person wants to know of them after a run that did several to one job."""


class Until(Struct, frozen=True):
    """When a run of passes ends."""

    ended: bool
    """When every job has ended; else as soon as no create call is left to settle."""
    timeout: timedelta | None = None
    once: bool = False
    forever: bool = False
    """Any error of a pass is shown, and the pass tried again; only a signal or the time limit ends the run."""
    phases: Mapping[str, Phase] = field(default_factory=dict)
    """By job: then it ends as soon as each of these has been in its phase, or will not come there any more."""

    @property
    def goes_on(self) -> bool:
        """Whether a pass is followed by another one as long as results are left to collect."""
        return self.ended and not self.once and not self.phases


class DriveReport(Struct, frozen=True):
    """The report of a run of passes."""

    plan: Plan
    """The complete run: for each job its most important action."""
    last: Plan
    """Of the last pass: what it decided."""
    next_plan: Plan
    """The plan that the next pass would make."""
    outcomes: Mapping[str, Outcome]
    """For each job of the plan, how its action ended."""
    errors: Mapping[Account, BatchctlError]
    """Accounts that the last pass could not read."""
    unanswered: frozenset[str] = frozenset()
    unsent: frozenset[str] = frozenset()
    """Jobs with a create call that has no answer at the end of the last pass."""
    stopped: BatchctlError | None = None
    """Why it ended early: a signal, or the time was up."""
    missed: tuple[str, ...] | None = None
    """Jobs that have not been in the phase that they were waited for; None where no phase was waited for."""

    @property
    def failed_jobs(self) -> tuple[JobPlan, ...]:
        """The jobs that have ended without success and are not tried again, and those that such a one blocks."""
        return tuple(job for job in self.next_plan.jobs if job.phase in NO_GOOD_PHASES and not job.action.buys)


Witness = Callable[[PassReport], None]
"""Is shown each pass at its end, on the engine's own thread: it must be quick and raise nothing."""


def no_report(opened: Stack | None) -> DriveReport:
    """The report of a run that could make no pass. `opened` is the stack as the command first read it."""
    assert opened is not None
    nothing = Plan(opened.name, ())
    return DriveReport(nothing, nothing, nothing, {}, {})


def first_report(done: PassReport) -> DriveReport:
    """The report of a run that has made one pass."""
    return DriveReport(done.plan, done.plan, done.plan, done.outcomes, done.errors, done.unanswered, done.unsent)


def saw_nothing(done: PassReport) -> bool:
    """Whether no account at all could be read: then the set-up is wrong, and waiting does not help."""
    return bool(done.errors) and done.accounts == done.errors.keys()


def merge(report: DriveReport, done: PassReport, *, whole: bool) -> DriveReport:
    """The report as a further pass leaves it."""
    refused = {job.job for job in done.plan.jobs if job.phase is Phase.REJECTED}
    outcomes = dict(done.outcomes)
    for name, first in report.outcomes.items():
        later = done.outcomes.get(name)
        if later is None:
            # Not planned about any more: what was pending, a removal, has come to its end.
            is_over = whole and first.result is Result.PENDING
            outcomes[name] = replace(first, result=Result.DONE) if is_over else first
        elif first.result is Result.DONE and not _is_news(later):
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
    return replace(
        report,
        plan=_add(report.plan, last),
        last=last,
        next_plan=last,
        outcomes=outcomes,
        errors=done.errors,
        unanswered=done.unanswered,
        unsent=done.unsent,
    )


def _is_news(later: Outcome) -> bool:
    """Whether an outcome says more of a job than that what was done before is still done."""
    return later.error is not None and not isinstance(later.error, GuardError)


def _add(run: Plan, last: Plan) -> Plan:
    """The plan of a run with one more pass."""
    jobs = {job.job: job for job in run.jobs}
    for later in last.jobs:
        jobs[later.job] = _weightier(jobs.get(later.job, later), later)
    drift = {(found.job, found.kind): found for found in (*run.drift, *last.drift)}
    return replace(last, jobs=tuple(jobs[name] for name in sorted(jobs)), drift=tuple(sorted(drift.values())))


def _weightier(before: JobPlan, later: JobPlan) -> JobPlan:
    """The decision that is reported, with the phase and attempt of the last pass."""
    if before.guard is later.guard is None and before.decision == later.decision:
        return replace(before, attempt=later.attempt)  # nearly all jobs
    is_over = before.guard is not None and later.guard is None
    if is_over or _weight(later) > _weight(before):
        return later
    return replace(before, decision=replace(before.decision, phase=later.phase), attempt=later.attempt)


def _weight(job: JobPlan) -> int:
    """A refused action was not done. An adoption is never refused, only what would follow from it."""
    is_refused = job.guard is not None and job.action is not Action.ADOPT
    return 0 if is_refused else _WEIGHTS.index(job.action)


def have_been_collected(jobs: Sequence[JobPlan], done: PassReport) -> bool:
    """Whether a pass has collected the results of all these jobs, and has delivered the news."""
    results = [(job.action, done.outcomes[job.job].result) for job in jobs if job.job in done.outcomes]
    is_whole = len(results) == len(jobs) and not done.undelivered
    return is_whole and set(results) == {(Action.COLLECT, Result.DONE)}


def as_left(jobs: Sequence[JobPlan], done: PassReport | None) -> Sequence[JobPlan]:
    """The jobs as the last pass has left them, if it tried to buy some: what it created is no longer waiting.

    Otherwise as planned: for a word in a log, no pass plans twice.
    """
    if done is None:
        return jobs
    tried = {name for name, outcome in done.outcomes.items() if outcome.result is not Result.SKIPPED}
    if not any(job.action.buys and job.job in tried for job in jobs):
        return jobs
    left = {job.job: job for job in done.after.next_plan.jobs}
    return [left.get(job.job, job) for job in jobs]


def not_rerun(names: frozenset[str], last: PassReport) -> frozenset[str]:
    """The jobs that are still to be bought again, by order: those whose new attempt could not start."""
    made = {attempt.key for job in last.after.recorded.jobs.values() for attempt in job.attempts}
    begun = {job.job for job in last.plan.jobs for step in job.steps if isinstance(step, Create) and step.key in made}
    return names - begun


def creates_of(plan: Plan) -> frozenset[AttemptKey]:
    """The attempts that a plan creates."""
    return frozenset(step.key for job in plan.jobs for step in job.steps if isinstance(step, Create))


def interrupted() -> BatchctlError:
    """The error of a run that a signal has ended."""
    return StoppedError("interrupted", hint="the state is consistent: run the same command again")


def time_up(pending: Sequence[JobPlan], until: Until) -> BatchctlError:
    """The error of a run that had no time for these jobs."""
    names = ", ".join(job.job for job in pending[:_NAMED]) + (" …" if len(pending) > _NAMED else "")
    what = "not ended yet" if until.ended else "not settled yet"
    words = f"time is up; {what}: {names}" if pending else "time is up"
    hint = "`batchctl watch` continues to wait" if until.ended else "a later run goes on with it"
    return TimeUpError(words, hint=hint)
