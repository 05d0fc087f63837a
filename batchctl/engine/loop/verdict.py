"""The verdict on a run: why it does not end with 0, in a few short errors.

The exit code and the last words of a command both come from here, so they cannot disagree. How single actions ended
is in the report; here they are counted, and the first few are named.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from batchctl.engine.loop.report import DriveReport
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError, GuardError, JobsFailedError, NotYetError, SeveralError
from batchctl.model.outcome import Outcome, Result
from batchctl.model.plan import JobPlan
from batchctl.model.reasons import Reason
from batchctl.model.states import Phase

NAMED = 3
"""The number of jobs that one error names; the others are counted."""


class Measure(Struct, frozen=True):
    """The measure of a verdict, besides the errors of the run itself."""

    jobs: bool = False
    """Whether the phases of the jobs count, as with `apply` and `watch`; else only the actions of the run."""
    waited: bool = False
    """Whether the run waits for the end of its jobs: a job that a person cancelled is then an error."""
    allow_failed: bool = False
    """Jobs that did not succeed are no error."""
    settled: bool = True
    """Every create call has to have an answer."""


def find_verdict(report: DriveReport, measure: Measure) -> tuple[BatchctlError, ...]:
    """The errors of a run, in no order."""
    return tuple(_verdict(report, measure))


def _verdict(report: DriveReport, measure: Measure) -> Iterator[BatchctlError]:
    yield from report.errors.values()
    # A refused create call counts by the phase that it leaves: in this run as in every later one.
    reported = {job.job for job in report.next_plan.jobs if measure.jobs and job.phase is Phase.REJECTED}
    reported |= _explained(report)
    yield from _of_outcomes(outcome for name, outcome in report.outcomes.items() if name not in reported)
    if report.missed and report.stopped is None:
        yield _missed(report.missed)
    failed = [job for job in report.failed_jobs if measure.waited or job.code is not Reason.CANCEL_ORDERED]
    if measure.jobs and not measure.allow_failed and report.missed is None and failed:
        yield _jobs_failed(failed)
    reported |= {name for name, outcome in report.outcomes.items() if outcome.error is not None}
    unsettled = [job.job for job in report.next_plan.jobs if job.job in report.unanswered - reported]
    if report.stopped is not None:
        yield report.stopped
    elif measure.settled and unsettled:
        yield _unsettled(unsettled)


def _explained(report: DriveReport) -> set[str]:
    """The jobs that only wait for an account to be read. The error of that account is the cause, with the way out.

    Their reasons end with the words of the account's error.
    """
    if not report.errors:
        return set()
    causes = tuple(error.message for error in report.errors.values())
    unseen = {job.job for job in report.last.jobs if job.code is Reason.UNSEEN and job.reason.endswith(causes)}
    return {name for name in unseen if name in report.outcomes and report.outcomes[name].result is Result.PENDING}


def _of_outcomes(outcomes: Iterable[Outcome]) -> Iterator[BatchctlError]:
    by_exit_code: dict[int, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.error is not None:
            by_exit_code[outcome.error.exit_code].append(outcome)
    for exit_code, found in by_exit_code.items():
        yield _sum_up(exit_code, found)


def _sum_up(exit_code: int, outcomes: Sequence[Outcome]) -> BatchctlError:
    """One error for all actions that end with one exit code."""
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    # In the order of their names, not of their ends.
    names = _name_some(sorted(outcome.job for outcome in outcomes))
    messages, codes = {error.message for error in errors}, {error.code for error in errors}
    hints = list(dict.fromkeys(error.hint for error in errors if error.hint))
    hint = "; ".join(hints[:NAMED])
    code = codes.pop() if len(codes) == 1 else None
    if len(messages) == 1:
        words = messages.pop()
        message = words if len(outcomes) == 1 and _says(words, names) else f"{names}: {words}"
    else:
        what = {GuardError.exit_code: "were refused", NotYetError.exit_code: "could not be done yet"}
        message = f"{len(outcomes)} actions {what.get(exit_code, 'failed')}, see above: {names}"
    return SeveralError(message, exit_code=exit_code, code=code, hint=hint)


def _says(words: str, name: str) -> bool:
    """Whether a message begins with a job's name."""
    return words.startswith((f"{name} ", f"{name}: "))


def _jobs_failed(jobs: Sequence[JobPlan]) -> BatchctlError:
    """That jobs of the scope failed."""
    names = _name_some(f"{job.job} ({job.phase})" for job in jobs)
    words = f"{len(jobs)} jobs" if len(jobs) > 1 else "1 job"
    hint = f"`batchctl explain {jobs[0].job}` shows why; with --allow-failed the exit code is 0"
    return JobsFailedError(f"{words} did not succeed: {names}", hint=hint)


def _missed(names: Sequence[str]) -> BatchctlError:
    words = "are not in the phases" if len(names) > 1 else "is not in the phase"
    message = f"{_name_some(names)} {words} that --until names, and will not come there by waiting"
    return JobsFailedError(message, hint=f"`batchctl explain {names[0]}` shows why")


def _unsettled(names: Sequence[str]) -> BatchctlError:
    message = f"the answer to a create call is not known yet: {_name_some(names)}"
    hint = "`batchctl apply` or `watch` continues to look for its remote job; nothing is bought twice"
    return NotYetError(message, code=ErrorCode.NOT_YET, hint=hint)


def _name_some(names: Iterable[str]) -> str:
    """The first few names, and how many more there are."""
    every = list(names)
    more = len(every) - NAMED
    return ", ".join(every[:NAMED]) + (f" and {more} more" if more > 0 else "")
