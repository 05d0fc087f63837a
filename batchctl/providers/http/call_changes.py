"""Changes to the calls of a service, learned from its refusals and kept for the process.

Two cases are known: servers that do not support field masks, and requester-pays buckets. Both refusals are a 400 that
changed nothing, so the changed call is sent again.
Source: reference chapter 16.
"""

from __future__ import annotations

import re
import threading
from typing import Protocol

from msgspec.structs import replace

from batchctl.model.errors import ApiError, ApiStatus
from batchctl.providers.error_rules import REQUESTER_PAYS
from batchctl.providers.http.calls import Call

MASKS = frozenset({"fields", "readMask"})
"""Parameters that only make a reply smaller; a call works without them."""
_PAYER = "userProject"
_BAD_REQUEST = 400
_BUCKET = re.compile(r"/b/([^/]+)")


class CallChanges(Protocol):
    """Knows how calls have to change. Thread-safe."""

    def adapt(self, call: Call) -> Call:
        """The call as it has to be sent."""
        ...

    def otherwise(self, call: Call, error: ApiError) -> Call | None:
        """The changed call to send after this refusal; None when no change is known to help."""
        ...

    def worked(self, call: Call) -> None:
        """Record that the changed call worked: later calls of its kind are changed at once."""
        ...


class LearnedChanges:
    """For one endpoint. `payer` is billed for reads: of every bucket with `always`, else of requester-pays buckets."""

    def __init__(self, payer: str = "", *, always: bool = False) -> None:
        self._payer = payer
        self._always = always
        self._unmasked: set[str] = set()
        self._paid: set[str] = set()
        self._lock = threading.Lock()

    def adapt(self, call: Call) -> Call:
        with self._lock:
            unmasked, paid = call.what in self._unmasked, self._always or _bucket(call) in self._paid
        if unmasked:
            call = _without_mask(call)
        return self._paying(call) if paid and self._may_pay(call) else call

    def otherwise(self, call: Call, error: ApiError) -> Call | None:
        if not isinstance(error, ApiStatus) or error.http != _BAD_REQUEST:
            return None
        if REQUESTER_PAYS.search(error.message):
            return self._paying(call) if self._may_pay(call) else None
        return _without_mask(call) if MASKS & call.params.keys() else None

    def worked(self, call: Call) -> None:
        with self._lock:
            if _PAYER in call.params:
                self._paid.add(_bucket(call))
            else:
                self._unmasked.add(call.what)

    def _may_pay(self, call: Call) -> bool:
        """Whether `payer` may be billed. An absolute URL, such as an upload session's, is never changed."""
        return bool(self._payer) and _PAYER not in call.params and call.target.startswith("/")

    def _paying(self, call: Call) -> Call:
        return replace(call, params={**call.params, _PAYER: self._payer})


def _without_mask(call: Call) -> Call:
    return replace(call, params={name: value for name, value in call.params.items() if name not in MASKS})


def _bucket(call: Call) -> str:
    found = _BUCKET.search(call.target)
    return found[1] if found else ""
