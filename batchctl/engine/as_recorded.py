"""The plan that the record alone gives: no account is asked.

For commands that only show: each remote job is taken to be as it was last seen, so phases are those of the record, and
the plan is what a pass would do if nothing has happened since. It is never carried out.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredStack
from batchctl.model.keys import Account, Mark, short_uid
from batchctl.model.observed import Missing, Observation, Observed, RemoteJob
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded
from batchctl.model.stack import Stack
from batchctl.reconcile import Options, Question


def plan_as_recorded(
    desired: DesiredStack, recorded: Recorded, now: datetime, options: Options, unread: Observed | None = None
) -> Plan:
    """The plan of a pass if each account were as the record has it. `now` is the time on the local clock.

    `unread`: looks that failed, and count in place of the record of their accounts.
    """
    observed = {**observed_as_recorded(desired, recorded, now), **(unread or {})}
    return Question(desired, recorded, observed, now, options, None).answer()


def observed_as_recorded(desired: DesiredStack, recorded: Recorded, now: datetime) -> Observed:
    """A look at every account that shows each recorded remote job as it was last seen."""
    jobs: dict[Account, list[RemoteJob]] = defaultdict(list)
    missed: dict[Account, dict[str, Missing]] = defaultdict(dict)
    accounts = {job.account for job in desired.jobs} | set(desired.accounts)
    for job in recorded.jobs.values():
        for attempt in job.attempts:
            accounts.add(attempt.account)
            if attempt.remote is None or attempt.is_gone:
                continue
            if attempt.missed is not None:
                words = "the last look did not find it"
                missed[attempt.account][attempt.remote] = Missing(words, attempt.missed, now)
            else:
                jobs[attempt.account].append(_as_last_seen(attempt, attempt.remote, desired.stack))
    return {
        account: Observation(
            account,
            now,
            tuple(jobs[account]),
            checked=missed[account],
            lists_foreign=False,
            identity=recorded.identities.get(account, ""),
        )
        for account in sorted(accounts)
    }


def _as_last_seen(attempt: RecordedAttempt, remote: str, stack: Stack) -> RemoteJob:
    mark = Mark(stack.name, short_uid(stack.uid), attempt.key, attempt.digest, attempt.token)
    return RemoteJob(
        remote,
        attempt.account,
        "",
        mark,
        attempt.state or "",
        model=str(attempt.tree.get("model") or ""),
        create_time=attempt.create_time,
        start_time=attempt.start_time,
        end_time=attempt.end_time,
        rows=attempt.rows,
        error=attempt.error,
    )
