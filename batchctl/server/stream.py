"""`/events`: server-sent events about changes.

A client gets what changed since its last message, whenever that was. Nothing is queued for a client that sleeps: the
next message waits until its connection takes it, and then has everything up to that moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

from starlette.concurrency import run_in_threadpool

from batchctl.report.documents import to_json_line
from batchctl.server.feed import Feed
from batchctl.server.view import Document, View

HEARTBEAT: Final = 15.0
"""Seconds between two signs of life, so that neither side takes the connection for lost."""
TICK: Final = 2.0
"""Seconds between two looks at the work that is under way."""
MOST_CHANGED: Final = 200
"""The number of jobs in one message; after more, the client reads its page again."""
MOST_CLIENTS: Final = 100
_RETRY = b"retry: 2000\n\n"
_ALIVE = b": \n\n"


class Alarm:
    """Wakes the streams of one event loop from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._news = asyncio.Event()

    def ring(self) -> None:
        """Wake all that wait now. From any thread; does nothing once the loop has ended."""
        try:
            self._loop.call_soon_threadsafe(self._ring)
        except RuntimeError:
            # The loop is closed: no client is left to wake.
            if not self._loop.is_closed():
                raise

    def next(self) -> asyncio.Event:
        """The event that the next ring sets."""
        return self._news

    def _ring(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


class Stream:
    """The messages for one client."""

    def __init__(
        self,
        feed: Feed,
        alarm: Alarm,
        summary: Callable[[View], Document],
        activity: Callable[[], Document],
        last_id: str | None,
    ) -> None:
        """`summary` makes the document of a view, and `activity` that of the present work, on a worker thread.

        `last_id`: the id of the last message that the client got.
        """
        self._feed = feed
        self._alarm = alarm
        self._summary = summary
        self._activity = activity
        self._known = _number(last_id, feed.epoch)

    async def messages(self, heartbeat: float = HEARTBEAT) -> AsyncIterator[bytes]:
        """Messages until the feed ends or the client is gone."""
        yield _RETRY
        tick = min(TICK, heartbeat)
        shown: Document = {"busy": [], "nextPass": None}
        silence = 0.0
        while not self._feed.is_over:
            # Before the look: what comes after it rings.
            news = self._alarm.next()
            if self._feed.number not in {0, self._known}:
                yield await run_in_threadpool(self._message)
                silence = 0.0
                continue
            try:
                await asyncio.wait_for(news.wait(), tick)
                continue
            except TimeoutError:
                silence += tick
            activity = await run_in_threadpool(self._activity)
            if activity != shown:
                shown, silence = activity, 0.0
                yield _event("activity", activity)
            elif silence >= heartbeat:
                silence = 0.0
                yield _ALIVE
        yield _event("bye", {"reason": "batchctl has ended"})

    def _message(self) -> bytes:
        view = self._feed.view()
        assert view is not None, "the feed has a number"
        changes = view.since(self._known or 0)
        self._known = view.number
        reset = not changes.is_known or len(changes.jobs) > MOST_CHANGED
        document = {
            "change": view.change,
            "reset": reset,
            "jobs": [] if reset else [view.row_of[name] for name in changes.jobs],
            "removed": [] if reset else list(changes.removed),
            "summary": self._summary(view),
        }
        return _event("change", document, view.change)


def _number(last_id: str | None, epoch: str) -> int | None:
    """The number in an id of this process; None for any other text."""
    before, _, number = (last_id or "").rpartition("-")
    return int(number) if before == epoch and number.isascii() and number.isdecimal() and len(number) < 16 else None  # noqa: PLR2004


def _event(name: str, document: Document, number: str | None = None) -> bytes:
    """One message. JSON has no line ends."""
    identity = "" if number is None else f"id: {number}\n"
    return f"event: {name}\n{identity}data: {to_json_line(document)}\n".encode()
