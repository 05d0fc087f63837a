"""Input rows without a result, between the results."""

from __future__ import annotations

import pytest

from batchctl.model.ports.inputs import InputRow
from batchctl.rows.missing import with_missing


@pytest.mark.parametrize(
    ("indexes", "found"),
    [
        ([], ["0!", "1!", "2!"]),
        ([0, 1, 2], ["0", "1", "2"]),
        ([1], ["0!", "1", "2!"]),
        ([0, 2], ["0", "1!", "2"]),
        ([2, None], ["0!", "1!", "2", "None"]),
        ([0, None, None], ["0", "1!", "2!", "None", "None"]),
        ([None], ["0!", "1!", "2!", "None"]),
        ([0, 7], ["0", "1!", "2!", "7"]),
        ([1, 1, 0], ["0!", "1", "1", "0", "2!"]),
    ],
)
def test_each_input_row_has_a_row(indexes: list[int | None], found: list[str]) -> None:
    rows = [{"index": index, "verdict": "OK"} for index in indexes]
    inputs = [InputRow(f"k{number}", None, {"n": number} if number else {}) for number in range(3)]
    made = list(with_missing(rows, inputs, {"attempt": 4}))
    assert [f"{row['index']}{'!' * (row['verdict'] == 'NO_RESULT')}" for row in made] == found
    for row in made:
        if row["verdict"] == "NO_RESULT":
            number = row["index"]
            assert (row["key"], row["input"], row["attempt"]) == (f"k{number}", {"n": number} if number else None, 4)


def test_a_row_that_was_not_sent_is_distinguished_from_one_without_a_result() -> None:
    inputs = [InputRow(f"k{number}", None) for number in range(3)]
    made = list(with_missing([{"index": 1, "verdict": "OK"}], inputs, {}, lambda row: row.key == "k0"))
    assert [row["verdict"] for row in made] == ["NO_RESULT", "OK", "NOT_SENT"]
    assert made[2]["error"] == {"message": "no attempt has sent this row yet"}
