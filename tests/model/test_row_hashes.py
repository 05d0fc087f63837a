"""Hashes of rows whose keys are known beforehand are those of the same rows one by one."""

from __future__ import annotations

import pytest

from batchctl.model.row_hashes import MOST_BYTES, MOST_ROWS, KnownKeys, RowHashes

KEYS = {
    "none": [],
    "names": ["first", "second"],
    "without a key": [None, "b", None],
    "odd": ['%s "x"', "é\\", "%", "100%d"],
    "many": [str(number) for number in range(MOST_ROWS)],
    "too many": [str(number) for number in range(MOST_ROWS + 1)],
    "too long": ["a" * MOST_BYTES],
}


@pytest.mark.parametrize("name", KEYS)
def test_known_keys_give_the_same_hashes(name: str) -> None:
    keys, hashes = KEYS[name], RowHashes()
    lines = [f"row {number}".encode() for number in range(len(keys))]
    for key, line in zip(keys, lines, strict=True):
        hashes.add_line(key, line)
    known = KnownKeys.of(keys)
    assert known is not None
    assert known.hashes(lines) == hashes.text()
    assert (hashes.text() is None) == name.startswith("too")


def test_rows_with_one_name_are_not_known() -> None:
    assert KnownKeys.of(["a", "a"]) is None
    assert KnownKeys.of([None, "row 1"]) is None
