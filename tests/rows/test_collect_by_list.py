"""Results that are collected by the list of sent rows leave the same files as those collected by the input itself."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from batchctl.model.desired import DesiredJob
from batchctl.model.keys import AttemptKey
from batchctl.model.kinds import Kind
from batchctl.model.observed import RemoteJob
from batchctl.model.pieces import Pieces
from batchctl.model.ports.inputs import InputRow, SentRows
from batchctl.model.ports.results import Collected, CollectOptions
from batchctl.model.row_work import RowChoice, ShardLimits
from batchctl.model.sources import LocalFile
from batchctl.providers import result_lines, streamed_lines
from batchctl.providers.gemini.results import result_item
from batchctl.providers.result_lines import ResultLines
from batchctl.rows import file_part, list_join, result_writer, results
from batchctl.rows.asked_of_all import AskedOfAll
from batchctl.rows.encode import RowEncoder
from batchctl.rows.ledger import ResultsLedger
from batchctl.rows.match import RowJoin
from batchctl.rows.reader import RowFiles
from batchctl.rows.result_writer import ResultWriter
from batchctl.rows.results import ResultsFolder
from batchctl.rows.sent_list import find_list
from tests.support.decisions import job
from tests.support.row_files import content

COUNT = 120
Line = dict[str, Any]
Body = Callable[[Sequence[str]], Sequence[Line]]
KEYS: dict[str, Callable[[int], str | None]] = {
    "numbers with zeros": lambda number: f"k{number:04}",
    "numbers": lambda number: f"k{number}",
    "no order": lambda number: f"{number * 7919 % 1000:03}é",
    "none": lambda _: None,
    "some": lambda number: f"k{number}" if number % 3 else None,
}


def answer(key: str, text: str = '"hi"') -> Line:
    return {
        "key": key,
        "response": {
            "candidates": [{"content": {"parts": [{"text": text}]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 5, "totalTokenCount": 12},
            "modelVersion": "m",
        },
    }


def error(key: str) -> Line:
    return {"key": key, "error": {"code": 13, "message": "no"}}


def cut(key: str) -> Line:
    found = answer(key)
    found["response"]["candidates"][0]["finishReason"] = "MAX_TOKENS"
    return found


def shuffled(lines: Iterable[Line]) -> Sequence[Line]:
    found = list(lines)
    random.Random(0).shuffle(found)
    return found


def some(keys: Sequence[str], wanted: Callable[[str], Line], *numbers: int) -> Sequence[Line]:
    """Answers, and other results for these rows."""
    return [wanted(key) if number in numbers else answer(key) for number, key in enumerate(keys)]


BODIES: dict[str, Body] = {
    "answers": lambda keys: [*map(answer, keys)],
    "shuffled": lambda keys: shuffled(map(answer, keys)),
    "some failed": lambda keys: some(keys, error, 0, 50, 51, COUNT - 1),
    "all failed": lambda keys: [*map(error, keys)],
    "some cut": lambda keys: some(keys, cut, 30, 60),
    "some that are not JSON": lambda keys: some(keys, lambda key: answer(key, "hi"), 30, 31, 90),
    "failed, and not JSON": lambda keys: [
        *some(keys, error, 50)[:51],
        *some(keys, lambda key: answer(key, "hi"), 51, 52)[51:],
    ],
    "one form, but not JSON": lambda keys: [answer(key, "hi") for key in keys],
    "some hollow": lambda keys: some(keys, lambda key: {"key": key, "response": {}}, 30, 60),
    "one missing": lambda keys: [*map(answer, [*keys[:40], *keys[41:]])],
    "the last ones missing": lambda keys: [*map(answer, keys[:40])],
    "nothing": lambda _: [],
    "one twice": lambda keys: [*map(answer, keys), answer(keys[9])],
    "two answers": lambda keys: [*map(answer, keys), answer(keys[9], '"ho"')],
    "answered after an error": lambda keys: [*some(keys, error, 20, 70), answer(keys[70]), answer(keys[20])],
    "answered at once after an error": lambda keys: [*some(keys, error, 20)[:21], *map(answer, keys[20:])],
    "answered after nothing": lambda keys: [
        *some(keys, lambda key: {"key": key, "response": {}}, 20),
        answer(keys[20]),
        error(keys[21]),
    ],
    "failed after an answer": lambda keys: [*some(keys, cut, 20), error(keys[20]), error(keys[5])],
    "failed twice": lambda keys: [*some(keys, error, 20), error(keys[20]), {**error(keys[20]), "error": {"code": 3}}],
    "a stranger": lambda keys: [*map(answer, keys[:60]), answer("nobody"), *map(answer, keys[60:])],
    "more than a key": lambda keys: some(keys, lambda key: {**answer(key), "id": "x"}, 33),
}


def wanted_job(folder: Path, key_of: Callable[[int], str | None], **config: Any) -> DesiredJob:
    rows: list[Line] = [{"request": {"contents": [content(f"say {number}")]}} for number in range(COUNT)]
    keys = [key_of(number) for number in range(COUNT)]
    rows = [one if key is None else {"key": key, **one} for key, one in zip(keys, rows, strict=True)]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    summary = RowFiles().fingerprint(path, Kind.BATCH_JOB)
    source = LocalFile(path, summary.sha256, summary.rows)
    found = replace(job(work="1", model="gemini-2.5-flash"), source=source, sharding=ShardLimits())
    return replace(found, request={"generationConfig": config} if config else {})


def collect(folder: Path, wanted: DesiredJob, body: Body, *, known: SentRows | None) -> Collected:
    """Send and collect an attempt. `known` stands for the rows of the input."""
    inputs = RowEncoder()
    key = AttemptKey(wanted.name, 1)
    chosen = ResultsLedger(folder, "abc123", inputs).choose(wanted, key, "token", RowChoice(), lambda: "t1")
    assert not chosen.sent.listed, "a longer list than a record has"
    lines = body([row.sent["key"] for row in inputs.rows(wanted) or ()])
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
    chunks = (text[at : at + 700] for at in range(0, len(text), 700))
    pieces = ResultLines("x", result_item, lambda _: True, has_answer_lines=True).read(chunks, 2**20)
    remote = RemoteJob("batches/1", wanted.account, "x", None, "JOB_STATE_SUCCEEDED")
    marks = {"uid": "abc123", "token": "token"}
    options = CollectOptions(RowChoice(), sent=chosen.sent)
    return ResultsFolder(folder).collect(key, wanted.digest, remote, Pieces(pieces), known, marks, options)


def unread() -> Iterator[InputRow]:
    pytest.fail("the list has all that is needed of the rows")
    yield InputRow(None, None)


def files_in(folder: Path) -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@contextmanager
def in_memory(*asked: Any) -> Iterator[Any]:
    """A list as it is read where its file does not do alone."""
    yield find_list(*asked)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed_lines, "_AT_ONCE", 900)
    monkeypatch.setattr(result_lines, "_FEW", 1)
    monkeypatch.setattr(result_writer, "_FEW", 1)
    monkeypatch.setattr(file_part, "_AT_ONCE", 300)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    ("keys", "body"),
    [
        *product(["numbers with zeros", "none"], BODIES),
        *product(["numbers", "no order", "some"], ["some failed", "one missing", "two answers"]),
    ],
)
def test_the_files_are_those_of_a_collection_by_the_input(
    keys: str, body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = wanted_job(tmp_path / "input", KEYS[keys], responseMimeType="application/json")
    by_list = collect(tmp_path / "one", wanted, BODIES[body], known=SentRows(unread()))
    monkeypatch.setattr(results, "opened_list", in_memory)
    # Nothing is written before all results have come.
    add = RowJoin.add
    monkeypatch.setattr(RowJoin, "add", lambda *args: (add(*args), None)[1])
    monkeypatch.setattr(RowJoin, "add_answers", lambda *_: None)
    by_input = collect(tmp_path / "other", wanted, BODIES[body], known=SentRows(RowEncoder().rows(wanted) or ()))
    assert by_list == by_input
    assert files_in(tmp_path / "one") == files_in(tmp_path / "other")


@pytest.mark.parametrize("body", ["answers", "some failed", "all failed", "some cut", "the last ones missing"])
def test_rows_are_not_in_memory_while_results_come_in_their_order(
    body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_join, "RowTable", lambda *_: pytest.fail("the rows are in memory"))
    wanted = wanted_job(tmp_path / "input", KEYS["numbers with zeros"])
    collected = collect(tmp_path / "out", wanted, BODIES[body], known=SentRows(unread()))
    assert collected.came == len(BODIES[body]([f"{number}" for number in range(COUNT)]))


def test_answers_are_judged_by_what_was_asked_for_whatever_is_in_the_file_now(tmp_path: Path) -> None:
    wanted = wanted_job(tmp_path / "input", KEYS["numbers"], responseMimeType="application/json")
    collected = collect(tmp_path / "out", wanted, BODIES["one form, but not JSON"], known=None)
    assert (collected.ok, dict(collected.verdicts)) == (0, {"INVALID_JSON": COUNT})


@pytest.mark.parametrize("change", [lambda raw: raw[:-9], lambda raw: raw.replace(b"k0007", b"k0008"), lambda _: b""])
def test_a_damaged_list_is_not_used(
    change: Callable[[bytes], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = wanted_job(tmp_path / "input", KEYS["numbers with zeros"])

    def damaged(keys: Sequence[str]) -> Sequence[Line]:
        (path,) = (tmp_path / "out").rglob("*.rows")
        path.write_bytes(change(path.read_bytes()))
        return BODIES["some failed"](keys)

    collected = collect(tmp_path / "out", wanted, damaged, known=SentRows(RowEncoder().rows(wanted) or ()))
    assert (collected.ok, collected.failed) == (COUNT - 4, 4)


ASKED = {"form": "generated", "calls": False}


def row(asked: Any = None, **others: Any) -> Any:
    return InputRow(**{"key": "a", "request": None, "sent": {"key": "a"}, "asked": asked or dict(ASKED), **others})


@pytest.mark.parametrize(
    ("rows", "value"),
    [
        ([], None),
        ([row()], ASKED),
        ([row(), row()], ASKED),
        ([row(), row({**ASKED, "calls": True})], None),
        ([row({**ASKED, "calls": 0}), row()], None),
        ([row(), row(request={"contents": []})], None),
        ([row(members={"id": "x"})], None),
        ([row(sent={"custom_id": "a"})], None),
        ([row(key=None, sent={"key": "batchctl-r0"})], ASKED),
        ([row(key=None, sent={"key": "batchctl-r1"})], None),
        ([row(), InputRow("a", None, sent={"key": "a"})], None),
        ([row({**ASKED, "responseSchema": {"description": "x" * 2**16}})], None),
        ([row(members={"id": "x"}), row()], None),
    ],
)
def test_a_list_says_what_all_its_rows_ask_for(rows: Sequence[InputRow], value: Any) -> None:
    found = AskedOfAll()
    for one in rows:
        found.add(0, one)
    assert found.value == value


def test_rows_in_columns_ask_for_the_same_as_single_ones() -> None:
    found = AskedOfAll()
    found.add(0, row())
    found.add_columns(SimpleNamespace(asked=dict(ASKED)))  # type: ignore[arg-type]
    assert found.value == ASKED
    found.add_columns(SimpleNamespace(asked={**ASKED, "calls": True}))  # type: ignore[arg-type]
    found.add(0, row())
    assert found.value is None


@pytest.mark.parametrize("body", ["some failed", "some cut", "some that are not JSON", "some hollow"])
def test_a_result_that_is_not_good_takes_few_others_with_it(
    body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, read_one = [], ResultWriter._write_record
    monkeypatch.setattr(ResultWriter, "_write_record", lambda *args: (written.append(args[2]), read_one(*args)))
    wanted = wanted_job(tmp_path / "input", KEYS["numbers with zeros"], responseMimeType="application/json")
    found = collect(tmp_path / "one", wanted, BODIES[body], known=SentRows(unread()))
    assert found.ok + found.failed == COUNT
    assert found.failed <= len(written) <= 8 * found.failed


def test_answers_are_not_halved_where_many_are_not_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, look = [], ResultWriter._count_good
    monkeypatch.setattr(ResultWriter, "_count_good", lambda *args: (looks.append(1), look(*args))[1])
    wanted = wanted_job(tmp_path / "input", KEYS["numbers with zeros"], responseMimeType="application/json")
    found = collect(
        tmp_path / "one", wanted, lambda keys: some(keys, cut, *range(0, COUNT, 2)), known=SentRows(unread())
    )
    assert found.failed == COUNT // 2
    assert len(looks) < 10
