"""Rows that are chosen for a count of tokens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchctl.model.chain import Chain
from batchctl.model.desired import DesiredJob
from batchctl.model.kinds import Kind
from batchctl.model.sources import AwaitedRows, InlineRows, LocalFile, RequestRow
from batchctl.rows.samples import RowSamples
from tests.support.decisions import job
from tests.support.values import replace

DEFAULTS = {"systemInstruction": {"parts": [{"text": "Be brief."}]}}


def asked(text: str) -> dict[str, object]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}]}


def inline(number: int) -> DesiredJob:
    rows = tuple(RequestRow(f"k{index}", asked(str(index))) for index in range(number))
    return replace(job(), source=InlineRows(rows), request=DEFAULTS)


def in_file(path: Path, texts: list[str]) -> DesiredJob:
    lines = [json.dumps({"key": f"k{index}", "request": asked(text)}) for index, text in enumerate(texts)]
    path.write_text("".join(f"{line}\n" for line in lines))
    return replace(job(), source=LocalFile(path, "0" * 64, len(texts)), request=DEFAULTS)


def texts_of(one: DesiredJob, most: int) -> list[str]:
    return [row.request["contents"][0]["parts"][0]["text"] for row in RowSamples().sample(one, most)]


@pytest.mark.parametrize(
    ("number", "most", "expected"),
    [
        (0, 5, []),
        (1, 5, [0]),
        (5, 5, [0, 1, 2, 3, 4]),
        (7, 3, [0, 2, 4]),
        (10, 1, [0]),
        (100, 5, [0, 20, 40, 60, 80]),
        (5000, 5, [0, 40, 80, 120, 160]),
    ],
)
def test_rows_are_spread_over_the_first_ones(tmp_path: Path, number: int, most: int, expected: list[int]) -> None:
    wanted = list(map(str, expected))
    assert texts_of(inline(number), most) == wanted
    assert not number or texts_of(in_file(tmp_path / "rows.jsonl", list(map(str, range(number)))), most) == wanted


def test_a_row_is_as_it_is_sent_and_as_long(tmp_path: Path) -> None:
    [row] = RowSamples().sample(inline(1), 5)
    assert row.request == {**asked("0"), **DEFAULTS}
    assert row.size == len(json.dumps(row.request, separators=(",", ":")))
    [line] = RowSamples().sample(in_file(tmp_path / "rows.jsonl", ["0"]), 5)
    assert line.request == row.request
    assert line.size == len(json.dumps({"key": "k0", "request": row.request}, separators=(",", ":"))) + 1


def test_what_the_count_would_not_stand_for_is_not_chosen(tmp_path: Path) -> None:
    assert texts_of(replace(inline(3), kind=Kind.EMBEDDINGS_BATCH_JOB, model="gemini-embedding-001"), 5) == []
    assert texts_of(replace(inline(3), model="publishers/meta/models/llama-4"), 5) == []
    assert texts_of(replace(inline(3), source=AwaitedRows(Chain("first", "0" * 64))), 5) == []
    assert texts_of(in_file(tmp_path / "long.jsonl", ["a", "b" * 2**20]), 5) == []
