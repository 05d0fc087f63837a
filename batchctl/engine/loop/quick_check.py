"""A look at single jobs, or at the lists, in place of a whole pass, while nothing is to be decided.

It takes no lock, writes nothing and decides nothing: it only shows whether a pass is needed.
"""

from __future__ import annotations

from batchctl.engine.passes import PassReport
from batchctl.engine.side_by_side import SideBySide
from batchctl.engine.tools import Tools
from batchctl.model.allowance import Allowance
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.errors import BatchctlError
from batchctl.model.observed import Observation
from batchctl.model.observing import PassKind, PassWork
from batchctl.model.recorded import StateVersion
from batchctl.model.stack import Limits
from batchctl.reconcile import choose_check

MAX_QUICK_CHECKS = 10
"""Consecutive quick checks before a complete pass."""


def is_unchanged(last: PassReport, version: StateVersion, limits: Limits, tools: Tools) -> bool:
    """Whether nothing has happened since a pass, as far as these calls tell; False where a pass is the better look.

    `version` is that of the state now.
    """
    # Without a commit, the record that the pass has left is the one that it found.
    if version != last.version or last.errors:
        return False
    if any(moment <= tools.clock.elapsed() for moment in last.timing.due.values()):
        return False
    check = choose_check(last.plan, last.after.recorded, last.list_calls)
    if check is None:
        return False
    allowance = Allowance(limits.read_timeout.total_seconds())
    with tools.activity.observing(PassWork(PassKind.QUICK_CHECK)), SideBySide(limits.concurrency) as calls:
        if check.lists:
            looks = last.after.observed.values()
            return all(calls.map(lambda look: _is_listed_again(look, tools, allowance), looks))
        return all(calls.map(lambda attempt: _is_as_recorded(attempt, tools, allowance), check.gets))


def _is_listed_again(look: Observation, tools: Tools, allowance: Allowance) -> bool:
    """Whether an account's list is what it was: the same jobs, in the same states."""
    try:
        with allowance.holding():
            provider = tools.providers.get(look.account)
            return tuple(provider.list_jobs(foreign=look.lists_foreign)) == look.jobs
    except BatchctlError:
        # A whole pass finds out what it means.
        return False


def _is_as_recorded(attempt: RecordedAttempt, tools: Tools, allowance: Allowance) -> bool:
    assert attempt.remote is not None
    try:
        with allowance.holding():
            job = tools.providers.get(attempt.account).get_job(attempt.remote)
    except BatchctlError:
        # A whole pass finds out what it means.
        return False
    return job.state == attempt.state
