"""JSON lines: reading a stream of bytes line by line, and writing values as a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from batchctl.emulator.wire import json_bytes

_BLOCK = 64 * 1024
"""Bytes of lines that are given out as one piece."""


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines in a stream of bytes, whatever its pieces; blank ones are left out."""
    rest: list[bytes] = []
    for chunk in chunks:
        first, *more = chunk.split(b"\n")
        rest.append(first)
        for line in more:
            yield from _filled(b"".join(rest))
            rest = [line]
    yield from _filled(b"".join(rest))


def blocks(values: Iterable[object]) -> Iterator[bytes]:
    """The values as JSON lines, in pieces of some size; the last one may be empty."""
    block = bytearray()
    for value in values:
        block += json_bytes(value) + b"\n"
        if len(block) >= _BLOCK:
            yield bytes(block)
            block.clear()
    yield bytes(block)


def _filled(line: bytes) -> Iterator[bytes]:
    if line.strip():
        yield line
