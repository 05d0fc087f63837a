from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from batchctl.model.packed_rows import FormedRows, PackedRows
from batchctl.model.sources import InlineRows, RequestRow

texts = st.text(st.characters(codec="utf-8"), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts, values, max_size=3)
rows = st.builds(RequestRow, st.none() | texts, objects, objects, st.booleans())


@given(st.lists(rows, max_size=3))
def test_packed_rows_are_the_rows(given_rows: list[RequestRow]) -> None:
    packed = PackedRows.of(given_rows)
    assert len(packed) == len(given_rows)
    assert list(packed) == given_rows
    assert repr(list(packed)) == repr(given_rows)  # with the order of members, and the kinds of numbers
    assert repr(packed) == repr(tuple(given_rows))
    assert packed == tuple(given_rows) == PackedRows.of(given_rows)
    assert InlineRows(packed) == InlineRows(tuple(given_rows))
    assert [packed[index] for index in range(len(packed))] == given_rows
    assert packed[1:] == tuple(given_rows[1:])


def test_formed_rows_are_the_rows_of_their_template() -> None:
    class Template:
        def filled(self, texts: Sequence[bytes]) -> bytes:
            return whole.replace(b"\xa1-", texts[0]).replace(b"\xa1+", texts[1])

    whole = PackedRows.of([RequestRow("-", {"x": "+"}), RequestRow("-", {})]).packed
    formed = FormedRows(Template(), ["a", "é"], 2)
    rows = (RequestRow("a", {"x": "é"}), RequestRow("a", {}))
    assert len(formed) == 2
    assert formed == rows
    assert formed == PackedRows.of(rows) == formed
    assert formed[0] == rows[0]
    assert formed != FormedRows(Template(), ["a", "e"], 2)


def test_other_rows_are_not_equal() -> None:
    packed = PackedRows.of([RequestRow("a", {"x": 1})])
    assert packed != PackedRows.of([RequestRow("b", {"x": 1})])
    assert packed != [RequestRow("a", {"x": 2})]
    assert packed != "a"
