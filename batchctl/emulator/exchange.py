"""What a service's handler gets and gives, and how a path finds its handler."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from batchctl.emulator.callers import Caller
from batchctl.emulator.faults import Fault, FaultKind, take_fault
from batchctl.emulator.fieldmask import FieldMask
from batchctl.emulator.replies import Replies
from batchctl.emulator.settings import Settings
from batchctl.emulator.store import Store
from batchctl.emulator.wire import JsonObject, Refused, Request, Response


@dataclass(frozen=True)
class Exchange:
    """One call with all it may need. A handler checks first and writes last: what it wrote before a refusal stays."""

    request: Request
    method: str
    """The call's name in counters and faults, such as `batches.create`."""
    params: Mapping[str, str]
    """What the route's pattern caught of the path."""
    store: Store
    settings: Settings
    now: int
    mask: FieldMask = field(default_factory=FieldMask)
    as_of: int | None = None
    """The earlier moment at which a fault lets the call be answered; then `now` is that moment."""

    def fault(self, kind: FaultKind) -> Fault | None:
        """Whether a fault of this kind fires here; asking uses up one of its count."""
        return take_fault(self.store, self.method, frozenset({kind}))

    def as_it_was(self) -> Exchange:
        """The same call at an earlier moment, where a fault sends it there: a replica that lags answers it."""
        fault = self.fault(FaultKind.TIME_TRAVEL)
        if fault is None:
            return self
        moment = self.now - fault.delay
        return replace(self, now=moment, as_of=moment)

    def page_size(self, default: int, most: int) -> int:
        """The list's page size. Raises Refused (400) when it is no number of at least 0."""
        text = self.request.param("pageSize", "page_size") or "0"
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise Refused(400, f"Invalid value at 'page_size' (TYPE_INT32), {ascii(text)[1:-1][:40]!r}")
        return min(int(text) or default, most)


Handler: TypeAlias = Callable[[Exchange], JsonObject | Response]


@dataclass(frozen=True)
class Route:
    """One method of one path shape."""

    verb: str
    pattern: re.Pattern[str]
    method: str
    handler: Handler
    caller: Caller = Caller.KEY
    """How whoever calls must be known."""
    limited: bool = True
    """Whether the body may not be larger than the API's limit for JSON."""
    takes: Callable[[Request], bool] = lambda _: True
    """Tells calls apart that share a path."""
    reply: str = ""
    """The message that is answered; empty for what is no JSON of an API."""
    replies: Replies | None = None
    """The messages of its service."""
    query: frozenset[str] | None = None
    """The parameters that it has beyond those of all methods; None where any is taken."""
