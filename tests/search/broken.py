"""A promise that does not hold."""

from __future__ import annotations


class BrokenPromise(Exception):
    """A promise of the design does not hold here."""


def require(holds: object, words: str) -> None:
    """Raise BrokenPromise unless it holds."""
    if not holds:
        raise BrokenPromise(words)
