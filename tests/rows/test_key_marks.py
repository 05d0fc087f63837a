"""Keys that appear twice are suspected by a mark of 64 bits, and found by comparing them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchctl.model.errors import RowsError
from batchctl.model.kinds import Kind
from batchctl.model.locations import RowProblem
from batchctl.rows import file_blocks, file_reading, key_marks, line_blocks
from batchctl.rows.key_marks import KeyMarks, mark_of
from batchctl.rows.reader import RowFiles
from batchctl.rows.whole_files import read_rows


@pytest.mark.parametrize("at_once", [2, 3, 1000])
def test_repeated_keys_are_suspected(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_marks, "_AT_ONCE", at_once)
    marks = KeyMarks()
    assert marks.repeated() == frozenset()
    marks.add(["a", "b", "c"])
    assert marks.repeated() == frozenset()
    marks.add(["d", "b", "a", "b"])
    assert marks.repeated() == {mark_of("a"), mark_of("b")}


@pytest.mark.parametrize(
    ("keys", "repeated"),
    [
        ([["a"], ["b", "c"], ["d"]], ""),
        ([["a", "a"]], "a"),
        ([["a"], ["a"]], "a"),
        ([["a", "b"], ["b", "c"]], "b"),
        ([["b"], [], ["a"], ["b"]], "b"),
        ([["a", "c", "b"], ["c"]], "c"),
    ],
)
def test_keys_in_order_are_not_compared(keys: list[list[str]], repeated: str) -> None:
    marks = KeyMarks()
    for some in keys:
        marks.add(some)
    assert marks.repeated() == {mark_of(key) for key in repeated}


def written(path: Path, *keys: str) -> Path:
    path.write_text("".join(json.dumps({"key": key, "text": "x"}) + "\n" for key in keys))
    return path


def problems(path: Path) -> tuple[RowProblem, ...]:
    with pytest.raises(RowsError) as caught:
        RowFiles().fingerprint(path, Kind.BATCH_JOB)
    with pytest.raises(RowsError) as other:
        list(read_rows(path, Kind.BATCH_JOB))
    assert other.value.problems == caught.value.problems
    return caught.value.problems


def test_a_repeated_key_far_away_names_both_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_blocks, "BLOCK", 500)
    monkeypatch.setattr(file_blocks, "BLOCK", 500)
    keys = [f"k{number}" for number in range(300)]
    keys[250] = keys[251] = "k7"
    found = 'key "k7" is used on line 8 already'
    assert problems(written(tmp_path / "rows.jsonl", *keys)) == (RowProblem(251, found), RowProblem(252, found))


def test_keys_of_one_mark_are_no_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (key_marks, file_reading):
        monkeypatch.setattr(module, "mark_of", len)
    path = written(tmp_path / "rows.jsonl", "b", "a", "cc")
    assert RowFiles().fingerprint(path, Kind.BATCH_JOB).rows == 3
    assert len(list(read_rows(path, Kind.BATCH_JOB))) == 3
    written(path, "b", "a", "cc", "a")
    assert problems(path) == (RowProblem(4, 'key "a" is used on line 2 already'),)
