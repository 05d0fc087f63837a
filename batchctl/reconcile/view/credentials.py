"""Whether the credentials of this pass see the same jobs as those before (design section 5).

On the Gemini API a key stands for a project, and no reply names it. A key of another project shows a complete list
without any of our jobs, and answers 403 or 404 for each: were that taken for their absence, all would be lost at once.
So a new key counts as the old one's successor once it shows a job that is recorded, and until then for nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.keys import Account
from batchctl.model.observed import Observation, Observed, Present, RemoteJob
from batchctl.model.recorded import Recorded, RecordedJob


def find_strangers(recorded: Recorded, observed: Observed) -> dict[Account, str]:
    """The accounts that are seen through other credentials, which show no recorded job, each with what is wrong."""
    found: dict[Account, str] = {}
    if not any(_is_changed(recorded, look) for look in observed.values()):
        return found
    expected = _expected(recorded.jobs.values())
    awaited = _expected(job for job in recorded.jobs.values() if not job.row.released_time)
    for account, look in sorted(observed.items()):
        missed = awaited.get(account, [])
        # A released job is not missed, and still shows whose list this is.
        if look.complete and missed and _is_changed(recorded, look) and not _shows_any(look, expected[account]):
            number = f"the {len(missed)} recorded jobs" if len(missed) > 1 else "the recorded job"
            found[account] = f"the key has changed, and the new one does not show {number} of {account}"
    return found


def without_strangers(recorded: Recorded, observed: Observed) -> Observed:
    """The observations, in which jobs that other credentials do not show are unknown, not gone."""
    strangers = find_strangers(recorded, observed)
    if not strangers:
        return observed
    return {
        account: replace(look, jobs=(), checked={}, complete=False, problem=strangers[account])
        if account in strangers
        else look
        for account, look in observed.items()
    }


def new_identities(recorded: Recorded, observed: Observed) -> dict[Account, str]:
    """The identities to write down, given what counts of the looks (see `without_strangers`)."""
    return {
        account: look.identity
        for account, look in sorted(observed.items())
        if look.complete and look.identity and look.identity != recorded.identities.get(account)
    }


def _is_changed(recorded: Recorded, look: Observation) -> bool:
    before = recorded.identities.get(look.account, "")
    return "" not in (before, look.identity) and look.identity != before


def _expected(jobs: Iterable[RecordedJob]) -> Mapping[Account, list[RecordedAttempt]]:
    """The attempts that each account should show: with a remote job, or a create call that may have made one."""
    found: dict[Account, list[RecordedAttempt]] = defaultdict(list)
    for job in jobs:
        for attempt in job.attempts:
            if not attempt.is_gone and (attempt.remote or attempt.intent):
                found[attempt.account].append(attempt)
    return found


def _shows_any(look: Observation, expected: Sequence[RecordedAttempt]) -> bool:
    names = {attempt.remote for attempt in expected}
    tokens = {attempt.token for attempt in expected if attempt.token}
    return any(job.name in names or (job.mark and job.mark.token in tokens) for job in _shown(look))


def _shown(look: Observation) -> Iterator[RemoteJob]:
    yield from look.jobs
    checked: Mapping[str, object] = look.checked
    yield from (there.job for there in checked.values() if isinstance(there, Present))
