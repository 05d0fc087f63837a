"""Faults: errors injected on purpose. Random draws are deterministic, from a seed and a stored count of draws.

This module decides which fault fires. `core` applies status, cut and delay faults; the services apply the others.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum

from msgspec import Struct

from batchctl.emulator.clock import SECOND, parse_duration
from batchctl.emulator.globs import matches
from batchctl.emulator.schemas import Invalid, check
from batchctl.emulator.store import Store
from batchctl.emulator.wire import JsonObject, Refused

_TYPE = "type.googleapis.com/google.rpc."


class FaultKind(StrEnum):
    """The effect of a fault."""

    STATUS = "status"
    CUT = "cut"
    DELAY = "delay"
    EMPTY_PAGE = "emptyPage"
    STALE_STATS = "staleStats"
    LIST_LAG = "listLag"
    ECHO_NORMALISED = "echoNormalised"
    TIME_TRAVEL = "timeTravel"
    FORBIDDEN_AFTER_DELETE = "forbiddenAfterDelete"


TRANSPORT_KINDS = frozenset({FaultKind.STATUS, FaultKind.CUT, FaultKind.DELAY})
"""Kinds that apply to every method alike."""
_JOBS = ("batches", "batchPredictionJobs")
_LISTS = frozenset(f"{jobs}.list" for jobs in _JOBS)
_READS = _LISTS | {f"{jobs}.get" for jobs in _JOBS}
_REACH = {
    FaultKind.EMPTY_PAGE: _LISTS,
    FaultKind.LIST_LAG: _LISTS,
    FaultKind.STALE_STATS: _READS,
    FaultKind.TIME_TRAVEL: _READS,
    FaultKind.ECHO_NORMALISED: frozenset({"batchPredictionJobs.create"}),
    FaultKind.FORBIDDEN_AFTER_DELETE: frozenset(
        f"{jobs}.{verb}" for jobs in _JOBS for verb in ("get", "cancel", "delete")
    )
    | {"batches.patch"},
}
"""The methods that a kind can affect; the other kinds affect every method."""
_UNTIL = "until"
"""The member of a stored fault with the moment when its `lasts` is over."""


class Fault(Struct, frozen=True):
    """One fault that fires now."""

    kind: FaultKind
    after: bool
    """Whether the fault comes after the call's effect and changes only the reply."""
    status: int
    retry_info: str | None
    delay: int
    """Nanoseconds."""
    message: str = ""
    """The message of a `status` fault; empty for the emulator's default."""
    name: str = ""
    """The google.rpc name of a `status` fault; empty for the default name of the status."""

    def refusal(self) -> Refused:
        """The error that a `status` fault returns. Source: reference 9."""
        name = self.name or None
        if self.message or self.status != 429:  # noqa: PLR2004  the HTTP status of a quota
            details = [] if self.retry_info is None else [self._retry_detail()]
            words = self.message or f"A fault of the emulator answers {self.status}."
            return Refused(self.status, words, name=name, details=details)
        message = "You exceeded your current quota, please check your plan and billing details."
        link = {"description": "Learn more about Gemini API quotas", "url": "https://ai.google.dev/gemini-api/docs"}
        help_detail: JsonObject = {"@type": f"{_TYPE}Help", "links": [link]}
        if self.retry_info is None:
            return Refused(429, message, name=name, details=[help_detail])
        quota: JsonObject = {"@type": f"{_TYPE}QuotaFailure", "violations": [{"quotaId": "EmulatorFault"}]}
        message = f"{message} Please retry in {self.retry_info}."
        return Refused(429, message, name=name, details=[quota, help_detail, self._retry_detail()])

    def _retry_detail(self) -> JsonObject:
        return {"@type": f"{_TYPE}RetryInfo", "retryDelay": self.retry_info}


def put_faults(store: Store, faults: object, methods: frozenset[str], place: str = "faults") -> None:
    """Replace all faults; `methods` are the names of calls, `place` is what messages call the list of faults.

    Raises Invalid with the place.
    """
    check(faults, "emulator-faults.schema.json", place)
    assert isinstance(faults, list)
    for position, fault in enumerate(faults):
        _check_reach(fault, f"{place}[{position}]", methods)
    now = store.now()
    with store.transaction():
        store.change("DELETE FROM faults")
        for position, fault in enumerate(faults):
            until = {_UNTIL: now + parse_duration(fault["lasts"])} if "lasts" in fault else {}
            stored = json.dumps({**fault, **until})
            row = {"position": position, "fault": stored, "remaining": fault.get("count"), "draws": 0}
            store.insert("faults", row)


def _check_reach(fault: JsonObject, place: str, methods: frozenset[str]) -> None:
    """Raise Invalid for a fault that could never fire."""
    glob = fault.get("method", "*")
    if not any(matches(glob, method) for method in methods):
        raise Invalid(f"{place}.method: {glob!r} matches no method; the methods are {', '.join(sorted(methods))}")
    kind = FaultKind(fault["kind"])
    reach = _REACH.get(kind, methods)
    if not any(matches(glob, method) for method in reach):
        affected = ", ".join(sorted(reach))
        raise Invalid(f"{place}.method: {glob!r} matches no method that {kind} affects; it affects {affected}")
    if fault.get("when") == "after" and kind not in TRANSPORT_KINDS:
        raise Invalid(f"{place}.when: only {', '.join(sorted(TRANSPORT_KINDS))} may have when: after")


def get_faults(store: Store) -> list[JsonObject]:
    """The faults in force; `count` and `lasts` are what remains."""
    now = store.now()
    found = store.rows("SELECT fault, remaining FROM faults ORDER BY position")
    return [_shown(json.loads(text), left, now) for text, left in found]


def _shown(fault: JsonObject, left: int | None, now: int) -> JsonObject:
    until = fault.pop(_UNTIL, None)
    counted = {} if left is None else {"count": left}
    return {**fault, **counted} if until is None else {**fault, **counted, "lasts": _seconds_left(until, now)}


def _seconds_left(until: int, now: int) -> str:
    return f"{-(-max(until - now, 0) // SECOND)}s"


def take_fault(store: Store, method: str, kinds: frozenset[FaultKind]) -> Fault | None:
    """The first fault of these kinds that fires for a call of `method`; uses up one of its `count`."""
    now = store.now()
    with store.transaction():
        for position, text, left, draws in store.rows("SELECT * FROM faults ORDER BY position"):
            fault = json.loads(text)
            kind = FaultKind(fault["kind"])
            if kind not in kinds or left == 0 or not matches(fault.get("method", "*"), method):
                continue
            if now >= fault.get(_UNTIL, now + 1):
                continue
            store.change("UPDATE faults SET draws = draws + 1 WHERE position = ?", position)
            if _draw(fault.get("seed", 0), position, draws) < fault.get("probability", 1):
                store.change("UPDATE faults SET remaining = remaining - 1 WHERE position = ?", position)
                return _fault(kind, fault)
    return None


def _draw(seed: int, position: int, draws: int) -> float:
    """A pseudo-random number in [0, 1), always the same for the same arguments."""
    digest = hashlib.sha256(f"{seed}/{position}/{draws}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _fault(kind: FaultKind, fault: JsonObject) -> Fault:
    delay = parse_duration(fault.get("delay", "0s"))
    return Fault(
        kind,
        fault.get("when") == "after",
        fault.get("status", 0),
        fault.get("retryInfo"),
        delay,
        fault.get("message", ""),
        fault.get("name", ""),
    )
