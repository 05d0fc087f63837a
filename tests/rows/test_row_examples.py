"""A few rows of each verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from batchctl.model.json_value import Json
from batchctl.model.row_examples import EXAMPLES, RowExample
from batchctl.rows.row_examples import find_examples


def row(index: int, verdict: str, **more: Json) -> dict[str, Json]:
    return {"key": f"k{index}", "index": index, "verdict": verdict, "response": None, "error": None, **more}


def test_the_first_rows_of_each_wanted_verdict_with_the_words_of_the_api() -> None:
    rows = [
        row(0, "OK"),
        row(1, "INTERNAL", error={"message": "m" * 300}),
        row(2, "SAFETY", key=None, response={"candidates": [{"finishMessage": "unsafe"}]}),
        *(row(number, "INTERNAL", error={"code": 13}) for number in range(3, 9)),
    ]
    found = find_examples(rows, {"INTERNAL": 7, "SAFETY": 1, "EMPTY": 0})
    assert found == {
        "INTERNAL": (RowExample("k1", 1, "m" * 256), RowExample("k3", 3, ""), RowExample("k4", 4, "")),
        "SAFETY": (RowExample(None, 2, "unsafe"),),
    }
    assert [one.name for one in (*found["SAFETY"], RowExample("a", 1, ""), RowExample(None, None, ""))] == [
        "(row 2)",
        "a",
        "(no key)",
    ]


def test_it_reads_no_further_than_needed() -> None:
    read: list[int] = []

    def rows() -> Iterator[Mapping[str, Json]]:
        for number in range(1000):
            read.append(number)
            yield row(number, "INTERNAL")

    assert len(find_examples(rows(), {"INTERNAL": 1000})["INTERNAL"]) == EXAMPLES
    assert len(read) == EXAMPLES
    assert find_examples(rows(), {}) == {}
    assert len(read) == EXAMPLES


def test_a_verdict_that_no_row_has_gives_no_example() -> None:
    assert find_examples([row(0, "OK")], {"NO_RESULT": 2}) == {"NO_RESULT": ()}
