"""Values that come one by one, for those who want them so, and many at a time for those who handle many at once."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Pieces(Iterator[Item], Generic[Item]):
    """A stream of values, each in a piece with its neighbours. It is read once: piece by piece, or one by one."""

    def __init__(self, pieces: Iterable[Iterable[Item]]) -> None:
        self.pieces = iter(pieces)
        self._each = chain.from_iterable(self.pieces)

    def __next__(self) -> Item:
        return next(self._each)

    def close(self) -> None:
        """Close what the pieces come from, as `close` of a generator does."""
        if isinstance(self.pieces, Generator):
            self.pieces.close()


def pieces_of(items: Iterable[Item]) -> Iterator[Iterable[Item]]:
    """The pieces of a stream; any other values are one piece."""
    return items.pieces if isinstance(items, Pieces) else iter((items,))


@contextmanager
def closed_after(items: Iterable[Item]) -> Iterator[Iterable[Item]]:
    """The stream, closed after the block: an error of the block may keep it, and with it what it reads from."""
    try:
        yield items
    finally:
        if isinstance(items, Pieces | Generator):
            items.close()
