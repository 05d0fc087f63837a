"""A streamed body, line by line, with a bound on what one line may be. Knows nothing of what stands in a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from batchctl.model.errors import BadReply

LINE_LIMIT = 64 * 2**20
"""Bytes of one line that are held."""


class LineTooLong(BadReply):
    """A line goes on beyond the limit: no file of rows has such a one."""


def lines(chunks: Iterable[bytes], limit: int, what: str) -> Iterator[bytes]:
    """The lines without their ends; the last one is empty when the body ends with a line end. Raises LineTooLong."""
    pending: list[bytes] = []
    size = 0
    for chunk in chunks:
        *whole, rest = chunk.split(b"\n")
        for piece in whole:
            yield b"".join((*pending, piece))
            pending, size = [], 0
        pending.append(rest)
        size += len(rest)
        if size > limit:
            raise LineTooLong(f"{what}: a line is longer than {limit} bytes")
    yield b"".join(pending)
