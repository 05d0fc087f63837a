"""How a service wants to be asked, where that shows only in its refusals: learned from one, kept for the process.

Two things are known: a reply cut down to some members, which not every server knows how to give, and buckets that are
read at the expense of whoever reads. Both refusals are a 400 that did nothing, so the call is made again, another way.
Source: reference chapter 16.
"""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from typing import Protocol

from batchctl.model.errors import ApiError, ApiStatus
from batchctl.providers.http.calls import Call
from batchctl.providers.words import REQUESTER_PAYS

MASKS = frozenset({"fields", "readMask"})
"""Parameters that only make a reply smaller: nothing depends on them."""
_PAYER = "userProject"
_BAD_REQUEST = 400
_BUCKET = re.compile(r"/b/([^/]+)")


class Manners(Protocol):
    """What is known of how to ask. Safe for threads."""

    def adapt(self, call: Call) -> Call:
        """The call as it is to be made."""
        ...

    def otherwise(self, call: Call, error: ApiError) -> Call | None:
        """The call another way, after this refusal; None when there is none."""
        ...

    def worked(self, call: Call) -> None:
        """The other way worked: calls like this one are made so from now on."""
        ...


class Asking:
    """Of one endpoint. `payer` is the project that pays for reads: of every bucket with `always`, else when asked."""

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
        """A whole URL, such as that of an upload that was begun, is the service's own and stays as it is."""
        return bool(self._payer) and _PAYER not in call.params and call.target.startswith("/")

    def _paying(self, call: Call) -> Call:
        return replace(call, params={**call.params, _PAYER: self._payer})


def _without_mask(call: Call) -> Call:
    return replace(call, params={name: value for name, value in call.params.items() if name not in MASKS})


def _bucket(call: Call) -> str:
    found = _BUCKET.search(call.target)
    return found[1] if found else ""
