"""The events of the state with numbers, so that a client can ask for those that it does not have yet."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

from batchctl.model.events import Event
from batchctl.report.describe_document import event_fields
from batchctl.server.paging import Query
from batchctl.server.view import Document, View

PARAMETERS: Final = ("after", "before", "job", "limit")
MOST_EVENTS: Final = 10_000
"""The number of events that the state keeps."""
_NEWEST = 200
OF_ONE_JOB: Final = 20
"""The number of events with the description of a job, as `describe` has them."""


class History:
    """Numbers the events from 1 in the order in which this process sees them. Thread-safe."""

    def __init__(self, read: Callable[[int], Sequence[Event]]) -> None:
        """`read` gives the newest events of the state, oldest first, at most as many as it is asked for."""
        self._read = read
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._first = 1
        """The number of the first event that is kept."""
        self._seen: str | None = None

    def update(self, change: str) -> None:
        """Read what is new since another change. Raises StateError."""
        with self._lock:
            if self._seen == change:
                return
            newest = list(self._read(_NEWEST if self._events else MOST_EVENTS))
            added = _added(self._events, newest)
            if added is None:
                # More has happened than was read.
                newest = list(self._read(MOST_EVENTS))
                added = _added(self._events, newest)
            if added is None:
                # A rename has changed the events of a job: they are shown again, with new numbers.
                self._first += len(self._events)
                self._events, added = [], newest
            self._events += added
            surplus = max(0, len(self._events) - MOST_EVENTS)
            del self._events[:surplus]
            self._first += surplus
            self._seen = change

    @property
    def last(self) -> int:
        """The number of the newest event; 0 if there is none."""
        return self._first + len(self._events) - 1

    def of_job(self, name: str) -> Sequence[Event]:
        """The last events of a job, oldest first."""
        with self._lock:
            return [event for event in self._events if event.job == name][-OF_ONE_JOB:]

    def document(self, view: View, query: Query) -> Document:
        """The newest events before or after a number, oldest first. Raises UsageError."""
        with self._lock:
            items = list(enumerate(self._events, start=self._first))
        total, first, last = len(items), self._first, self.last
        job, after, before = query.one("job"), query.number("after"), query.number("before")
        if job is not None:
            items = [item for item in items if item[1].job == job]
        if before is not None:
            items = [item for item in items if item[0] < before]
        if after is not None:
            items = [item for item in items if item[0] > after]
        limit = query.limit()
        shown = items[:limit] if after is not None else items[-limit:]
        return {**_document(view, shown, total, first, last), "matched": len(items)}

    def whole(self, view: View, most: int) -> Document:
        """The newest events, without a request."""
        with self._lock:
            items = list(enumerate(self._events, start=self._first))
        return _document(view, items[-most:], len(items), self._first, self.last)


def _document(view: View, shown: Sequence[tuple[int, Event]], total: int, first: int, last: int) -> Document:
    items = [{"number": number, "job": event.job, **event_fields(event)} for number, event in shown]
    return {**view.head, "total": total, "matched": total, "items": items, "next": None, "first": first, "last": last}


def _added(before: Sequence[Event], newest: Sequence[Event]) -> Sequence[Event] | None:
    """The events that came after those that are known; None if the two do not meet."""
    if not before:
        return newest
    for known in range(len(newest), 0, -1):
        # The newest events begin with the last `known` ones of before.
        if known <= len(before) and newest[known - 1] == before[-1] and list(newest[:known]) == list(before[-known:]):
            return newest[known:]
    return None if len(newest) else ()
