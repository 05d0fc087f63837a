"""Looks in a row, for commands that follow jobs and do nothing: no lock is taken, and nothing is written.

Jobs move on only if `watch` or `apply` runs somewhere, or by what happens at the API.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from batchctl.engine.loop.phases import has_changed
from batchctl.engine.loop.polling import Interval, Pace
from batchctl.engine.loop.reloading import LastGood, Reload
from batchctl.engine.preview import Preview, preview
from batchctl.engine.tools import Tools
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.stack import Stack
from batchctl.reconcile import Options


class Looks:
    """Looks at the stack as it is: its manifests, its state and its accounts, each time all of them.

    Manifests that cannot be read any more are warned of, and the last good ones count.
    """

    def __init__(self, reload: Reload, options: Options, tools: Tools, timeout: float | None, pace: Pace) -> None:
        """`timeout` in seconds; None: no limit."""
        self._reload = LastGood(reload, tools.warnings, tools.opened, allow_empty=True)
        self._options = options
        self._tools = tools
        self._timeout = timeout
        self._interval = Interval(tools.random, pace)
        self._start = tools.clock.elapsed()
        self._stack: Stack | None = None
        self._seen: list[Preview] = []
        """The last two looks."""

    def look(self) -> Preview:
        """Look once. Raises StateError, and what the first reading of the manifests raises."""
        tools = self._tools
        desired = self._reload()
        tools.follow(desired.stack, self._stack or tools.opened, retry=True)
        self._stack = desired.stack
        seen = preview(desired, self._options, tools)
        self._warn(seen)
        self._seen = [*self._seen[-1:], seen]
        return seen

    def pause(self, waiting: Sequence[JobPlan]) -> bool:
        """Sleep until the next look; False if the time is up instead. `waiting`: the jobs that are waited for."""
        seconds, left = self._next_look(), self._left()
        if left is not None and left <= 0:
            return False
        self._tools.progress.waiting(waiting, seconds)
        self._tools.clock.sleep(seconds if left is None else min(seconds, left))
        return True

    def _next_look(self) -> float:
        *before, last = self._seen
        changed = not before or has_changed(before[0].plan, last.plan)
        return self._interval.next(changed=changed, due_in=None, youngest=_youngest(last.plan, self._tools.clock.now()))

    def _left(self) -> float | None:
        return None if self._timeout is None else self._timeout - (self._tools.clock.elapsed() - self._start)

    def _warn(self, seen: Preview) -> None:
        """Warn of accounts that cannot be read, and once more when they can be read again."""
        warnings, before = self._tools.warnings, self._seen[-1].errors if self._seen else {}
        for account, error in seen.errors.items():
            warnings.warn(str(account), f"{account}: {error.message}")
        for account in before.keys() - seen.errors.keys():
            warnings.resolved(str(account), f"{account}: it can be read again")


def _youngest(plan: Plan, now: datetime) -> float | None:
    """The age in seconds of the youngest active job, by the clock of its account."""
    active = [job.attempt for job in plan.jobs if job.attempt is not None and job.attempt.is_active]
    ages = [
        (plan.clocks.get(attempt.account, now) - attempt.create_time).total_seconds()
        for attempt in active
        if attempt.create_time is not None
    ]
    return max(0.0, min(ages)) if ages else None
