"""Streams of values in pieces: read in either way, and closed in time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from batchctl.model.pieces import Pieces, closed_after, pieces_of


def stream(closed: list[str]) -> Iterator[list[int]]:
    try:
        yield [1, 2]
        yield [3]
    finally:
        closed.append("closed")


def test_values_come_one_by_one_or_in_pieces() -> None:
    assert list(Pieces(stream([]))) == [1, 2, 3]
    assert list(pieces_of(Pieces(stream([])))) == [[1, 2], [3]]
    assert list(pieces_of([1, 2])) == [[1, 2]]


@pytest.mark.parametrize("wrap", [Pieces, lambda items: items], ids=["pieces", "generator"])
def test_an_error_closes_the_stream_though_it_keeps_it(wrap: type) -> None:
    closed: list[str] = []
    kept = wrap(stream(closed))

    def read() -> None:
        with closed_after(kept) as items:
            next(iter(items))
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        read()
    assert closed == ["closed"]


def test_other_values_need_no_closing() -> None:
    with closed_after([1]) as items:
        assert items == [1]
