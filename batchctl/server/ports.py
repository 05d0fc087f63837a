"""Everything that the page needs besides snapshots, handed in by the command line. Called on threads of the server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from batchctl.model.events import Event
from batchctl.server.paging import Query
from batchctl.server.view import Document, View


class Surroundings(Protocol):
    """Facts beside the snapshot."""

    def events(self, limit: int) -> Sequence[Event]:
        """The newest events of the stack, oldest first. Raises StateError."""
        ...

    def busy(self) -> Sequence[Document]:
        """The work that has taken a while: what, amount, done and total bytes. Called while a page is open.

        Raises StateError.
        """
        ...

    def next_pass(self) -> datetime | None:
        """The time of the next pass, by the local clock; None during one, and where none is made."""
        ...

    def lock_holder(self) -> str | None:
        """The holder of the state's lock, for people; None if it is free. Raises StateError."""
        ...


class RowBrowser(Protocol):
    """Reads the rows of jobs, where `--show-rows` allows it."""

    def page(self, view: View, name: str, query: Query) -> Document:
        """A page of rows. Raises BatchctlError."""
        ...
