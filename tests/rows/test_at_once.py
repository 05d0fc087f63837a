"""Rows and results that are handled many at once leave the same files as the same ones one by one."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from batchctl.model.answer_lines import AnswerLines
from batchctl.model.desired import DesiredJob
from batchctl.model.keys import AttemptKey
from batchctl.model.kinds import Kind
from batchctl.model.observed import RemoteJob
from batchctl.model.pieces import Pieces, pieces_of
from batchctl.model.ports.inputs import SentRows
from batchctl.model.ports.providers import ResultItem
from batchctl.model.ports.results import CollectOptions
from batchctl.model.row_work import RowChoice, RowOrder, RowsToSend, ShardLimits
from batchctl.model.sources import LocalFile
from batchctl.providers import result_lines, streamed_lines
from batchctl.providers.gemini.results import result_item
from batchctl.providers.result_lines import ResultLines
from batchctl.rows import file_blocks, line_blocks, result_writer, spool
from batchctl.rows.encode import RowEncoder
from batchctl.rows.ledger import ResultsLedger
from batchctl.rows.line_forms import LineForms
from batchctl.rows.reader import RowFiles
from batchctl.rows.result_writer import ResultWriter
from batchctl.rows.results import ResultsFolder
from tests.support.decisions import job
from tests.support.row_files import TEXTS, content

CHOICES = [
    RowChoice(),
    RowChoice(),
    RowChoice(RowsToSend.ALL),
    RowChoice(RowsToSend.NEVER_SENT),
    RowChoice(most=5),
    RowChoice(order=RowOrder(keys=frozenset({"k3", "k7"}))),
]
SETTINGS: list[dict[str, Any]] = [
    {},
    {"maxOutputTokens": 9},
    {"responseMimeType": "application/json"},
    {"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": ["hi", "é"]}},
]
USAGES: list[Any] = [
    {"promptTokenCount": 7, "candidatesTokenCount": 5, "totalTokenCount": 12},
    {"promptTokenCount": 7, "candidatesTokenCount": 5, "totalTokenCount": 12},
    {"promptTokenCount": 7, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 7}], "totalTokenCount": 7},
    {"promptTokenCount": 7, "candidatesTokenCount": 5, "totalTokenCount": 15, "thoughtsTokenCount": 3},
    {"promptTokenCount": 200_001, "candidatesTokenCount": 5, "totalTokenCount": 200_006},
    {"prompt_token_count": 7, "promptTokenCount": 8},
    {"promptTokenCount": "7", "totalTokenCount": None},
    {"promptTokenCount": -1},
    {"totalTokenCount": 2**40},
    {},
]


def input_of(draw: random.Random, path: Path) -> DesiredJob:
    """A job over a file of rows that mostly have one form."""
    is_tidy = draw.random() < 0.5
    lines = []
    for number in range(draw.choice([30, 120])):
        text = TEXTS[number % len(TEXTS)] if is_tidy else draw.choice(TEXTS)
        row = {"key": f"k{number}", "request": {"contents": [content(f"{text}{number}")]}}
        if is_tidy:
            row["key"] = f"k{number:03}"
        elif draw.random() < 0.05:
            row |= draw.choice([{"custom_id": f"c{number}"}, {"request": {"contents": [content("same")]}}])
        elif draw.random() < 0.02:
            del row["key"]
        lines.append(json.dumps(row, ensure_ascii=draw.random() < 0.5))
    path.write_bytes(draw.choice(["\n", "\r\n"]).join(lines).encode() + draw.choice([b"", b"\n"]))
    summary = RowFiles().fingerprint(path, Kind.BATCH_JOB)
    found = job(work="1", model="gemini-2.5-flash")
    limits = draw.choice([ShardLimits(), ShardLimits(), ShardLimits(rows=40), ShardLimits(bytes=6000)])
    defaults = {"generationConfig": draw.choice(SETTINGS)}
    source = LocalFile(path, summary.sha256, summary.rows)
    return replace(found, source=source, request=defaults, sharding=limits)


def answers_of(draw: random.Random, keys: Sequence[str | None]) -> bytes:
    """A result file, mostly of answers of the usual form."""
    oddness, usage = draw.choice([0.0, 0.02, 0.2]), draw.choice(USAGES)
    lines = []
    for key in keys:
        text = draw.choice(
            ["hi", "hi", "é", "%", '"5"', "\\", "null", " "] if draw.random() < oddness else ["hi", '"5"']
        )
        parts = [{"text": text, **draw.choice([{}, {"thoughtSignature": "aGk="}])}]
        answer = {
            "candidates": [{"content": {"parts": parts, "role": "model"}, "finishReason": "STOP", "index": 0}],
            "usageMetadata": draw.choice(USAGES) if draw.random() < oddness else usage,
            "modelVersion": draw.choice(["gemini-2.5-flash-001", "gemini-2.5-flash-002"]),
            "avgLogprobs": -0.25,
        }
        line: dict[str, Any] = {"key": key, "response": answer}
        if draw.random() < oddness:
            odd = draw.choice(range(7))
            if odd == 0:
                line = {"key": key, "error": {"code": 13, "message": "no"}}
            elif odd == 1:
                answer["candidates"][0]["finishReason"] = "MAX_TOKENS"
            elif odd == 2:
                line["custom_id"] = "c1"
            elif odd == 3:
                answer["avgLogprobs"] = None
            elif odd == 4:
                answer["candidates"] = []
            elif odd == 5:
                del line["key"]
            else:
                continue
        written = json.dumps(line, ensure_ascii=draw.random() < 0.5)
        lines += [written] * (2 if draw.random() < oddness / 4 else 1)
        lines += [""] * (draw.random() < oddness / 4)
        lines += ["{broken"] * (draw.random() < oddness / 8)
    if draw.random() < oddness * 2:
        draw.shuffle(lines)
    return "\n".join(lines).encode() + draw.choice([b"", b"\n"])


def chunks_of(content: bytes, size: int) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


def run(folder: Path, wanted: DesiredJob, choice: RowChoice, body: Callable[[Sequence[str]], bytes]) -> object:
    """Choose, send and collect; gives everything that is left."""
    assert isinstance(wanted.source, LocalFile)
    inputs, numbers = RowEncoder(), itertools.count()
    ledger = ResultsLedger(folder, "abc123", inputs)
    key = AttemptKey(wanted.name, 1)
    chosen = ledger.choose(wanted, key, "token", choice, lambda: f"t{next(numbers)}")
    rows = list(inputs.rows(wanted) or ())
    positions = range(len(rows)) if chosen.positions is None else chosen.positions
    content = body([rows[position].sent["key"] for position in positions])
    pieces = ResultLines("x", result_item, lambda _: True, has_answer_lines=True).read(chunks_of(content, 700), 2**20)
    remote = RemoteJob("batches/1", wanted.account, "x", None, "JOB_STATE_SUCCEEDED")
    known, marks = SentRows(inputs.rows(wanted) or ()), {"uid": "abc123", "token": "token"}
    options = CollectOptions(choice, shards=1 + len(chosen.others), sent=chosen.sent)
    found = ResultsFolder(folder).collect(key, wanted.digest, remote, Pieces(pieces), known, marks, options)
    return chosen, found, {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, size in (
        (line_blocks, "BLOCK", 1000),
        (file_blocks, "BLOCK", 1000),
        (streamed_lines, "_AT_ONCE", 900),
        (result_lines, "_FEW", 1),
        (result_writer, "_FEW", 1),
        (spool, "_RUN", 1500),
    ):
        monkeypatch.setattr(module, name, size)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("seed", range(80))
def test_the_files_are_the_same(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(seed)
    wanted, choice, own = input_of(draw, tmp_path / "rows.jsonl"), draw.choice(CHOICES), draw.random()
    at_once = run(tmp_path / "one", wanted, choice, lambda keys: answers_of(random.Random(own), keys))
    monkeypatch.setattr(LineForms, "read", lambda _forms, _block, _around=None: None)
    monkeypatch.setattr(ResultLines, "_answers", lambda _lines, _chunk: None)
    monkeypatch.setattr(ResultWriter, "_write_good", lambda _writer, _numbers, _settled: False)
    assert at_once == run(tmp_path / "other", wanted, choice, lambda keys: answers_of(random.Random(own), keys))


@pytest.mark.usefixtures("small_blocks")
def test_rows_and_answers_of_one_form_are_handled_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [{"key": f"k{number:03}", "request": {"contents": [content(f"hi {number}")]}} for number in range(200)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    summary = RowFiles().fingerprint(path, Kind.BATCH_JOB)
    wanted = replace(
        job(work="1", model="gemini-2.5-flash"),
        source=LocalFile(path, summary.sha256, summary.rows),
        sharding=ShardLimits(),
    )
    written = []
    write_one = ResultWriter._write_one
    monkeypatch.setattr(ResultWriter, "_write_one", lambda *args: (written.append(args[1]), write_one(*args)))
    draw = random.Random(0)
    monkeypatch.setattr(draw, "choice", lambda values: values[0])
    monkeypatch.setattr(draw, "random", lambda: 1.0)
    run(tmp_path / "out", wanted, RowChoice(), lambda keys: answers_of(draw, keys))
    assert len(written) < 10, "the first block of lines shows that there are rows; all others are read at once"


def test_answers_are_items_for_those_who_want_them_one_by_one() -> None:
    lines = AnswerLines(["a", "b"], [b'{"candidates":[1]}', b'{"candidates":[2]}'])
    single = ResultItem("c", None, error={"code": 1})
    stream = Pieces([lines, (single,)])
    assert next(stream) == ResultItem("a", None, {"candidates": [1]})
    assert [item.key for item in stream] == ["b", "c"]
    assert [list(piece) for piece in pieces_of([single])] == [[single]]


def test_closing_a_stream_closes_its_source() -> None:
    closed = []

    def source() -> Iterator[Sequence[int]]:
        try:
            yield (1, 2)
        finally:
            closed.append(True)

    stream = Pieces(source())
    assert next(stream) == 1
    stream.close()
    assert closed == [True]


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(("text", "unmatched"), [("hi", 0), ("ho", 1)])
@pytest.mark.parametrize("strangers", [0, 1, 6])  # six are a block by themselves
def test_a_second_answer_of_a_row_is_compared_with_the_one_that_was_written(
    text: str, unmatched: int, strangers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first answers are in the file as soon as they come, unless other results came before them."""
    draw = random.Random(0)
    monkeypatch.setattr(draw, "random", lambda: 0.4)
    wanted = replace(input_of(draw, tmp_path / "rows.jsonl"), request={})
    waiting: list[range] = []
    good = ResultWriter._write_good
    monkeypatch.setattr(ResultWriter, "_write_good", lambda *args: (waiting.append(args[1]), good(*args))[1])

    def body(keys: Sequence[str]) -> bytes:
        usage: dict[str, Any] = {"usageMetadata": USAGES[0], "modelVersion": "m"}
        texts = [{"content": {"parts": [{"text": f"hi {key}"}]}, "finishReason": "STOP"} for key in keys]
        lines = [{"key": key, "response": {"candidates": [one], **usage}} for key, one in zip(keys, texts, strict=True)]
        again = json.loads(json.dumps(lines[3]).replace('"hi ', f'"{text} '))
        others = [{**lines[0], "key": f"s{number}"} for number in range(strangers)]
        return "".join(json.dumps(line) + "\n" for line in [*others, *lines, again]).encode()

    unmatched += strangers
    _, found, files = run(tmp_path / "out", wanted, RowChoice(), body)  # type: ignore[misc]
    assert (found.ok, found.unmatched) == (found.came, unmatched)
    assert len(files["results.jsonl"].splitlines()) == found.came + unmatched
    assert strangers or len(waiting) <= 1, "no answer but the last ones waited"
