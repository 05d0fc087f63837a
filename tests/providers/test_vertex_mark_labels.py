from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchctl.model.keys import AttemptKey, Mark, short_uid
from batchctl.providers.vertex.mark_labels import label_filter, mark_labels, own_labels, read_mark
from tests.support.scripted_api import MARK

LABELS = {
    "batchctl-stack": "demo",
    "batchctl-uid": "u1d2e3",
    "batchctl-job": "translate-fr",
    "batchctl-attempt": "2",
    "batchctl-shard": "0",
    "batchctl-digest": "0123456789ab",
    "batchctl-token": "tok3n5abcd",
}


def test_a_mark_as_labels():
    assert mark_labels(MARK) == LABELS
    assert read_mark({"team": "search", **LABELS}) == MARK


def test_the_digest_is_cut_to_the_length_of_a_mark():
    whole = Mark(MARK.stack, MARK.uid, MARK.key, "d1:" + "0123456789ab" + "c" * 52, MARK.token)
    assert mark_labels(whole) == LABELS


@pytest.mark.parametrize("name", LABELS)
def test_a_mark_that_lacks_a_part_is_none(name):
    assert read_mark({key: value for key, value in LABELS.items() if key != name}) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stack", ""),
        ("stack", "Demo"),
        ("stack", "demo/x@1.0 0123456789ab tok3n5abcd u1d2e3] [bc1 demo"),
        ("stack", "x" * 33),
        ("uid", "u1d2"),
        ("uid", "u1d2e3 "),
        ("job", "translate fr"),
        ("job", "a/b"),
        ("job", "translate-fr@2.0"),
        ("attempt", "0"),
        ("attempt", "02"),
        ("attempt", "2.0"),
        ("attempt", "-1"),
        ("attempt", 2),
        ("attempt", None),
        ("shard", "00"),
        ("shard", ""),
        ("shard", "x"),
        ("digest", "0123456789AB"),
        ("digest", "0123456789abc"),
        ("digest", "d1:0123456789ab"),
        ("token", "tok3n5abc"),
        ("token", "tok3n5abcd\n"),
        ("token", ["tok3n5abcd"]),
    ],
)
def test_a_mark_with_an_odd_part_is_none(name, value):
    assert read_mark({**LABELS, f"batchctl-{name}": value}) is None


NAME = st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True)
HEX = st.from_regex(r"[0-9a-f]{12}", fullmatch=True)
TOKEN = st.from_regex(r"[a-z0-9]{10}", fullmatch=True)


@given(NAME, st.text(max_size=20), NAME, st.integers(1, 999_999), st.integers(0, 99_999), HEX, TOKEN)
def test_every_mark_is_read_again_and_fits_into_labels(stack, uid, job, attempt, shard, digest, token):
    mark = Mark(stack, short_uid(uid), AttemptKey(job, attempt, shard), f"d1:{digest}", token)
    labels = mark_labels(mark)
    assert read_mark(labels) == mark
    assert all(re.fullmatch(r"[a-z0-9_-]{1,63}", text) for pair in labels.items() for text in pair)


@given(st.dictionaries(st.sampled_from(sorted(LABELS)), st.text(max_size=12) | st.none() | st.integers()))
def test_any_labels_can_be_read(changes):
    found = read_mark({**LABELS, **changes})
    assert found is None or mark_labels(found) == {**LABELS, **changes}


@pytest.mark.parametrize("uid", ["u1d2e3", "A Whole Uid"])
def test_the_filter_asks_for_the_stacks_own_jobs(uid):
    assert (
        label_filter(own_labels("demo-1", uid))
        == f"labels.batchctl-stack=demo-1 AND labels.batchctl-uid={short_uid(uid)}"
    )
