"""The events of a state that a command line selects, and those that come later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from random import SystemRandom

from batchctl.cli.job_selection import JobSelection, warn_of_empty_scope
from batchctl.cli.state.opening import Opened
from batchctl.engine.loop.polling import Interval, Pace
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError
from batchctl.model.events import Event
from batchctl.model.suggest import did_you_mean
from batchctl.reconcile import names_in_scope
from batchctl.state.writes import EVENTS_KEPT

_PACE = Pace(1.0, 10.0)
"""Between two looks into the state; a look at a shared one is a request."""


class EventFeed:
    """Gives events once each. Raises StateError from every method that looks."""

    def __init__(self, opened: Opened, selection: JobSelection, start: datetime | None) -> None:
        self._opened = opened
        self._selection = selection
        self._start = start
        self._interval = Interval(SystemRandom().random, _PACE)
        self._last: Sequence[Event] | None = None
        """All events of the last look."""
        self._has_news = False

    @property
    def stack(self) -> str:
        """The name of the stack."""
        return self._opened.stack.name

    def new(self) -> list[Event]:
        """The events since the last look, oldest first; at first all. Raises BatchctlError for an unknown name."""
        now = self._opened.state.events(None, EVENTS_KEPT)
        is_first, added = self._last is None, now if self._last is None else _added(self._last, now)
        self._last, self._has_news = now, bool(added)
        if is_first:
            self._check(now)
        found = [event for event in added if self._start is None or event.time >= self._start]
        if self._selection.is_empty or not found:
            return found
        selected = self._selected()
        return [event for event in found if event.job in selected]

    def pause(self) -> None:
        """Sleep until the next look: longer and longer while there is nothing new."""
        self._opened.clock.sleep(self._interval.next(changed=self._has_news, due_in=None, youngest=None))

    def _check(self, events: Sequence[Event]) -> None:
        """Raise for a name that neither the record nor an event has, and warn of -f and -l that match nothing."""
        recorded = self._opened.state.load()
        known = recorded.jobs.keys() | {event.job for event in events}
        for name in self._selection.names:
            if name not in known:
                hint = did_you_mean(name, sorted(known), "`batchctl state list` lists the recorded jobs")
                raise BatchctlError(f"there is no event of a job {name}", code=ErrorCode.JOB_NOT_FOUND, hint=hint)
        warn_of_empty_scope(self._selection, self._opened.stack, (), recorded)

    def _selected(self) -> set[str]:
        """The selected jobs: by name alone the removed ones too, which have left events behind."""
        selection = self._selection
        if not selection.filenames and selection.selector is None:
            return {*selection.names}
        return names_in_scope(selection.scope(self._opened.stack), {}, self._opened.state.load())


def _added(before: Sequence[Event], now: Sequence[Event]) -> Sequence[Event]:
    """The events that came after those of the last look: history grows at its end, and is cut at its beginning."""
    for cut in range(len(before)):
        kept = len(before) - cut
        if list(now[:kept]) == list(before[cut:]):
            return now[kept:]
    return now
