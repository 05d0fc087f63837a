"""Look once at every account of the stack or of a recorded job. A failed look is a value, never a guess."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from batchctl.engine.shared_values import with_recorded_values
from batchctl.engine.side_by_side import SideBySide
from batchctl.engine.tools import Tools
from batchctl.model.allowance import Allowance
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredStack
from batchctl.model.errors import ApiError, BatchctlError, ManifestError, NotFound
from batchctl.model.exhaustion import raise_if_exhausted
from batchctl.model.keys import Account
from batchctl.model.locations import Diagnostic, Location
from batchctl.model.observed import TOLERATED_OFFSET, Gone, Observation, Observed, Presence, Present, Unknown
from batchctl.model.recorded import Recorded
from batchctl.reconcile import find_strangers

if TYPE_CHECKING:  # protocols are for type checkers
    from batchctl.model.ports.providers import Provider

_OTHER_KEY_HINT = (
    "set the key of the project that the jobs are in; if they are all gone, or the key is right:"
    " `batchctl state rebind --all --to PROVIDER`"
)


class Look(Struct, frozen=True):
    """The accounts as one pass saw them, and the errors of those that it could not read."""

    observed: Observed
    errors: Mapping[Account, BatchctlError]
    """Of accounts that a job needs. Another one that cannot be read is incomplete in `observed`, and holds nothing
    back."""


def observe(
    desired: DesiredStack,
    recorded: Recorded,
    tools: Tools,
    *,
    foreign: bool = False,
    also: Iterable[Account] = (),
    seconds: float | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> Look:
    """Look at all accounts side by side. What cannot be read is incomplete, with its error.

    Also where no job is desired or recorded: a state that was lost knows no account, and what it forgot there would be
    bought again elsewhere. `foreign` asks for other people's jobs too, where they cost more; `also` names further
    accounts that are needed. All accounts together take no longer than `limits.readTimeout`, or `seconds` if that is
    less: what was not read by then is incomplete. `meanwhile` is called while the lists are on their way.

    Raises ExhaustedError when the machine had no room for the look: that says nothing about any account.
    """
    wanted = {job.account for job in desired.jobs} | set(also)
    known = _expected_jobs(recorded)
    to_adopt = _to_adopt(desired, recorded)
    accounts = sorted(wanted | known.keys() | desired.accounts)
    observed: dict[Account, Observation] = {}
    errors: dict[Account, BatchctlError] = {}
    looks_failed: dict[Account, BatchctlError | None] = {}
    longest = desired.stack.limits.read_timeout.total_seconds()
    allowance = Allowance(longest if seconds is None else min(longest, seconds))
    if meanwhile is not None and len(accounts) == 1:
        # Its modules would be loaded on the thread of the call, beside what is done meanwhile, and delay the call. An
        # error is met again there.
        with allowance.holding(), suppress(BatchctlError):
            tools.providers.get(accounts[0])
    with SideBySide(desired.stack.limits.concurrency) as calls:
        looks = calls.map(
            lambda account: _list(account, known.get(account, {}), tools, allowance, foreign=foreign), accounts
        )
        if meanwhile is not None:
            meanwhile()
        for account, (observation, error) in zip(accounts, looks, strict=True):
            looks_failed[account] = error
            if error is not None and account in wanted:
                errors[account] = error
            elif error is not None and account in known:
                errors[account] = _unreachable(account, desired, recorded, error)
            expected: AbstractSet[str] = known.get(account, {}).keys()
            if not observation.lists_foreign:
                expected = expected | to_adopt.get(account, set())
            observed[account] = _check_missing(observation, expected, tools, calls, allowance)
    _raise_if_exhausted(looks_failed)
    for account, problem in find_strangers(recorded, observed).items():
        errors[account] = BatchctlError(problem, code=ErrorCode.OTHER_KEY, hint=_OTHER_KEY_HINT)
    return Look(observed, errors)


def _raise_if_exhausted(looks: Mapping[Account, BatchctlError | None]) -> None:
    for error in looks.values():
        if error is not None:
            raise_if_exhausted(error)


def _expected_jobs(recorded: Recorded) -> dict[Account, dict[str, RecordedAttempt]]:
    """The attempts whose remote jobs the state expects to be there, by account and remote name."""
    found: dict[Account, dict[str, RecordedAttempt]] = {}
    for job in recorded.jobs.values():
        if job.row.released_time is not None:
            continue
        for attempt in job.attempts:
            if attempt.is_gone:
                continue
            expected = found.setdefault(attempt.account, {})
            if attempt.remote:
                expected[attempt.remote] = attempt
    return found


def _to_adopt(desired: DesiredStack, recorded: Recorded) -> dict[Account, set[str]]:
    """The jobs that were created manually and that manifests import: without a mark, lists of our jobs lack them."""
    found: dict[Account, set[str]] = {}
    for job in desired.jobs:
        if job.adopt and job.name not in recorded.jobs:
            found.setdefault(job.account, set()).add(job.adopt)
    return found


def _list(
    account: Account, known: Mapping[str, RecordedAttempt], tools: Tools, allowance: Allowance, *, foreign: bool
) -> tuple[Observation, BatchctlError | None]:
    with allowance.holding():
        return _look_at(account, known, tools, foreign=foreign)


def _look_at(
    account: Account, known: Mapping[str, RecordedAttempt], tools: Tools, *, foreign: bool
) -> tuple[Observation, BatchctlError | None]:
    begun = tools.clock.elapsed()
    try:
        provider = tools.providers.get(account)
        listed = provider.list_jobs(foreign=foreign)
        jobs = tuple([with_recorded_values(job, known[job.name]) if job.name in known else job for job in listed])
    except BatchctlError as error:
        return _failed(account, tools.clock.now(), error), error
    lists_foreign = foreign or provider.lists_foreign
    _confirm_clock(provider, tools)
    took = timedelta(seconds=tools.clock.elapsed() - begun)
    observation = Observation(
        account, provider.now(), jobs, lists_foreign=lists_foreign, identity=provider.identity, took=took
    )
    _warn_of_offset(account, observation.now - tools.clock.now(), tools)
    return observation, None


def _confirm_clock(provider: Provider, tools: Tools) -> None:
    """Check a clock that jumped once more. If the check differs or fails, the jump does not count."""
    try:
        is_clear = provider.confirm_clock()
    except ApiError:
        is_clear = False
    if not is_clear:
        words = "a reply has a `Date` that no other reply confirms; deadlines and back-off use the earlier time"
        tools.warnings.warn(f"a doubtful clock of {provider.account}", f"{provider.account}: {words}")


def _warn_of_offset(account: Account, offset: timedelta, tools: Tools) -> None:
    """Warn, once in a process, where the local clock would mislead."""
    subject = f"the clock of {account}"
    if abs(offset) > TOLERATED_OFFSET:
        words = f"{subject} differs from this machine's by {round(offset.total_seconds())} s"
        message = f"{words}; ages, deadlines and back-off use the account's"
        tools.warnings.warn(subject, message, cause="offset")


def _failed(account: Account, now: datetime, error: BatchctlError) -> Observation:
    return Observation(account, now, complete=False, problem=error.message)


def _check_missing(
    observation: Observation, expected: AbstractSet[str], tools: Tools, calls: SideBySide, allowance: Allowance
) -> Observation:
    """Ask directly for every expected job that a complete list lacks."""
    missing = sorted(expected - {job.name for job in observation.jobs})
    if not observation.complete or not missing:
        return observation
    provider = tools.providers.get(observation.account)
    checked = dict(zip(missing, calls.map(lambda name: _get(provider, name, allowance), missing), strict=True))
    return replace(observation, checked=checked)


def _get(provider: Provider, name: str, allowance: Allowance) -> Presence:
    try:
        with allowance.holding():
            return Present(provider.get_job(name))
    except NotFound:
        return Gone()
    except ApiError as error:
        return Unknown(error.message)


def _unreachable(account: Account, desired: DesiredStack, recorded: Recorded, error: BatchctlError) -> BatchctlError:
    """The error for recorded jobs whose provider left the stack file and cannot be reached without it."""
    if isinstance(error, ApiError):
        return error
    jobs = sorted(
        name for name, job in recorded.jobs.items() if any(attempt.account == account for attempt in job.attempts)
    )
    message = f"{', '.join(jobs)}: recorded on {account}, which no provider of the stack names: {error.message}"
    hint = "put the provider back until these jobs are removed, or restore its credentials"
    place = Location(desired.stack.file.name)
    return ManifestError([Diagnostic(place, ErrorCode.PROVIDER_GONE, message, hint)])
