"""The split of a block of lines at the texts that a form has around its gaps."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from batchctl.model.forms.splitting import between, split

FORM = (b'{"key": "', b'", "text": "', b'"}\n')


@pytest.mark.parametrize(
    ("block", "columns"),
    [
        (b'{"key": "a", "text": "b"}\n', [[b"a"], [b"b"]]),
        (b'{"key": "", "text": ""}\n{"key": "c", "text": "d"}\n', [[b"", b"c"], [b"", b"d"]]),
        # A text that is around gaps may be inside a gap: whether it is allowed there is proven elsewhere.
        (b'{"key": "a", "text": "b", "text": "c"}\n', [[b"a"], [b'b", "text": "c']]),
        (b'{"key": "a", "text": "b"}\n{"text": "c"}\n', [[b"a"], [b'b"}\n{"text": "c']]),
        (b'{"key": "a"}\n', None),
        (b'{"key": "a", "text": "b"}\n{"key": "c"}\n', None),
        (b'{"key": "a", "text": "b"}', None),
        (b' {"key": "a", "text": "b"}\n', None),
        (b'{"key": "a", "text": "b"}\n\n', None),
        (b'{"key": "a", "text": "b"}\n{}\n', None),
        (b"", None),
    ],
)
def test_columns(block: bytes, columns: Sequence[Sequence[bytes]] | None) -> None:
    found = split(block, FORM)
    assert (None if found is None else [list(column) for column in found]) == columns


@pytest.mark.parametrize(
    ("block", "around"),
    [
        (b"ab\nab1bb\n", (b"ab", b"b\n")),
        (b"ab1bb\nab\n", (b"ab", b"b\n")),
        (b"ab\nab\n", (b"ab", b"b\n")),
    ],
    ids=["first line", "last line", "both lines"],
)
def test_a_line_needs_both_its_ends(block: bytes, around: Sequence[bytes]) -> None:
    """The same bytes cannot be the end of what is before the gap and the start of what follows it."""
    assert split(block, around) is None


def test_random_blocks_are_split_where_they_were_joined() -> None:
    draw = random.Random(7)
    for _ in range(300):
        gaps = draw.randrange(1, 5)
        around = [_text(draw, "{}:", 1) for _ in range(gaps)] + [_text(draw, "{}:", 1) + b"\n"]
        rows = [[_text(draw, "ab ", 0) for _ in range(gaps)] for _ in range(draw.randrange(1, 9))]
        block = b"".join(
            b"".join(part for both in zip(around, [*row, b""], strict=True) for part in both) for row in rows
        )
        found = split(block, around)
        assert found is not None
        assert [list(row) for row in zip(*found, strict=True)] == rows


def test_the_texts_of_a_line_around_its_gaps() -> None:
    line = b'{"key": "a", "text": "b"}'
    assert tuple(between(line, [(9, 10), (22, 23)])) == FORM


def _text(draw: random.Random, characters: str, least: int) -> bytes:
    return "".join(draw.choices(characters, k=draw.randrange(least, 5))).encode()
