"""JSON lines: splitting a stream of bytes into lines, and writing values as a stream of lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from batchctl.emulator.wire import json_bytes

_BLOCK = 256 * 1024
"""The size of the pieces in which lines are written."""


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines in a stream of bytes, which may be split anywhere; blank lines are left out."""
    rest: list[bytes] = []
    for chunk in chunks:
        first, *more = chunk.split(b"\n")
        rest.append(first)
        for line in more:
            yield from _filled(b"".join(rest))
            rest = [line]
    yield from _filled(b"".join(rest))


def offsets(chunks: Iterable[bytes], every: int) -> Iterator[int]:
    """Where the first line begins, and each line that follows `every` more lines; blank lines are left out."""
    number = at = 0
    filled = False
    for chunk in chunks:
        for index, part in enumerate(chunk.split(b"\n")):
            filled = filled and index == 0
            if index:
                at += 1
            if not filled and part.strip():
                filled = True
                if number % every == 0:
                    yield at
                number += 1
            at += len(part)


def blocks(values: Iterable[object]) -> Iterator[bytes]:
    """The values as JSON lines, in pieces of similar size; the last piece may be empty."""
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
