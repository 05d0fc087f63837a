"""A look at single jobs in place of a whole pass, while nothing is to be decided.

It takes no lock, writes nothing and decides nothing: it only shows whether a pass is needed.
"""

from __future__ import annotations

from batchctl.engine.passes import PassReport
from batchctl.engine.tools import Tools
from batchctl.engine.workers import Workers
from batchctl.model.allowance import Allowance
from batchctl.model.desired import Limits
from batchctl.model.errors import BatchctlError
from batchctl.model.recorded import Recorded, RecordedAttempt
from batchctl.reconcile import choose_gets

MAX_QUICK_CHECKS = 10
"""Consecutive quick checks before a complete pass, because only lists show drift."""


def is_unchanged(last: PassReport, recorded: Recorded, limits: Limits, tools: Tools) -> bool:
    """Whether nothing has happened since a pass, as far as single gets tell; False where a pass is the better look.

    `recorded` is the state now.
    """
    if recorded.serial != last.serial or last.errors:
        return False
    if any(moment <= tools.clock.elapsed() for moment in last.timing.due.values()):
        return False
    asked = choose_gets(last.plan, recorded, last.listed)
    if asked is None:
        return False
    if not asked:
        return True
    allowance = Allowance(limits.read_timeout.total_seconds())
    with Workers(max_workers=min(limits.concurrency, len(asked))) as pool:
        return all(pool.map(lambda attempt: _is_as_recorded(attempt, tools, allowance), asked))


def _is_as_recorded(attempt: RecordedAttempt, tools: Tools, allowance: Allowance) -> bool:
    assert attempt.remote is not None
    try:
        with allowance.holding():
            job = tools.providers.get(attempt.account).get_job(attempt.remote)
    except BatchctlError:
        # What it means is for a whole pass to tell.
        return False
    return job.state == attempt.state
