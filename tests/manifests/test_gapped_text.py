"""A text with gaps gives the same by its pieces, for the first texts, and by one pattern, for all later ones."""

from __future__ import annotations

import pytest

from batchctl.manifests.gapped_text import FEW, GappedText
from batchctl.manifests.text_gaps import TextGap

TEXT = 'name: a\ntitle: "b" # c\n'
GAPS = [
    TextGap(("name",), 6, 6, 7, r"[a-z]++(?= *\n)", None),
    TextGap(("title",), 15, 16, 17, r'[^"]*+(?=")', None),
]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (TEXT, (["a", "b"], 16)),
        ('name: abc\ntitle: "" # c\n', (["abc", ""], 18)),
        ('name: a\ntitle: "b"  # c\n', None),
        ('name: a\ntitle: "b" # c\n\n', None),
        ('name: a\ntitle: "b" # c', None),
        ('Name: a\ntitle: "b" # c\n', None),
        ('name: 1\ntitle: "b" # c\n', None),
        ('name: a \ntitle: "b" # c\n', None),
        ("", None),
    ],
)
def test_both_ways_give_the_same(text: str, found: tuple[list[str], int] | None) -> None:
    gapped = GappedText(TEXT, GAPS, asked=1)
    assert gapped.find(text) == found
    for _ in range(FEW):
        gapped.find(TEXT)
    later = gapped.find(text)
    assert later == (None if found is None else (tuple(found[0]), found[1]))
