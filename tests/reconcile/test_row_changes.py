"""Which rows of a changed input changed: their keys, as far as the bounded hashes tell."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from batchctl.model.decision import Change
from batchctl.model.row_hashes import BEYOND, MOST_BYTES, MOST_ROWS, RowChanges, compare_rows, hash_rows
from batchctl.model.sources import RequestRow
from batchctl.reconcile.view.changes import describe_changes
from tests.support.decisions import Situation, attempt, job, look, row, seen
from tests.support.values import replace

HASH = "0123456789abcdef" * 4
OTHER = "fedcba9876543210" * 4


def rows(*items: str) -> str | None:
    """Hashes of rows `key=text`."""
    return hash_rows(RequestRow(key, {"text": text}) for key, _, text in (item.partition("=") for item in items))


@pytest.mark.parametrize(
    ("before", "after", "expected", "words"),
    [
        (
            ["a=1", "b=2"],
            ["a=1", "b=3"],
            RowChanges(2, changed=("b",)),
            "1 of 2 rows changed: b",
        ),
        (["a=1"], ["a=1", "b=2"], RowChanges(2, added=("b",)), "1 row added: b"),
        (["a=1", "b=2", "c=3"], ["b=2"], RowChanges(1, removed=("a", "c")), "2 rows removed: a, c"),
        (
            ["a=1", "b=2", "c=3"],
            ["d=1", "b=9", "c=3"],
            RowChanges(3, changed=("b",), added=("d",), removed=("a",)),
            "1 of 3 rows changed: b; 1 row added: d; 1 row removed: a",
        ),
        (["a=1", "b=2"], ["b=2", "a=1"], RowChanges(2), "the rows are the same in another order"),
        (["a=1"], ["a=2"], RowChanges(1, changed=("a",)), "1 of 1 row changed: a"),
        (
            [f"k{number}=1" for number in range(12)],
            [f"k{number}=2" for number in range(12)],
            RowChanges(12, changed=tuple(f"k{number}" for number in range(12))),
            "12 of 12 rows changed: k0, k1, k2, k3, k4, k5, k6, k7, k8, k9 and 2 more",
        ),
        ([], [f"{'k' * 60}=1"], RowChanges(1, added=("k" * 60,)), f"1 row added: {'k' * 39}…"),
    ],
)
def test_rows_are_told_apart(before: list[str], after: list[str], expected: RowChanges, words: str) -> None:
    found = compare_rows(rows(*before), rows(*after))
    assert (found, expected.words) == (expected, words)


def test_hashes_hold_no_text_and_tell_rows_of_22_apart() -> None:
    text = rows(*(f"new-{number}=secret words {number}" for number in range(22)))
    assert text is not None
    assert "secret" not in text
    found: dict[str, str] = json.loads(text)
    assert (list(found)[:2], len(set(found.values()))) == (["new-0", "new-1"], 22)


def many(number: int) -> Iterable[RequestRow]:
    return (RequestRow(str(one), {}) for one in range(number))


@pytest.mark.parametrize(
    ("given", "known"),
    [
        (many(MOST_ROWS), True),
        (many(MOST_ROWS + 1), False),
        (many(MOST_ROWS + 5), False),
        ([RequestRow("k" * MOST_BYTES, {})], False),
    ],
)
def test_the_hashes_are_bounded(given: Iterable[RequestRow], known: bool) -> None:
    assert (hash_rows(given) is not None) is known


@pytest.mark.parametrize("pair", [(None, None), (rows("a=1"), None), (None, rows("a=1"))])
def test_beyond_the_bound_or_in_an_older_state_nobody_knows(pair: tuple[str | None, str | None]) -> None:
    assert compare_rows(*pair) is None
    trees: list[dict[str, object]] = [{"source": {"rows": 5000, "sha256": hashed}} for hashed in (HASH, OTHER)]
    (change,) = describe_changes(*trees, pair)
    assert (change.rows, change.detail) == (None, BEYOND)


def test_a_source_that_is_sent_no_more_is_no_change_of_rows() -> None:
    sent, there = {"source": {"rows": 2, "sha256": HASH}}, {"source": {"uris": ["gs://b/a.jsonl"]}}
    for pair in ((sent, there), (there, sent)):
        (change,) = describe_changes(*pair, (rows("a=1"), rows("a=2")))
        assert (change.rows, change.detail) == (None, "")


def test_a_replacement_names_the_rows() -> None:
    before = {"source": {"rows": 2, "sha256": HASH}}
    record = replace(attempt(), tree=before, row_hashes=rows("a=1", "b=2"))
    wanted = replace(job(work="2"), tree={"source": {"rows": 2, "sha256": OTHER}}, row_hashes=rows("a=1", "b=3"))
    (planned,) = Situation(wanted, row(job(), record), look(seen(record))).decide().jobs
    words = "1 of 2 rows changed: b"
    assert planned.reason == f"its work changed; {words}; the old job is to be cancelled first"
    shown = ("2 rows, sha256:0123456789ab", "2 rows, sha256:fedcba987654")
    assert planned.changes == (Change("spec.src", *shown, RowChanges(2, changed=("b",)), words),)
