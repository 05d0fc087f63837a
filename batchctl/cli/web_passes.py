"""The web page of `watch`: the record before the first pass, then each pass, and what a long pass has done so far.

A pass may take minutes. While a page is open, the state is looked at now and then during a pass, and the page shows the
record of that moment.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta

from msgspec.structs import replace

from batchctl.cli.manifest_reload import ManifestReload
from batchctl.cli.run_plan import Companion, Company
from batchctl.cli.serve_options import ServeOptions
from batchctl.cli.web import as_recorded, serve, snapshot
from batchctl.cli.workspace import Workspace
from batchctl.engine.loop.drive import Witness
from batchctl.engine.loop.polling import Pace
from batchctl.engine.passes import PassReport
from batchctl.model.keys import Account
from batchctl.model.observed import Observation
from batchctl.model.observing import End, Ending, PassKind, PassWork, TokenUse, Work
from batchctl.model.ports.surroundings import Progress
from batchctl.model.recorded import StateVersion
from batchctl.model.stack import SharedPlace
from batchctl.reconcile import Options
from batchctl.server.feed import Feed
from batchctl.server.snapshot import PassFacts, Snapshot, Source

_PAUSE = 2.0
_SHARED_PAUSE = 10.0
"""Seconds between two looks during a pass; at a shared state, a look is a request."""
_WORK_SHARE = 20
"""A look at many jobs takes a while: it takes at most this part of the time, so that the pass is not held up."""


def beside_passes(workspace: Workspace, serving: ServeOptions, options: Options, pace: Pace) -> Company:
    """The web page of `watch`, for as long as its passes are made."""

    @contextmanager
    def company(reload: ManifestReload, progress: Progress) -> Iterator[Companion]:
        passes = Passes(workspace, options)
        workspace.board.observe_by(passes)
        with serve(workspace, serving, progress.warn, pace, passes.look, passes.next_pass) as feed:
            yield Companion(passes.begin_with(feed, reload), passes.pausing)

    return company


class Passes:
    """Publishes passes, and looks during a pass. Implements `Observer`."""

    def __init__(self, workspace: Workspace, options: Options) -> None:
        self._workspace = workspace
        self._options = options
        self._state = workspace.opening.opener.open(workspace.stack.state)
        self._shortest = _SHARED_PAUSE if isinstance(workspace.stack.state, SharedPlace) else _PAUSE
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        """Held by the one thread that looks."""
        self._turn = 0
        """Raised at the beginning and at the end of each pass, so it is odd during one."""
        self._feed: Feed | None = None
        self._version: StateVersion | None = None
        """Of the state at the last look."""
        self._next_look = 0.0
        self._last: PassFacts | None = None
        self._next_pass: datetime | None = None
        self._unread: Mapping[Account, Observation] = {}
        """The accounts that the last pass could not read: what is not known stays so."""

    def begin_with(self, feed: Feed, reload: ManifestReload) -> Witness:
        """Show the record; gives what is to be shown each pass."""
        self._feed = feed
        feed.publish(lambda: as_recorded(self._workspace, self._options))

        def witness(done: PassReport) -> None:
            # The manifests of this moment: a later reading takes the place of these.
            seen, number = reload.workspace, 1 if self._last is None else self._last.number + 1
            facts = PassFacts(number, done.after.begun, self._workspace.clock.now())
            looks = done.after.observed
            with self._lock:
                self._workspace, self._last = seen, facts
                self._unread = {account: look for account, look in looks.items() if not look.complete}
                feed.publish(lambda: _after(seen, done, facts))

        return witness

    def pausing(self, seconds: float) -> None:
        """Note when the next pass comes."""
        self._next_pass = self._workspace.clock.now() + timedelta(seconds=seconds)

    def next_pass(self) -> datetime | None:
        """When the next pass comes; None during one."""
        return self._next_pass

    def begin(self, work: Work) -> End:
        """See `Observer`."""
        if not isinstance(work, PassWork) or work.kind is not PassKind.FULL:
            return _ignore
        self._next_pass = None
        self._turn_on()
        return lambda _ending: self._turn_on()

    def used(self, tokens: TokenUse) -> None:
        """Ignore it."""

    def look(self) -> None:
        """Show what the present pass has done so far, if it has done anything. Raises StateError."""
        if not self._looking.acquire(blocking=False):
            return
        try:
            self._look()
        finally:
            self._looking.release()

    def _look(self) -> None:
        with self._lock:
            turn, workspace, facts, unread = self._turn, self._workspace, self._last, self._unread
        begun = time.monotonic()
        if self._feed is None or turn % 2 == 0 or begun < self._next_look:
            return
        version = self._state.version()
        if version != self._version:
            found = as_recorded(workspace, self._options, unread)
            self._version = found.recorded.version
            with self._lock:
                # Not after the end of the pass, which knows more.
                if self._turn == turn:
                    shown = replace(found, source=Source.WATCH, last_pass=facts)
                    self._feed.publish(lambda: shown)
        now = time.monotonic()
        self._next_look = now + max(self._shortest, _WORK_SHARE * (now - begun))

    def _turn_on(self) -> None:
        with self._lock:
            self._turn += 1


def _ignore(_ending: Ending) -> None:
    """The end of work that is not shown."""


def _after(workspace: Workspace, done: PassReport, facts: PassFacts) -> Snapshot:
    shown = snapshot(workspace, done.after.next_plan, done.after.recorded, Source.WATCH)
    return replace(shown, as_of=facts.ended, last_pass=facts)
