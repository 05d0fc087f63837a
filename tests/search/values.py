"""Values that can be compared, hashed and made canonical: two worlds that no decision can tell apart are one.

Time is relative: the present is always `NOW`, and when time passes, every recorded moment moves into the past. Moments
that are older than every timer count as equally old. Tokens and remote jobs are numbered in the order of their making,
without gaps, so histories that differ in what has vanished since meet again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, TypeAlias

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.recorded import JobRow
from tests.support.values import field_names, replace

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
"""The present on the provider's clock."""
LOCAL = NOW - timedelta(minutes=5)
"""The same moment on the local clock: five minutes apart, so that a mix-up of the two shows."""
LONG_AGO = NOW - timedelta(hours=12)
"""No timer of a scene is as long; what is older counts as this old."""

_NUMBERED = re.compile(r"(tk|/job)(\d{8})")
_NONE: frozenset[int] = frozenset()
_FIELDS: dict[type, tuple[str, ...]] = {}
_Known: TypeAlias = dict[int, tuple[Any, Any]]
"""What was found out about values, by their identity. Each value is kept, so that its identity stays its own."""
_NUMBERS: _Known = {}
_OLDER: dict[timedelta, _Known] = {}
_MOST_KNOWN = 500_000


class FrozenDict(dict[str, Any]):
    """A mapping that can be a part of a key. Nothing changes it once it is made."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))


_PLAIN = frozenset({int, float, bool, type(None), datetime, timedelta, frozenset, dict, FrozenDict})
"""Types of values that name no remote job."""


def frozen_attempt(attempt: RecordedAttempt) -> RecordedAttempt:
    """The attempt with nothing in it that could change."""
    return attempt if isinstance(attempt.tree, FrozenDict) else replace(attempt, tree=FrozenDict(attempt.tree))


def frozen_row(row: JobRow) -> JobRow:
    """The job's own row with nothing in it that could change."""
    webhook = None if row.webhook is None else FrozenDict(row.webhook)
    return replace(row, labels=FrozenDict(row.labels), webhook=webhook)


def token_text(number: int) -> str:
    return f"tk{number:08d}"


def name_text(number: int) -> str:
    """The last part of a remote job's resource name."""
    return f"job{number:08d}"


def numbers_in(value: Any) -> frozenset[int]:
    """The numbers of all tokens and remote jobs that are named in a value."""
    kind = type(value)
    if kind is str:
        return frozenset(int(match[2]) for match in _NUMBERED.finditer(value)) if len(value) > 9 else _NONE
    if kind in _PLAIN or isinstance(value, Enum):
        return _NONE
    if isinstance(value, tuple):
        found = [numbers for part in value if (numbers := numbers_in(part))]
        return frozenset().union(*found) if found else _NONE
    return _remembered(
        _NUMBERS, value, lambda: numbers_in(tuple(getattr(value, name) for name in _field_names(type(value))))
    )


def renumbered(value: Any) -> Any:
    """The value with its tokens and remote jobs numbered without gaps; their order stays."""
    used = sorted(numbers_in(value))
    if not used or used[-1] == len(used):
        return value
    new = {old: number for number, old in enumerate(used, start=1) if old != number}

    def change(part: Any) -> Any:
        if isinstance(part, str):
            return _NUMBERED.sub(lambda match: f"{match[1]}{new.get(int(match[2]), int(match[2])):08d}", part)
        return part if new.keys().isdisjoint(numbers_in(part)) else _mapped(part, change)

    return change(value)


def older(value: Any, span: timedelta) -> Any:
    """The value once a span of time has passed."""

    def change(part: Any) -> Any:
        kind = type(part)
        if kind is datetime:
            return max(part - span, LONG_AGO)
        if kind in _PLAIN or kind is str or isinstance(part, Enum):
            return part
        if isinstance(part, tuple):
            return _mapped(part, change)
        return _remembered(_OLDER.setdefault(span, {}), part, lambda: _mapped(part, change))

    return change(value)


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """A value with each of its parts changed; what does not change stays the same object."""
    if isinstance(value, tuple):
        parts = [change(part) for part in value]
        if all(new is old for new, old in zip(parts, value, strict=True)):
            return value
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if type(value) in _PLAIN or isinstance(value, Enum):
        return value
    changes = {}
    for name in _field_names(type(value)):
        old = getattr(value, name)
        new = change(old)
        if new is not old:
            changes[name] = new
    return replace(value, **changes) if changes else value


def _field_names(kind: type) -> tuple[str, ...]:
    names = _FIELDS.get(kind)
    if names is None:
        names = _FIELDS[kind] = field_names(kind)
    return names


def _remembered(known: _Known, value: Any, find: Callable[[], Any]) -> Any:
    """What is known of this very value; found out once."""
    found = known.get(id(value))
    if found is None:
        if len(known) >= _MOST_KNOWN:
            known.clear()
        found = known[id(value)] = (value, find())
    return found[1]
