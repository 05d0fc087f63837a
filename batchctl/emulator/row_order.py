"""The order in which a job processes its rows, and reading stored lines in that order without loading them all.

A rule can shuffle the rows: blocks of lines come in another order, and so do the lines of each block. A job that ends
early has processed the first rows of that order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import chain, islice

from batchctl.emulator.json_lines import lines, offsets
from batchctl.emulator.store import Store

_BLOCK = 1000
"""The number of lines that are shuffled together."""


def processing_order(count: int, seed: int | None) -> Iterator[int]:
    """The positions of all rows in the order of processing; input order without a seed."""
    if seed is None:
        return iter(range(count))
    blocks = _shuffled(range(0, count, _BLOCK), seed)
    return chain.from_iterable(_shuffled(range(start, min(start + _BLOCK, count)), seed) for start in blocks)


def ordered_lines(store: Store, blob: str, seed: int | None) -> Iterator[tuple[int, bytes]]:
    """The position and the text of each line of a blob, in the order of processing."""
    if seed is None:
        yield from enumerate(lines(store.read(blob)))
        return
    starts = list(offsets(store.read(blob), _BLOCK))
    for first in _shuffled(range(0, len(starts) * _BLOCK, _BLOCK), seed):
        found = list(islice(lines(store.read(blob, starts[first // _BLOCK])), _BLOCK))
        for position in _shuffled(range(first, first + len(found)), seed):
            yield position, found[position - first]


def _shuffled(positions: range, seed: int) -> list[int]:
    return sorted(positions, key=lambda position: hashlib.blake2b(f"{seed}/{position}".encode()).digest())
