"""The interface between `core` and the handlers of the services, and the routes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from batchctl.emulator.callers import Caller
from batchctl.emulator.faults import Fault, FaultKind, take_fault
from batchctl.emulator.fieldmask import FieldMask
from batchctl.emulator.replies import Replies
from batchctl.emulator.settings import Settings
from batchctl.emulator.store import Store
from batchctl.emulator.wire import JsonObject, Refused, Request, Response


class Exchange(Struct, frozen=True):
    """One call with its context. A handler must check before it writes: its writes stay even if it refuses the call."""

    request: Request
    method: str
    """The name of the call in counters and faults, such as `batches.create`."""
    params: Mapping[str, str]
    """The named groups of the route's pattern."""
    store: Store
    settings: Settings
    now: int
    mask: FieldMask = field(default_factory=FieldMask)
    as_of: int | None = None
    """The earlier moment at which a timeTravel fault answers the call; `now` is that moment, too."""

    def fault(self, kind: FaultKind) -> Fault | None:
        """The fault of this kind that fires for the call, if any; using it reduces its `count` by one."""
        return take_fault(self.store, self.method, frozenset({kind}))

    def as_it_was(self) -> Exchange:
        """The same call at an earlier moment if a timeTravel fault fires, as a replica that lags would answer it."""
        fault = self.fault(FaultKind.TIME_TRAVEL)
        if fault is None:
            return self
        moment = self.now - fault.delay
        return replace(self, now=moment, as_of=moment)

    def page_size(self, default: int, most: int) -> int:
        """The page size of the list. Raises Refused (400) unless it is an integer of at least 0."""
        text = self.request.param("pageSize", "page_size") or "0"
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise Refused(400, f"Invalid value at 'page_size' (TYPE_INT32), {ascii(text)[1:-1][:40]!r}")
        return min(int(text) or default, most)


Handler: TypeAlias = Callable[[Exchange], JsonObject | Response]


class Route(Struct, frozen=True):
    """One method of one path pattern."""

    verb: str
    pattern: re.Pattern[str]
    method: str
    handler: Handler
    caller: Caller = Caller.KEY
    """The credentials that the call requires."""
    limited: bool = True
    """Whether the API's limit for JSON bodies applies."""
    takes: Callable[[Request], bool] = lambda _: True
    """Distinguishes calls that share a path."""
    reply: str = ""
    """The name of the reply's message; empty if the reply is not JSON of an API."""
    replies: Replies | None = None
    """The messages of the service."""
    query: frozenset[str] | None = None
    """The query parameters of the method besides those of all methods; None if any is accepted."""
