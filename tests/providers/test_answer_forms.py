"""Answers that are read by their form are those that decoding their lines gives, byte by byte."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from batchctl.model.answer_lines import AnswerLines, FormedAnswers
from batchctl.model.ports.providers import ResultItem
from batchctl.model.result_json import encoded
from batchctl.providers import result_lines, streamed_lines
from batchctl.providers.answer_forms import AnswerForms
from batchctl.providers.gemini.results import result_item
from batchctl.providers.result_lines import ResultLines

TEXTS = [
    "hi",
    "",
    " ",
    "é",
    "Ж😀",
    'a "b"\n\\',
    "null",
    "\u2028",
    "/",
    "\x7f",
    "x" * 300,
    '"},{"text":"',
    "b3c9f1d27a64e850-0001",
]
COUNTS: list[Any] = [7, 7, 7, 0, -1, 10**18, 10**30, "7", None, 7.0, True]
LOGS: list[Any] = [-0.25, -1e-05, -1e-300, 2.5e20, -0.0, 3, 10**25, None, "NaN", 0.1 + 0.2]
ODD = [
    b"",
    b"{broken",
    b"[]",
    b'{"key":"a","response":{"candidates":[1]},"key":"b"}',
    b'{"key":"a","response":{"candidates":[{"content":{"parts":[{"text":"a","text":"b"}]}}]}}',
    b'{"key":"a","response":{"candidates":[{"content":{"parts":[{"text":"\\ud800"}]}}]}}',
    b'{"key":"a","response":{"candidates":[{"content":{"parts":[{"text":"\xff"}]}}]}}',
    b'{"key":"a","response":{"candidates":[]}}',
    b'{"key":5,"response":{"candidates":[1]}}',
    b'{"key":"a","error":{"code":3}}',
]


def answer(draw: random.Random, oddness: float) -> dict[str, Any]:
    """An answer, mostly with the members and the order that all others have."""

    def odd(usual: Any, values: Sequence[Any]) -> Any:
        return draw.choice(values) if draw.random() < oddness else usual

    count = draw.randint(0, 99)
    usage = {
        "promptTokenCount": odd(count, COUNTS),
        "candidatesTokenCount": 5,
        "totalTokenCount": odd(count + 5, COUNTS),
    }
    if draw.random() < oddness:
        usage |= {"promptTokensDetails": [{"modality": "TEXT", "tokenCount": count}], "thoughtsTokenCount": 3}
    return {
        "candidates": [
            {
                "content": {"parts": [{"text": odd(draw.choice(TEXTS), TEXTS)}], "role": "model"},
                "finishReason": odd("STOP", ["MAX_TOKENS", None]),
                "avgLogprobs": odd(-draw.random(), LOGS),
            }
        ],
        "usageMetadata": usage,
        "modelVersion": odd("gemini-2.5-flash", ["other", None]),
        "responseId": str(draw.randint(0, 10**9)),
    }


def body_of(draw: random.Random) -> bytes:
    """A result file as one program writes it, with some lines of other forms."""
    oddness, has_logs = draw.choice([0.0, 0.01, 0.2]), draw.random() < 0.5
    spaces, is_ascii = draw.choice([(", ", ": "), (",", ":")]), draw.random() < 0.5
    lines = []
    for number in range(draw.choice([5, 60])):
        response = answer(draw, oddness)
        if not has_logs:
            del response["candidates"][0]["avgLogprobs"]
        key = draw.choice(TEXTS) if draw.random() < oddness else f"k{number}"
        line = json.dumps({"key": key, "response": response}, separators=spaces, ensure_ascii=is_ascii).encode()
        if draw.random() < oddness / 2:
            line = line.replace(b"hi", draw.choice([b"\\u0068i", b"\\/", b"h\\u0069"]))
        lines.append(draw.choice(ODD) if draw.random() < oddness / 4 else line)
    return draw.choice([b"\n", b"\n", b"\r\n"]).join(lines) + draw.choice([b"", b"\n"])


def read(body: bytes, size: int) -> Iterator[tuple[str | None, bytes | ResultItem]]:
    """All results: answers with the bytes that are kept of them."""
    chunks = (body[at : at + size] for at in range(0, len(body), size))
    for piece in ResultLines("x", result_item, lambda _: True, has_answer_lines=True).read(chunks, 2**20):
        if isinstance(piece, AnswerLines):
            yield from zip(piece.keys, piece.responses, strict=True)
            continue
        for item in piece:
            is_plain = item == ResultItem(item.key, None, item.response)
            yield item.key, encoded(dict(item.response)) if is_plain and item.response is not None else item


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(150))
def test_answers_of_a_form_are_the_ones_that_are_decoded(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed_lines, "_AT_ONCE", 1500)
    draw = random.Random(seed)
    body, size = body_of(draw), draw.choice([100, 5000])
    monkeypatch.setattr(result_lines, "_FEW", draw.choice([1, 8]))
    by_form = list(read(body, size))
    monkeypatch.setattr(AnswerForms, "read", lambda _forms, _block: None)
    assert by_form == list(read(body, size))


@pytest.mark.parametrize("has_logs", [True, False])
def test_answers_of_one_form_are_not_decoded(has_logs: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed_lines, "_AT_ONCE", 1500)
    draw, lines = random.Random(0), []
    for number in range(100):
        response = answer(draw, 0)
        response["candidates"][0]["content"]["parts"][0]["text"] = draw.choice(['a "b"', "é", ""])
        if not has_logs:
            del response["candidates"][0]["avgLogprobs"]
        lines.append(json.dumps({"key": f"k{number}", "response": response}))
    pieces = ResultLines("x", result_item, lambda _: True, has_answer_lines=True).read(
        [*(f"{one}\n".encode() for one in lines)], 2**20
    )
    others = [len(list(piece)) for piece in pieces if not isinstance(piece, FormedAnswers)]
    assert sum(others) < 10, "the first block shows the form"


def lines_of(odd: Callable[[int], bool]) -> Sequence[bytes]:
    """The lines of two thousand results, of which these are errors."""
    draw, lines = random.Random(0), []
    for number in range(2000):
        own = {"error": {"code": 3}} if odd(number) else {"response": answer(draw, 0)}
        lines.append(json.dumps({"key": f"k{number}", **own}).encode() + b"\n")
    return lines


@pytest.mark.parametrize("bad", [{1000}, {999, 1000, 1700}, {0, 1999}], ids=str)
def test_an_error_takes_few_answers_with_it(bad: set[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed_lines, "_AT_ONCE", 100_000)
    singles, keys = 0, []
    for piece in ResultLines("x", result_item, lambda _: True, has_answer_lines=True).read(
        lines_of(bad.__contains__), 2**20
    ):
        found = [item.key for item in piece]
        keys += found
        singles += 0 if isinstance(piece, AnswerLines) else len(found)
    assert keys == [f"k{number}" for number in range(2000)]
    assert len(bad) <= singles <= 8 * len(bad)


@pytest.mark.parametrize("every", [5, 20, 300])
def test_errors_all_over_a_file_take_no_answers_with_them(every: int) -> None:
    lines, singles = lines_of(lambda number: number % every == every - 1), []
    for piece in ResultLines("x", result_item, lambda _: True, has_answer_lines=True).read(lines, 2**20):
        if not isinstance(piece, AnswerLines):
            singles += [item.key for item in piece]
    bad = [f"k{number}" for number in range(every - 1, 2000, every)]
    assert set(bad) <= set(singles)
    assert len(singles) <= len(bad) + 8, "only the first few lines, before there is a form"


@pytest.mark.parametrize("size", [100, 999, 1000, 5000, 10**6])
def test_a_line_beyond_the_limit_is_refused_however_it_arrives(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed_lines, "_AT_ONCE", 600)
    usual, long = ({"candidates": [{"content": {"parts": [{"text": text}]}}]} for text in ("hi", "x" * 950))
    answers = [usual] * 30 + [long] + [usual] * 30
    body = b"".join(json.dumps({"key": "k", "response": one}).encode() + b"\n" for one in answers)
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    lines = ResultLines("x", result_item, lambda _: True, has_answer_lines=True).read(chunks, 1000)
    found = [item.error for piece in lines for item in piece]
    assert [number for number, error in enumerate(found) if error is not None] == [30]


@pytest.mark.parametrize("size", [1, 30, 70, 1000])
def test_large_chunks_of_lines_are_cut_at_line_ends(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed_lines, "_AT_ONCE", 50)
    monkeypatch.setattr(streamed_lines, "_TOGETHER", 200)
    body = b"".join(b"x" * (number % 120) + b"\n" for number in range(300)) + b"rest"
    parts = list(streamed_lines.whole_lines([body[at : at + size] for at in range(0, len(body), size)], 10**6))
    assert b"".join(parts) == body
    assert all(part.endswith(b"\n") for part in parts[:-1])
    assert max(map(len, parts)) <= 50 + 120


def test_results_without_answers_are_not_halved_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed_lines, "_AT_ONCE", 1000)
    looks = 0

    def look(_lines: ResultLines, _chunk: bytes) -> None:
        nonlocal looks
        looks += 1

    monkeypatch.setattr(ResultLines, "_answers", look)
    lines = lines_of(lambda _: True)
    pieces = ResultLines("x", result_item, lambda _: True, has_answer_lines=True).read(lines, 2**20)
    assert sum(len(list(piece)) for piece in pieces) == len(lines)
    assert looks < sum(map(len, lines)) // 1000 + 200


def test_forms_that_do_not_help_are_not_tried_again_and_again() -> None:
    forms, line = AnswerForms(), b'{"key":"a","response":{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}}'
    response: dict[str, Any] = json.loads(line)["response"]
    for _ in range(40):
        assert forms.read(b'{"key":"a","response":{"candidates":[1]}}\n') is None
    forms.learn(line, "a", response)
    assert forms.read(line + b"\n") is None, "after so many blocks of other forms, none is learned"
    for _ in range(64):
        forms.read(b"{}\n")
        forms.learn(line, "a", response)
    assert any(forms.read(line + b"\n") for _ in range(64)), "but one in a while is"


@pytest.mark.parametrize(
    ("text", "logs", "count"),
    [
        ("null", -0.25, b"7"),
        ("null", -1e-05, b"7"),
        ("hi", -1e-05, b"7"),
        ("hi", -0.25, b"7\x7f7"),
        ("hi", -0.25, b"7,7"),
    ],
)
def test_lines_that_only_look_like_those_of_a_form(
    text: str, logs: float, count: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streamed_lines, "_AT_ONCE", 1500)
    response = answer(random.Random(0), 0)
    usual = json.dumps({"key": "k", "response": response}).encode() + b"\n"
    candidate = response["candidates"][0]
    candidate["content"]["parts"][0]["text"], candidate["avgLogprobs"] = text, logs
    last = json.dumps({"key": "k", "response": response}).encode() + b"\n"
    body = usual * 20 + last.replace(b'"candidatesTokenCount": 5', b'"candidatesTokenCount": ' + count) + usual
    by_form = list(read(body, 100))
    monkeypatch.setattr(AnswerForms, "read", lambda _forms, _block: None)
    assert by_form == list(read(body, 100))
