"""Parameters of a request, and pages of a list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from msgspec import Struct

from batchctl.model.errors import UsageError
from batchctl.server.view import Document

DEFAULT_LIMIT = 100
MOST_ITEMS = 1000
_MOST_DIGITS = 12


class Query:
    """The parameters of a request. Unknown ones are errors, so that a misspelt filter does not show everything."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, list[str]] = {}
        self._given: dict[str, None] = {}
        for name, value in pairs:
            self._given[name] = None
            if value:
                # An empty field of a form is not filled in.
                self._values.setdefault(name, []).append(value)

    def require(self, known: Sequence[str]) -> None:
        """Raise UsageError for a parameter that is not one of these."""
        for name in self._given:
            if name not in known:
                hint = f"one of: {', '.join(known)}" if known else "this address has no parameters"
                raise UsageError(f"unknown parameter {name!r}", hint=hint)

    def all(self, name: str) -> tuple[str, ...]:
        """All values of a parameter that may be repeated."""
        return tuple(self._values.get(name, ()))

    def one(self, name: str) -> str | None:
        """The value of a parameter; None if it is not given. Raises UsageError if it is repeated."""
        values = self._values.get(name, [])
        if len(values) > 1:
            raise UsageError(f"{name} is given {len(values)} times", hint="give it once")
        return values[0] if values else None

    def number(self, name: str) -> int | None:
        """A number from 0; None if it is not given. Raises UsageError."""
        text = self.one(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
            raise UsageError(f"{name} is not a number from 0: {text!r}", hint=f"such as {name}=100")
        return int(text)

    def flag(self, name: str) -> bool:
        """Whether a parameter is `true`. Raises UsageError for another value than `true` and `false`."""
        text = self.one(name)
        if text not in {None, "true", "false"}:
            raise UsageError(f"{name} is neither true nor false: {text!r}", hint=f"such as {name}=true")
        return text == "true"

    def limit(self, default: int = DEFAULT_LIMIT, most: int = MOST_ITEMS) -> int:
        """The largest number of items. Raises UsageError."""
        limit = self.number("limit")
        if limit is not None and not 1 <= limit <= most:
            raise UsageError(f"limit is {limit}", hint=f"from 1 to {most}")
        return default if limit is None else limit


NO_QUERY = Query()
"""All defaults."""


class Page(Struct, frozen=True):
    """A part of a list."""

    items: Sequence[Document]
    total: int
    matched: int
    next: str | None

    @property
    def members(self) -> Document:
        """The members of every page."""
        return {"total": self.total, "matched": self.matched, "items": list(self.items), "next": self.next}


def cut(matched: Sequence[Document], total: int, query: Query) -> Page:
    """The page that `cursor` and `limit` ask for. Raises UsageError."""
    start, limit = query.number("cursor") or 0, query.limit()
    end = start + limit
    return Page(matched[start:end], total, len(matched), str(end) if end < len(matched) else None)


def whole(matched: Sequence[Document], total: int) -> Page:
    """One page with everything."""
    return Page(matched, total, len(matched), None)


def count(values: Iterable[str]) -> Mapping[str, int]:
    """How often each value occurs, in the order of its first occurrence."""
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return counts


def first(items: Iterable[Document], most: int) -> list[Document]:
    """The first items."""
    return list(islice(items, most))
