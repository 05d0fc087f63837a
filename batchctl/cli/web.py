"""The web page of a command: the server beside its work, and the snapshots that it shows."""

from __future__ import annotations

import ipaddress
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from batchctl.cli.missing_library import missing_server
from batchctl.cli.notes import note
from batchctl.cli.plan_output import status_report
from batchctl.cli.serve_options import ServeOptions
from batchctl.cli.workspace import Workspace
from batchctl.engine.as_recorded import plan_as_recorded
from batchctl.engine.loop.polling import Pace
from batchctl.model.errors import BatchctlError
from batchctl.model.events import Event
from batchctl.model.observed import Observed
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded
from batchctl.reconcile import Options
from batchctl.server.feed import Feed
from batchctl.server.ports import RowBrowser
from batchctl.server.snapshot import Snapshot, Source
from batchctl.server.view import Document
from batchctl.telemetry.snapshot import Snapshot as Measured

_LOCK_AGE = 2.0
"""Seconds for which the state is not asked for its lock or its version again: of a shared one, that is a request."""


@contextmanager
def serve(
    workspace: Workspace,
    serving: ServeOptions,
    warn: Callable[[str], None],
    pace: Pace | None = None,
    look: Callable[[], None] = lambda: None,
    next_pass: Callable[[], datetime | None] = lambda: None,
) -> Iterator[Feed]:
    """Serve what is published until the block ends. `pace`: of the passes; None if the process makes none.

    `look` is called now and then while a page is open, and may publish something. `next_pass` gives the time of the
    next pass.
    Raises BatchctlError for an address that cannot be used.
    """
    try:
        from batchctl.server.app import Served, WebApp
        from batchctl.server.monitoring import monitoring_routes
        from batchctl.server.security import Access
        from batchctl.server.thread import ServerThread, bind, shown_address
        from batchctl.telemetry.health import Health
        from batchctl.telemetry.metrics import Metrics
    except ImportError as error:
        raise missing_server("the web page", error) from error
    token = serving.read_token()
    if token is None and (serving.show_rows or not _is_loopback(serving.host)):
        token = secrets.token_urlsafe(32)
    feed, listening = Feed(), bind(serving.host, serving.port)
    port = listening.getsockname()[1]
    access = Access(serving.host, port, serving.names, token)
    beside = Beside(workspace, look, next_pass)
    metrics = Metrics(workspace.stack.name, lambda: _measured(feed), watches=pace is not None)
    health = Health(beside.check, watches=pace is not None, longest_pause=(pace or Pace()).longest)
    for observer in (metrics.observer, health):
        if observer is not None:
            workspace.board.observe_by(observer)
    rows = _browser(workspace) if serving.show_rows else None
    web = WebApp(Served(feed, beside, access, warn, rows, monitoring_routes(metrics, health)))
    with ServerThread(web.app, listening, feed.end):
        # The token of a file is known; showing it would put it into logs.
        query = "" if token is None or serving.token_file is not None else f"?token={token}"
        note(f"web page: http://{shown_address(serving.host, port)}/{query}")
        try:
            yield feed
        finally:
            health.ended()


def _measured(feed: Feed) -> Measured | None:
    """The newest snapshot for metrics: the same object as before while nothing has changed.

    None if none can be made, so that the metrics of the process can be read all the same; the page says why.
    """
    try:
        view = feed.view()
    except BatchctlError:
        return None
    if view is None:
        return None
    return view.once("measured", lambda: Measured(view.snapshot.plan, view.snapshot.recorded))


def snapshot(workspace: Workspace, plan: Plan, recorded: Recorded, source: Source) -> Snapshot:
    """The stack as a command has found it. `workspace` has the manifests of that moment."""
    results = workspace.results
    return Snapshot(
        plan,
        workspace.desired,
        recorded,
        workspace.clock.now(),
        source,
        status_report(workspace, plan, recorded),
        lambda path: results.shown(results.root / path),
    )


class Beside:
    """Implements `Surroundings`, with a state of its own: that of the command may be at work on another thread."""

    def __init__(
        self, workspace: Workspace, look: Callable[[], None], next_pass: Callable[[], datetime | None]
    ) -> None:
        self._board = workspace.board
        self._look = look
        self._next_pass = next_pass
        self._state = workspace.opening.opener.open(workspace.stack.state)
        self._lock = threading.Lock()
        self._holder: str | None = None
        self._asked = self._checked = float("-inf")

    def events(self, limit: int) -> Sequence[Event]:
        with self._lock:
            return self._state.events(None, limit)

    def busy(self) -> Sequence[Document]:
        self._look()
        return [
            {"what": one.what, "amount": one.amount, "done": one.done, "total": one.total} for one in self._board.slow()
        ]

    def next_pass(self) -> datetime | None:
        return self._next_pass()

    def check(self) -> None:
        """Raise StateError if the state cannot be read."""
        with self._lock:
            if time.monotonic() - self._checked >= _LOCK_AGE:
                self._state.version()
                self._checked = time.monotonic()

    def lock_holder(self) -> str | None:
        with self._lock:
            if time.monotonic() - self._asked >= _LOCK_AGE:
                holder = self._state.holder()
                self._holder = None if holder is None else holder.words
                self._asked = time.monotonic()
            return self._holder


def as_recorded(workspace: Workspace, options: Options, unread: Observed | None = None) -> Snapshot:
    """The stack by its manifests and its record alone; `unread` as of `plan_as_recorded`. Raises StateError."""
    recorded = workspace.opening.opener.open(workspace.stack.state).load()
    plan = plan_as_recorded(workspace.desired, recorded, workspace.clock.now(), options, unread)
    return snapshot(workspace, plan, recorded, Source.STATE)


def _browser(workspace: Workspace) -> RowBrowser:
    from batchctl.cli.row_browser import Browser

    return Browser(workspace)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
