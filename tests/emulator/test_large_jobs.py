"""Large jobs: no row is checked, answered or read more often than necessary."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from batchctl.emulator.gemini import rows as gemini_rows
from batchctl.emulator.json_lines import lines, offsets
from batchctl.emulator.vertex import rows as vertex_rows
from tests.support.vertex_calls import Vertex, asked, from_gcs

ROWS = 40


def counted(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, calls: Counter[str]) -> None:
    function: Callable[..., Any] = getattr(module, name)

    def wrapper(*arguments: Any) -> Any:
        calls[name] += 1
        return function(*arguments)

    monkeypatch.setattr(module, name, wrapper)


def test_each_row_is_checked_once_and_answered_once(vertex: Vertex, monkeypatch: pytest.MonkeyPatch) -> None:
    for order in ("usual", "shuffled"):
        vertex.rules({"order": order})
        content = b"".join(json.dumps({"key": f"k{at}", **asked(f"t{at}")}).encode() + b"\n" for at in range(ROWS))
        calls: Counter[str] = Counter()
        for name in ("check_row", "answer_row"):
            counted(monkeypatch, gemini_rows, name, calls)
        job = vertex.create_from_file(vertex.upload(content)["name"])
        result = vertex.finish(job)["metadata"]["output"]["responsesFile"]
        assert calls == {"check_row": ROWS}
        assert len(vertex.http.get(f"/v1beta/{result}:download?alt=media").text.splitlines()) == ROWS
        assert calls == {"check_row": ROWS, "answer_row": ROWS}


def test_each_row_of_vertex_is_answered_once(vertex: Vertex, monkeypatch: pytest.MonkeyPatch) -> None:
    vertex.put("many.jsonl", *(asked(f"t{at}") for at in range(ROWS)))
    calls: Counter[str] = Counter()
    counted(monkeypatch, vertex_rows, "answer_row", calls)
    job = vertex.make(inputConfig=from_gcs("gs://in/many.jsonl"))
    vertex.pass_time("1h")
    vertex.see(job)
    assert len(vertex.output(job)) == ROWS
    assert calls == {"answer_row": ROWS}


@pytest.mark.parametrize("piece", [1, 3, 7, 1000])
def test_the_offsets_of_lines_are_found_in_pieces_of_any_size(piece: int) -> None:
    content = b"\n  \naa\r\n\nb\n c\n\n\ndd\n\t\nee"
    pieces = [content[start : start + piece] for start in range(0, len(content), piece)]
    found = list(lines([content]))
    for every in (1, 2, 3):
        starts = list(offsets(pieces, every))
        assert [next(lines([content[start:]])).strip() for start in starts] == [line.strip() for line in found[::every]]
