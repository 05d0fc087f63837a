"""Opens the state of a stack, in a local file or at a shared place."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from batchctl.manifests.trust import Trust
from batchctl.model.activity import UNWATCHED, Activity
from batchctl.model.stack import SharedPlace, Stack

if TYPE_CHECKING:  # `validate` needs no state, and SQLite takes a tenth of its start
    from batchctl.model.ports.surroundings import Clock
    from batchctl.model.state_objects import StateObjects
    from batchctl.state.stack_state import StackState


class Opener(Struct, frozen=True):
    """Opens states of one stack, each when it is first needed."""

    stack: Stack
    clock: Clock
    lock_timeout: float
    on_wait: Callable[[str], None]
    activity: Activity = UNWATCHED

    def open(self, place: Path | SharedPlace) -> StackState:
        """The state at this place; nothing is read yet. Raises BatchctlError without usable credentials."""
        if isinstance(place, SharedPlace):
            return self._open_shared(place)
        from batchctl.state.store import open_state

        return open_state(
            place,
            stack=self.stack.name,
            uid=self.stack.uid,
            clock=self.clock,
            lock_timeout=self.lock_timeout,
            on_wait=self.on_wait,
        )

    def _open_shared(self, place: SharedPlace) -> StackState:
        from batchctl.model.database_url import is_database_url
        from batchctl.state.migrations import Identity
        from batchctl.state.shared.store import LockTerms, SharedState

        identity, terms = Identity(self.stack.name, self.stack.uid), LockTerms(self.lock_timeout, self.on_wait)
        if is_database_url(place.url):
            from batchctl.state.postgres.place import PostgresPlace

            database = PostgresPlace(place.url, self.clock.sleep)
            state = SharedState(database, identity, self.clock, terms=terms)
            weakref.finalize(state, database.close)
        else:
            from batchctl.state.shared.bucket import BucketPlace

            objects = self._objects(place)
            state = SharedState(BucketPlace(objects), identity, self.clock, terms=terms)
            weakref.finalize(state, objects.close)
        return state

    def _objects(self, place: SharedPlace) -> StateObjects:
        from batchctl.cli.connect import Connections

        connections = Connections(self.stack, os.environ, Trust.from_env(os.environ), self.clock, self.activity)
        return connections.open_objects(place.url)
