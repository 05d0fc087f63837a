"""Results find their rows by name, by mark and by echo, whatever a server did to them on the way."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from batchctl.model.json_value import Json
from batchctl.model.keys import Account, Api, AttemptKey
from batchctl.model.observed import RemoteJob
from batchctl.model.ports.inputs import ForeignRows, InputRow, KnownInput, SentRows, UnorderedRows
from batchctl.model.ports.providers import ResultItem
from batchctl.model.ports.results import Collected
from batchctl.model.row_marks import labels_of
from batchctl.rows.read import read_results
from batchctl.rows.results import ResultsFolder
from batchctl.rows.written import as_written

REMOTE = RemoteJob("j", Account(Api.GEMINI, "emulator"), "d", None, "JOB_STATE_SUCCEEDED")
TEXT = {"candidates": [{"content": {"parts": [{"text": "fine"}]}, "finishReason": "STOP"}]}
_numbers = itertools.count()


def ask(text: Json, **members: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], **members}


def said(n: str, **more: Any) -> ResultItem:
    return ResultItem(more.pop("key", None), more.pop("index", None), response={"n": n, **TEXT}, **more)


def failed(**more: Any) -> ResultItem:
    return structs.replace(said("", **more), response=None, error={"code": 13, "message": "no"})


def collect(folder: Path, known: KnownInput | None, *items: ResultItem) -> tuple[Collected, list[tuple[Any, ...]]]:
    """What is told, and of each kept row: position, answer or `-`, key, and the members beside it."""
    found = ResultsFolder(folder).collect(AttemptKey("j", 1), "d1:0123abcd", REMOTE, items, known, {})
    rows = [
        (row["index"], row.get("response", {"n": "-"})["n"], row["key"], row.get("input", {}))
        for row in read_results(folder / found.path)
    ]
    return found, rows


def ours(*texts: str, **more: Any) -> SentRows:
    return SentRows([InputRow(f"k{text}", ask(text), **more) for text in texts])


def named(name: str, *values: Json) -> ForeignRows:
    """Equal requests with names of their own."""
    return ForeignRows([InputRow(None, ask("toss a coin"), {name: value}) for value in values])


# Names


@pytest.mark.parametrize("name", ["custom_id", "id"])
@pytest.mark.parametrize("echoed", [True, False])
def test_equal_requests_with_different_names_never_change_places(tmp_path: Path, name: str, echoed: bool) -> None:
    request = ask("toss a coin") if echoed else None
    items = [said(text, members={name: text}, request=request) for text in ("r3", "r1", "r2")]
    _, rows = collect(tmp_path, named(name, "r1", "r2", "r3"), *items)
    assert rows == [(index, f"r{index + 1}", None, {name: f"r{index + 1}"}) for index in range(3)]


@pytest.mark.parametrize("echoed", [{"lang": "de", "n": 7}, {"n": "7", "lang": "de", "none": None}])
def test_equal_requests_are_told_apart_by_any_member_beside_them(tmp_path: Path, echoed: dict[str, Json]) -> None:
    known = named("lang", "en")
    rows = [*known.rows, InputRow(None, ask("toss a coin"), {"lang": "de", "n": "07"})]
    request = ask("toss a coin")
    items = [said("DE", request=request, members=echoed), said("EN", request=request, members={"lang": "en"})]
    _, found = collect(tmp_path, ForeignRows(rows), *items)
    assert [(index, answer, beside["lang"]) for index, answer, _, beside in found] == [(0, "EN", "en"), (1, "DE", "de")]


def test_a_second_answer_for_a_row_takes_none_of_its_equals(tmp_path: Path) -> None:
    items = [said(n, request=ask("toss a coin"), members={"lang": "de"}) for n in ("1", "2")]
    told, found = collect(tmp_path, named("lang", "en", "de"), *items)
    assert (told.ok, told.missing, told.unmatched) == (1, 1, 1)
    assert found == [(1, "1", None, {"lang": "de"}), (None, "2", None, {"lang": "de"})]


def test_what_has_other_members_than_every_row_takes_what_the_others_left(tmp_path: Path) -> None:
    request = ask("toss a coin")
    items = [said("?", request=request), said("DE", request=request, members={"lang": "de"})]
    _, found = collect(tmp_path, named("lang", "de", "en"), *items)
    assert [(index, answer) for index, answer, *_ in found] == [(0, "DE"), (1, "?")]


def test_a_name_of_two_rows_settles_nothing_alone(tmp_path: Path) -> None:
    rows = [InputRow(None, ask(text), {"id": name}) for text, name in (("a", 1), ("b", 1), ("a", 2))]
    items = [said(text, members={"id": name}, request=ask(text)) for text, name in (("a", 2), ("b", 1), ("a", 1))]
    _, found = collect(tmp_path, ForeignRows(rows), *items)
    assert found == [(0, "a", None, {"id": 1}), (1, "b", None, {"id": 1}), (2, "a", None, {"id": 2})]


@pytest.mark.parametrize(
    ("sent", "came"),
    [("0012", 12), ("77", 77), ("77", 77.0), ("1.50", 1.5), ("1e3", 1000), (7, "7"), ("007", "7"), (1.0, 1)],
)
def test_a_name_that_looks_like_a_number_may_come_back_as_one(tmp_path: Path, sent: Json, came: Json) -> None:
    known = named("custom_id", "other", sent, "12x")
    _, rows = collect(tmp_path, known, said("yes", members={"custom_id": came}))
    assert rows == [(1, "yes", None, {"custom_id": sent})]


def test_names_that_are_one_number_are_told_apart_as_they_were_sent_or_not_at_all(tmp_path: Path) -> None:
    known = named("custom_id", "12", "0012")
    _, rows = collect(tmp_path, known, *(said(text, members={"custom_id": text}) for text in ("0012", "12")))
    assert [row[:2] for row in rows] == [(0, "12"), (1, "0012")]
    _, rows = collect(tmp_path / "2", named("custom_id", "012", "0012"), said("x", members={"custom_id": 12}))
    assert rows == [(None, "x", None, {"custom_id": 12})]


def test_a_number_is_no_proof_of_how_a_name_was_written(tmp_path: Path) -> None:
    """`7` may have been the key `7` or the key `07`: only the mark, or nothing, tells them apart."""
    known = SentRows([InputRow(key, ask("same")) for key in ("7", "07")])
    items = [
        said(f"row {at}", key="7", key_is_number=True, index=at, request=ask("same", labels=labels_of(at)))
        for at in (1, 0)
    ]
    _, rows = collect(tmp_path, known, *items)
    assert rows == [(0, "row 0", "7", {}), (1, "row 1", "07", {})]
    gemini = SentRows([InputRow(key, None) for key in ("7", "07")])
    _, rows = collect(tmp_path / "2", gemini, said("x", key="7", key_is_number=True), said("y", key="07"))
    assert rows == [(1, "y", "07", {}), (None, "x", "7", {})]


def test_a_key_that_came_back_as_a_number_is_shown_as_it_was_sent(tmp_path: Path) -> None:
    known = SentRows([InputRow(key, ask(key)) for key in ("0012", "77")])
    _, rows = collect(tmp_path, known, said("a", key="12"), said("b", key="77"))
    assert rows == [(0, "a", "0012", {}), (1, "b", "77", {})]


def test_a_row_without_a_key_is_known_by_the_name_that_was_sent(tmp_path: Path) -> None:
    known = SentRows([InputRow(None, None, {"id": at}, {"key": f"batchctl-r{at}"}) for at in range(2)])
    _, rows = collect(tmp_path, known, said("b", key="batchctl-r1"), said("a", key="batchctl-r0"))
    assert rows == [(0, "a", None, {"id": 0}), (1, "b", None, {"id": 1})]


def test_a_row_without_a_key_has_its_position_even_when_the_input_is_gone(tmp_path: Path) -> None:
    _, rows = collect(tmp_path, None, said("b", key="batchctl-r1"), said("a", key="mine"))
    assert rows == [(1, "b", None, {}), (None, "a", "mine", {})]


# Members


def test_what_stood_beside_the_request_comes_from_the_input_as_it_was_written(tmp_path: Path) -> None:
    beside = {"id": "007", "lang": "fr", "nested": {"a": [1, "2"]}}
    known = SentRows([InputRow("k", None, beside)])
    _, rows = collect(tmp_path, known, said("x", key="k", members={"id": 7, "nested": {"a": [1, 2]}, "extra": None}))
    assert rows == [(0, "x", "k", {**beside, "extra": None})]


@pytest.mark.parametrize(
    ("came", "known", "found"),
    [
        ({}, {}, {}),
        ({"a": 1}, {"a": "01"}, {"a": "01"}),
        ({"a": 2}, {"a": "01"}, {"a": 2}),
        ({"a": {"y": 1, "x": 2, "z": 0}}, {"a": {"x": "2", "y": 1}}, {"a": {"x": "2", "y": 1}}),
        ({"a": {"x": 3}}, {"a": {"x": "2"}}, {"a": {"x": 3}}),
        ({"a": [1]}, {"a": ["1", 2]}, {"a": [1]}),
        ({"a": None}, {"a": None}, {"a": None}),
        ({"a": None}, {"a": "x"}, {"a": None}),
        ({"b": 1}, {"a": 1}, {"a": 1, "b": 1}),
    ],
)
def test_what_a_reply_says_otherwise_is_kept(came: Json, known: Json, found: Json) -> None:
    assert as_written(came, known) == found


# Our mark


def test_a_position_counts_where_the_echoed_request_is_the_one_that_was_sent(tmp_path: Path) -> None:
    labels = [{"labels": labels_of(at)} for at in range(3)]
    items = [
        said("c", index=2, request=ask("c", **labels[2], generationConfig={"candidateCount": 1})),
        said("strange", index=0, request=ask("another job's", **labels[0])),
        said("b", index=1, request={"contents": {"parts": {"text": "b"}}}),
    ]
    found, rows = collect(tmp_path, ours("a", "b", "c"), *items)
    assert [row[:3] for row in rows] == [(1, "b", "kb"), (2, "c", "kc"), (None, "strange", None)]
    assert (found.ok, found.missing, found.unmatched) == (2, 1, 1)


def test_the_position_of_another_row_does_not_hide_the_echo(tmp_path: Path) -> None:
    _, rows = collect(tmp_path, ours("a", "b"), said("b", index=0, request=ask("b")))
    assert rows == [(1, "b", "kb", {})]


def test_a_position_without_an_echo_counts_unless_the_result_has_another_name(tmp_path: Path) -> None:
    _, rows = collect(tmp_path, ours("a", "b"), said("b", index=1), said("a", index=0, key="other"))
    assert rows == [(1, "b", "kb", {}), (None, "a", "other", {})]


def test_the_row_of_another_job_in_one_folder_yields_to_ours(tmp_path: Path) -> None:
    """Two jobs with the same rows, but for the prompt, wrote to one folder."""
    items = [
        said("theirs", key="ka", index=0, request=ask("other")),
        said("ours", key="ka", index=0, request=ask("a")),
    ]
    found, rows = collect(tmp_path, ours("a"), *items)
    assert [row[:2] for row in rows] == [(0, "ours"), (None, "theirs")]
    assert (found.ok, found.unmatched) == (1, 1)


def test_a_mark_in_rows_of_others_proves_nothing(tmp_path: Path) -> None:
    known = ForeignRows([InputRow(None, ask(text)) for text in "ab"])
    _, rows = collect(tmp_path, known, said("b", index=0, request=ask("b")), said("x", index=1))
    assert [row[:2] for row in rows] == [(1, "b"), (None, "x")]


# The echo


@pytest.mark.parametrize(
    "request_",
    [
        ask(12),
        ask(12.0),
        ask("0012", generationConfig={"temperature": 1, "topK": 64}),
        ask("0012", safetySettings=[{"category": "A"}]),
        {"contents": {"parts": [{"text": 12}]}},
    ],
)
def test_a_request_that_came_back_changed_is_still_known(tmp_path: Path, request_: Json) -> None:
    known = ForeignRows([InputRow(None, ask(text)) for text in ("other", "0012")])
    _, rows = collect(tmp_path, known, said("yes", request=request_))
    assert rows == [(1, "yes", None, {})]


def test_what_was_asked_alone_does_not_tell_rows_apart_that_differ_elsewhere(tmp_path: Path) -> None:
    known = ForeignRows([InputRow(None, ask("x", generationConfig={"seed": seed})) for seed in (1, 2)])
    _, rows = collect(tmp_path, known, said("x", request=ask("x", generationConfig={"seed": 3})))
    assert rows == [(None, "x", None, {})]


# What comes twice


TWICE: dict[str, tuple[KnownInput | None, dict[str, Any]]] = {
    "sent": (ours("a"), {"key": "ka"}),
    "sent, echoed": (ours("a"), {"key": "ka", "request": ask("a")}),
    "sent, marked": (ours("a"), {"index": 0, "request": ask("a")}),
    "gone": (None, {"index": 0}),
    "foreign, named": (named("id", 7), {"members": {"id": 7}}),
    "foreign, echoed": (ForeignRows([InputRow(None, ask("a"))]), {"request": ask("a")}),
    "unordered": (UnorderedRows(), {"key": "a"}),
    "unordered, with an id": (UnorderedRows(), {"members": {"id": 7, "lang": "fr"}}),
}


@pytest.mark.parametrize("case", TWICE)
@pytest.mark.parametrize("seed", range(4))
def test_an_answer_beats_an_error_in_any_order_and_copies_are_dropped(tmp_path: Path, case: str, seed: int) -> None:
    known, who = TWICE[case]
    items = [failed(**who), said("yes", **who), said("yes", **who), failed(**who), said("yes", early=True, **who)]
    random.Random(seed).shuffle(items)
    found, rows = collect(tmp_path, known, *items)
    assert [row[1] for row in rows] == ["yes"]
    assert (found.ok, found.failed, found.unmatched, found.missing or 0) == (1, 0, 0, 0)


@pytest.mark.parametrize("case", TWICE)
def test_an_answer_beats_an_empty_one(tmp_path: Path, case: str) -> None:
    known, who = TWICE[case]
    empty = structs.replace(said("", **who), response={"candidates": []})
    for number, items in enumerate(((empty, said("A", **who)), (said("A", **who), empty))):
        told, found = collect(tmp_path / str(number), known, *items)
        assert (told.unmatched, [answer for _, answer, *_ in found]) == (0, ["A"])


@pytest.mark.parametrize("case", TWICE)
def test_a_second_answer_that_is_another_one_is_kept(tmp_path: Path, case: str) -> None:
    known, who = TWICE[case]
    found, rows = collect(tmp_path, known, said("one", **who), said("two", **who))
    assert [row[1] for row in rows] == ["one", "two"]
    assert found.ok + found.unmatched == 2


@pytest.mark.parametrize("case", TWICE)
def test_what_was_written_early_yields_to_the_final_answer(tmp_path: Path, case: str) -> None:
    known, who = TWICE[case]
    _, rows = collect(tmp_path, known, said("early", early=True, **who), said("final", **who))
    assert [row[1] for row in rows] == ["final"]
    _, rows = collect(tmp_path / "2", known, said("early", early=True, **who), failed(**who))
    assert [row[1] for row in rows] == ["early"]


def test_early_copies_of_equal_rows_take_no_second_row(tmp_path: Path) -> None:
    known = ForeignRows([InputRow(None, ask("a")), InputRow(None, ask("a"))])
    items = [said("x", request=ask("a")), said("x", request=ask("a"), early=True)]
    found, rows = collect(tmp_path, known, *items)
    assert [row[:2] for row in rows] == [(0, "x")]
    assert (found.ok, found.missing) == (1, 1)


def test_equal_rows_may_have_equal_answers(tmp_path: Path) -> None:
    known = ForeignRows([InputRow(None, ask("a")), InputRow(None, ask("a"))])
    found, _ = collect(tmp_path, known, *(said("x", request=ask("a")) for _ in range(3)))
    assert (found.ok, found.missing, found.unmatched) == (2, 0, 0)


@pytest.mark.parametrize(
    ("called", "alike"),
    [
        ([{"members": {"lang": "en"}}, {"members": {"lang": "en"}}, {"members": {"lang": "fr"}}], 2),
        ([{"key": "a"}, {"key": "a"}, {"key": "b"}], 2),
        ([{"members": {"lang": None}}, {"key": "b"}], 1),
        ([{"key": "a", "members": {"lang": "en"}}, {"key": "a", "members": {"lang": "fr"}}], 0),
    ],
)
def test_results_that_are_called_the_same_cannot_be_told_apart(
    tmp_path: Path, called: list[dict[str, Any]], alike: int
) -> None:
    items = [said(str(number), request=ask(str(number)), **one) for number, one in enumerate(called)]
    found, rows = collect(tmp_path, UnorderedRows(), *items)
    assert (found.ok, found.anonymous, len(rows)) == (len(called), alike, len(called))


def test_rows_of_others_without_a_name_are_all_kept(tmp_path: Path) -> None:
    items = [said("x"), said("x"), failed(), said("x", early=True)]
    found, rows = collect(tmp_path, UnorderedRows(), *items)
    assert sorted(row[1] for row in rows) == ["-", "x", "x"]
    assert (found.ok, found.failed, found.anonymous) == (2, 1, 3)
