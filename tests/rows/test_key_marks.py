"""Keys that appear twice are suspected by a mark of 64 bits, and found by comparing them."""

from __future__ import annotations

import json
from contextlib import closing
from itertools import chain
from pathlib import Path

import pytest

from batchctl.model.errors import RowsError
from batchctl.model.kinds import Kind
from batchctl.model.locations import RowProblem
from batchctl.rows import aside, file_blocks, file_reading, key_marks, line_blocks, mark_sets
from batchctl.rows.key_marks import KeyMarks, mark_of
from batchctl.rows.reader import RowFiles
from batchctl.rows.whole_files import read_rows


@pytest.mark.parametrize("waiting", [1, 2, 3, 1000])
@pytest.mark.parametrize("in_memory", [1, 5, 1000])
def test_repeated_keys_are_suspected(waiting: int, in_memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mark_sets, "_WAITING", waiting)
    monkeypatch.setattr(aside, "_IN_MEMORY", in_memory)
    with closing(KeyMarks()) as marks:
        assert marks.repeated() == frozenset()
        marks.add([b"a", b"b", b"c"])
        assert marks.repeated() == frozenset()
        marks.add([b"d", b"b", b"a", b"b"])
        assert marks.repeated() == {mark_of(b"a"), mark_of(b"b")}
        marks.add([b"e"])
        marks.add([b"c"])
        assert marks.repeated() == {mark_of(b"a"), mark_of(b"b"), mark_of(b"c")}


@pytest.mark.parametrize(
    ("keys", "repeated"),
    [
        ([["a"], ["b", "c"], ["d"]], ""),
        ([["a", "a"]], "a"),
        ([["a"], ["a"]], "a"),
        ([["a", "b"], ["b", "c"]], "b"),
        ([["b"], [], ["a"], ["b"]], "b"),
        ([["a", "c", "b"], ["c"]], "c"),
        ([["a"], ["a\nb"], ["b"]], ""),
        ([["a"], ["a\nb"], ["a\nb"]], "a\nb"),
        ([["a", "b\nc"], ["b\nd"], ["b\nc"]], "b\nc"),
        ([["é", "Σ", "中", "\U0001f600"], ["Σ"]], "Σ"),
    ],
)
def test_keys_in_order_are_not_compared(keys: list[list[str]], repeated: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "_IN_MEMORY", 4)
    with closing(KeyMarks()) as marks:
        for some in keys:
            marks.add([key.encode() for key in some])
        assert marks.repeated() == ({mark_of(repeated.encode())} if repeated else frozenset())
    with closing(KeyMarks()) as marks:
        for key in chain.from_iterable(keys):
            marks.add_one(key.encode())
        assert marks.repeated() == ({mark_of(repeated.encode())} if repeated else frozenset())


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
