from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchctl.model.slim_tree import PART, SlimTree, encode_part
from batchctl.state.cells import json_cell, read_tree
from tests.model.test_packed_rows import texts

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | texts
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts, values, max_size=3)
members = st.dictionaries(st.sampled_from(["api", "model", "request", "zebra"]), values | st.just({PART: None}))


@given(members, values, st.booleans())
def test_a_slim_tree_is_the_tree(others: dict[str, object], part: object, first: bool) -> None:
    tree = {PART: part, **others} if first else {**others, PART: part}
    slim = SlimTree({name: None if name == PART else value for name, value in tree.items()}, encode_part(part))
    assert slim == tree
    assert tree == slim
    assert dict(slim) == tree
    assert list(slim.items()) == list(tree.items())
    assert repr(slim) == repr(tree)  # with the kinds of numbers
    assert len(slim) == len(tree)
    assert json_cell(slim) == json_cell(tree)
    assert slim == SlimTree(dict(slim), encode_part(part))
    assert dict(slim.with_part(b"[1]")) == {**slim, PART: [1]}
    assert {**slim} == tree


def test_other_trees_are_not_equal() -> None:
    slim = SlimTree({"model": "m", PART: None}, b"1")
    assert slim != SlimTree({"model": "m", PART: None}, b"2")
    assert slim != SlimTree({"model": "n", PART: None}, b"1")
    assert slim != {"model": "m"}
    assert slim != 7
    with pytest.raises(KeyError):
        slim["api"]


@given(members, values, objects)
def test_a_cell_is_read_as_it_was_written(others: dict[str, object], part: object, request: dict[str, object]) -> None:
    for tree in (others, {**others, PART: part}, {**others, "request": {**request, PART: part}, PART: part}):
        found = read_tree(json_cell(tree))
        assert json_cell(found) == json_cell(tree)
        assert found == json.loads(json_cell(tree))


@pytest.mark.parametrize(
    "cell",
    [
        '{"request": {"source": {"rows": 1}}, "source": {"rows": 1}}',
        '{"source": 1, "source": 2}',
        '{"source":1}',
        '{"api": "source\\": 1", "source": 1}',
        '{"api": "\\"source\\": 1", "source": 1}',
        '{"source": null, "request": {"source": null}}',
    ],
)
def test_a_cell_whose_source_is_hard_to_find(cell: str) -> None:
    assert read_tree(cell) == json.loads(cell)


def test_trees_share_what_they_have_in_common() -> None:
    one, other = (read_tree(json_cell({"model": "m", PART: {"rows": rows}})) for rows in (1, 2))
    assert isinstance(one, SlimTree)
    assert isinstance(other, SlimTree)
    assert one._shared is other._shared
    assert (one[PART], other[PART]) == ({"rows": 1}, {"rows": 2})
