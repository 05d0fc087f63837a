"""The names of rows: found in any order, and indexed in time that grows with their number."""

from __future__ import annotations

import math
import random
import time

import pytest

from batchctl.rows.identities import Identities


def index_of(keys: list[str]) -> Identities:
    found = Identities()
    for key in keys:
        found.add({"key": key})
    found.close()
    return found


@pytest.mark.parametrize("is_shuffled", [False, True])
def test_each_key_finds_its_row(is_shuffled: bool) -> None:
    keys = [f"k{number}" for number in range(300)]
    names = index_of(keys)
    order = list(range(300))
    if is_shuffled:
        random.Random(1).shuffle(order)
    for row in order:
        found = names.next_owner(keys[row])
        assert (names.owner({"key": keys[row]}) if found is None else found) == row
    assert names.owner({"key": "other"}) is None


def test_a_key_of_two_rows_finds_none() -> None:
    names = index_of(["a", "b", "a"])
    assert names.next_owner("a") is None
    assert names.owner({"key": "a"}) is None
    assert names.owner({"key": "b"}) == 1


def test_the_time_of_an_index_grows_with_the_rows() -> None:
    """A list of all rows so far was made for each row: eight times as many rows took forty times as long."""

    def seconds(rows: int) -> float:
        keys = [f"k{number}" for number in range(rows)]
        start = time.process_time()
        index_of(keys)
        return time.process_time() - start

    few = many = math.inf
    for measured in range(20):
        # What else the machine does makes a measurement longer, and not each of them.
        few, many = min(few, seconds(4_000)), min(many, seconds(32_000))
        if measured >= 2 and many < 24 * few:
            return
    pytest.fail(f"{many} s for eight times as many rows as in {few} s")
