"""A job at another account: an account is part of the work, so trees and digests follow it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from msgspec.structs import replace

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.digests import account_parts, digest_of
from batchctl.model.json_value import Json
from batchctl.model.keys import Account
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.model.writes import SaveAttempt, SaveJob, Write


def attempt_at(attempt: RecordedAttempt, account: Account) -> RecordedAttempt:
    """The attempt as if it had been made at the account; where its work is not known, only the account changes."""
    if not attempt.tree:
        return replace(attempt, account=account)
    tree = _tree_at(attempt.tree, account)
    return replace(attempt, account=account, tree=tree, digest=digest_of(tree))


def at_own_accounts(job: RecordedJob) -> RecordedJob:
    """The job with the work of each attempt at the account that showed it."""
    attempts = (
        attempt_at(one, one.account) if one.tree and _tree_at(one.tree, one.account) != one.tree else one
        for one in job.attempts
    )
    return replace(job, attempts=tuple(attempts))


def bind_job(job: RecordedJob, provider: str, account: Account) -> Iterator[Write]:
    """The writes that bind a job and all of its attempts to an account."""
    yield SaveJob(replace(job.row, provider=provider, account=account))
    for attempt in attempts_elsewhere(job, account):
        yield SaveAttempt(attempt_at(attempt, account))


def attempts_elsewhere(job: RecordedJob, account: Account) -> tuple[RecordedAttempt, ...]:
    """The attempts of a job at other accounts."""
    return tuple(attempt for attempt in job.attempts if attempt.account != account)


def attempts_to_show(
    recorded: Recorded, names: Collection[str], account: Account, *, force: bool
) -> Iterator[RecordedAttempt]:
    """The attempts that an account has to show before the named jobs may be bound to it.

    Those of other jobs that are bound to it are among them: through credentials that do not show them they would count
    as gone. `force` is for the named jobs, never for those others.
    """
    for job in recorded.jobs.values():
        for attempt in job.attempts:
            is_bound = attempt.account == account and job.row.released_time is None
            concerned = not force if job.name in names else is_bound
            if concerned and not attempt.is_gone and (attempt.remote or attempt.intent):
                yield attempt


def _tree_at(tree: Mapping[str, Json], account: Account) -> dict[str, Json]:
    return {name: part for name, part in {**tree, **account_parts(account)}.items() if part != ""}
