"""Which input row a result belongs to: no row gets two, and nothing is guessed."""

from __future__ import annotations

import io
import itertools
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchctl.model.errors import NotFound
from batchctl.model.json_value import Json
from batchctl.model.keys import Account, Api, AttemptKey
from batchctl.model.observed import RemoteJob
from batchctl.model.ports.inputs import ForeignRows, InputRow, KnownInput, SentRows, UnorderedRows
from batchctl.model.ports.providers import ResultItem
from batchctl.rows.arrivals import NOWHERE, Fate
from batchctl.rows.expectation import Expectations
from batchctl.rows.groups import Groups
from batchctl.rows.join import join_for
from batchctl.rows.read import read_results
from batchctl.rows.results import ResultsFolder
from tests.support.long_mode import effort

UNREADABLE = {"unreadable": float("nan")}


def ask(text: str, **members: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], **members}


A, B = ask("a"), ask("b")
PLAIN = ask("x", generationConfig={"maxOutputTokens": 5})
ZERO = ask("x", generationConfig={"maxOutputTokens": 5, "logprobs": 0})
FALSE = ask("x", generationConfig={"maxOutputTokens": 5, "responseLogprobs": False})


class Place(NamedTuple):
    """Where a result came to."""

    key: str | None
    index: int | None
    matched: bool


_numbers = itertools.count()


def answer(key: str | None = None, index: int | None = None, **more: Any) -> ResultItem:
    """An answer like no other."""
    return ResultItem(key, index, response={"n": next(_numbers)}, **more)


def echo(request: Any, key: str | None = None, **more: Any) -> ResultItem:
    return answer(key, request=request, **more)


def settled(known: KnownInput | None, items: Sequence[ResultItem]) -> tuple[list[Place | None], int | None]:
    """The place of each result, None for one that is dropped, and how many rows have none."""
    join = join_for(known, io.BytesIO(), Expectations(io.BytesIO()))
    for item in items:
        join.add(item)
    found = join.settle()
    places: list[Place | None] = []
    for item, row, fate in zip(items, found.rows, found.fates, strict=True):
        key = item.key if row == NOWHERE else join.key(row, item.key)
        place = Place(key, None if row == NOWHERE else row, fate == Fate.MATCHED)
        places.append(None if fate == Fate.DROPPED else place)
    return places, found.missing


def joined(known: KnownInput | None, items: Sequence[ResultItem]) -> tuple[list[Place], int | None]:
    """The same where nothing is dropped."""
    places, missing = settled(known, items)
    assert None not in places
    return [place for place in places if place is not None], missing


def sent(*keys: str) -> SentRows:
    return SentRows([InputRow(key, None) for key in keys])


def foreign(requests: Iterable[Any], items: Sequence[ResultItem]) -> tuple[list[int | None], int | None]:
    rows = [InputRow(None, request) for request in requests]
    places, missing = joined(ForeignRows(rows), items)
    assert all(place.matched == (place.index is not None) for place in places)
    indices = [place.index for place in places]
    assert max(Counter(index for index in indices if index is not None).values(), default=1) == 1
    assert missing == len(rows) - sum(place.matched for place in places)
    return indices, missing


# Inputs that are not known, and inputs that batchctl sent


def test_own_rows_that_are_not_here_any_more_take_positions_as_they_come():
    items = [answer("k", 2), answer(None, 2), answer(None, None), answer(None, -1), answer(None, 0)]
    places, missing = joined(None, items)
    assert [(place.index, place.matched) for place in places] == [
        (2, True),
        (None, False),
        (None, True),
        (None, True),
        (0, True),
    ]
    assert (places[0].key, missing) == ("k", None)


def test_rows_of_others_without_an_order_have_no_position_whatever_they_carry():
    items = [answer("k", 2), answer("k", 2), answer(None, 0, request=A), answer(None, None)]
    places, missing = joined(UnorderedRows(), items)
    assert places == [Place(key, None, matched=True) for key in ("k", "k", None, None)]
    assert missing is None


def test_rows_that_batchctl_sent_are_known_by_key_or_position():
    items = [
        answer("b", None),
        answer(None, 0),
        answer("b", 2),
        answer("c", 0),
        answer("z", 1),
        answer(None, 9),
        answer(None, None),
        answer(None, -1),
    ]
    places, missing = joined(sent("a", "b", "c", "d"), items)
    assert [(place.key, place.index, place.matched) for place in places] == [
        ("b", 1, True),
        ("a", 0, True),
        ("b", None, False),
        ("c", 2, True),
        ("z", None, False),
        (None, None, False),
        (None, None, False),
        (None, None, False),
    ]
    assert missing == 1


# Inputs that batchctl never sent


def test_results_in_another_order():
    assert foreign([A, B, ask("c")], [echo(B), echo(ask("c")), echo(A)]) == ([1, 2, 0], 0)


def test_equal_requests_are_a_multiset():
    assert foreign([A, B, A, A], [echo(A), echo(A), echo(B), echo(A), echo(A)]) == ([0, 2, 1, 3, None], 0)


def test_what_is_not_in_the_input_is_told():
    items = [echo(ask("z")), answer(None, None), answer("k", 0), echo(B)]
    assert foreign([A, B], items) == ([None, None, None, 1], 1)


def test_an_echo_in_other_words():
    request = ask("a", generationConfig={"topP": 0.5, "maxOutputTokens": 5, "temperature": 0.1, "logprobs": 0})
    printed = {
        "generation_config": {"max_output_tokens": "5", "temperature": 0.10000000149011612, "top_p": 0.5},
        "contents": request["contents"],
    }
    assert foreign([B, request], [echo(printed)]) == ([1], 1)


def test_a_row_that_holds_no_request_keeps_its_position():
    rows = [UNREADABLE, A, UNREADABLE, B]
    assert foreign(rows, [echo(B), echo({"unreadable": "NaN"}), echo({}), echo(A)]) == ([3, None, None, 1], 2)


def test_requests_nested_too_deeply_are_never_matched():
    deep: Any = {}
    for _ in range(100_000):
        deep = {"a": deep}
    assert foreign([deep, A], [echo(deep), echo(A)]) == ([None, 1], 1)


# Rows that differ by a default only


def test_rows_that_differ_by_a_default_are_told_apart_when_the_api_keeps_it():
    rows = [ZERO, PLAIN, ZERO, FALSE]
    assert foreign(rows, [echo(PLAIN), echo(FALSE), echo(ZERO), echo(ZERO)]) == ([1, 3, 0, 2], 0)


def test_rows_that_differ_by_a_default_are_not_told_apart_when_the_api_drops_it():
    """Each of the two prints as the other one: to take the first that comes would be a guess."""
    assert foreign([ZERO, PLAIN, A], [echo(PLAIN), echo(A), echo(PLAIN)]) == ([None, 2, None], 2)
    assert foreign([ZERO, PLAIN, FALSE], [echo(PLAIN)] * 3) == ([None] * 3, 3)


@pytest.mark.parametrize(
    "items",
    [
        [PLAIN],
        [ZERO],
        [ZERO, PLAIN],
        [ZERO, ZERO, ZERO],
        [ZERO, PLAIN, PLAIN],
        [ZERO, ZERO, PLAIN, PLAIN],
        [ZERO, ZERO, FALSE],
        [FALSE, ZERO, PLAIN],
    ],
)
def test_as_long_as_a_form_is_missing_or_too_many_nothing_is_sure(items):
    """A row that was never processed may be echoed as it came, and another one as it was read."""
    indices, _ = foreign([ZERO, ZERO, PLAIN], [echo(item) for item in items])
    assert set(indices) == {None}


def test_a_form_that_only_one_row_has_is_known_by_its_loose_form():
    assert foreign([ZERO, ZERO, A], [echo(PLAIN), echo(PLAIN), echo(PLAIN)]) == ([0, 1, None], 1)
    assert foreign([PLAIN, A], [echo(ZERO)]) == ([0], 1)


# Keys in foreign rows


def keyed(rows: Sequence[tuple[str | None, Any]], items: Sequence[ResultItem]) -> list[tuple[str | None, int | None]]:
    places, _ = joined(ForeignRows(InputRow(key, request) for key, request in rows), items)
    return [(place.key, place.index) for place in places]


def test_a_key_of_one_row_settles_it():
    rows = [("k1", A), ("k2", A), ("k3", B)]
    items = [echo(A, "k2"), echo(A, "k1"), answer("k3", None), echo(A, "k1")]
    assert keyed(rows, items) == [("k2", 1), ("k1", 0), ("k3", 2), ("k1", None)]


def test_a_result_without_a_key_takes_that_of_its_row():
    assert keyed([("k1", A), ("k2", B)], [echo(B), echo(A)]) == [("k2", 1), ("k1", 0)]


def test_a_key_is_never_given_to_a_row_of_another():
    rows = [("k", A), ("k", B), ("j", A), (None, A)]
    assert keyed(rows, [echo(A, "k"), echo(A, "k"), echo(A, "k"), echo(B, "k")]) == [
        ("k", 0),
        ("k", 3),
        ("k", None),
        ("k", 1),
    ]
    assert keyed([("k", A)], [echo(A, "other")]) == [("other", None)]


def test_a_key_that_the_input_does_not_have_does_not_hide_a_row_without_one():
    assert keyed([(None, A)], [echo(A, "made by the API")]) == [("made by the API", 0)]


def test_a_key_tells_rows_apart_that_differ_by_a_default():
    rows = [("z", ZERO), ("p", PLAIN), (None, PLAIN)]
    assert keyed(rows, [echo(PLAIN, "p"), echo(PLAIN, "z"), echo(PLAIN)]) == [("p", 1), ("z", 0), (None, 2)]


def test_a_key_of_another_row_keeps_rows_that_differ_by_a_default_without_a_result():
    rows = [("k", ZERO), ("k", PLAIN)]
    assert keyed(rows, [echo(ZERO, "other"), echo(PLAIN, "k")]) == [("other", None), ("k", 1)]


def test_keys_may_be_any_text():
    rows = [("\ud800", A), ("", B)]
    assert keyed(rows, [echo(B, ""), echo(A, "\ud800")]) == [("", 1), ("\ud800", 0)]


# Inputs that cannot be read


def test_what_the_input_raises_is_raised_before_any_result_is_placed():
    def rows() -> Iterator[InputRow]:
        yield InputRow(None, A)
        raise NotFound("gone", http=404)

    with pytest.raises(NotFound):
        join_for(ForeignRows(rows()), io.BytesIO(), Expectations(io.BytesIO()))


# Anything at all

REQUESTS = st.sampled_from([A, B, PLAIN, ZERO, FALSE, ask(""), {}, UNREADABLE, {"labels": {"a": "1"}}])
PRINTERS = {
    "verbatim": lambda request: request,
    "reordered": lambda request: dict(reversed(request.items())),
    "dropping": lambda request: {
        name: {inner: value for inner, value in member.items() if value not in (0, False)}
        if name == "generationConfig"
        else member
        for name, member in request.items()
    },
}


@settings(max_examples=effort(30, 1500))
@given(
    st.lists(REQUESTS, max_size=12),
    st.randoms(use_true_random=False),
    st.sampled_from(sorted(PRINTERS)),
    st.integers(0, 12),
    st.lists(REQUESTS, max_size=2),
)
def test_every_result_belongs_to_its_row_or_to_none(requests, chance, printer, come, strangers):
    """Whatever order, whatever is missing: a place is that of a row with the same request."""
    rows = [request for request in requests if request is not UNREADABLE]
    items = [*chance.sample(rows, min(come, len(rows))), *strangers]
    indices, _ = foreign(requests, [echo(PRINTERS[printer](item)) for item in items])
    if not strangers:
        for item, index in zip(items, indices, strict=True):
            assert index is None or requests[index] == item


@settings(max_examples=effort(30, 1500))
@given(st.lists(REQUESTS, max_size=12), st.randoms(use_true_random=False), st.sampled_from(["verbatim", "reordered"]))
def test_any_order_of_any_rows_is_placed(requests, chance, printer):
    rows = [request for request in requests if request is not UNREADABLE]
    chance.shuffle(rows)
    indices, missing = foreign(requests, [echo(PRINTERS[printer](row)) for row in rows])
    assert None not in indices
    assert missing == len(requests) - len(rows)


@settings(max_examples=effort(30, 1500))
@given(st.lists(st.sampled_from([A, B, ZERO, ask("c", generationConfig={"seed": 0})]), max_size=12), st.randoms())
def test_every_row_that_no_other_looks_like_is_found_whatever_is_printed(requests, chance):
    rows = list(enumerate(requests))
    chance.shuffle(rows)
    indices, missing = foreign(requests, [echo(PRINTERS["dropping"](request)) for _, request in rows])
    assert missing == 0
    assert all(
        requests[index] == request for index, (_, request) in zip(indices, rows, strict=True) if index is not None
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
)
OBJECTS = st.dictionaries(st.text(st.characters(), max_size=4), JSON, max_size=3)
KEYS = st.none() | st.sampled_from(["a", "b"]) | st.text(st.characters(), max_size=2)


@settings(max_examples=effort(30, 1500))
@given(
    st.lists(st.tuples(KEYS, OBJECTS), max_size=4),
    st.lists(st.tuples(KEYS, st.none() | st.integers(-3, 9), st.none() | OBJECTS), max_size=4),
)
def test_nothing_that_comes_makes_a_join_fail(rows, results):
    items = [ResultItem(key, index, response={}, request=request) for key, index, request in results]
    names = dict.fromkeys(key for key, _ in rows if key is not None)
    known: list[KnownInput | None] = [None, UnorderedRows(), sent(*names)]
    for one in [*known, ForeignRows(InputRow(*row) for row in rows)]:
        places, missing = settled(one, items)
        taken = [place.index for place in places if place is not None and place.index is not None]
        assert len(taken) == len(set(taken))
        assert missing is None or missing >= 0


# Groups


@settings(max_examples=effort(30, 1500))
@given(st.lists(st.integers(0, 4) | st.just(2**64 - 1), max_size=20), st.data())
def test_groups(marks, data):
    groups, taken = Groups(marks), bytearray(len(marks))
    for mark in {*marks, 7}:
        rows = [row for row, one in enumerate(marks) if one == mark]
        assert groups.first(mark) == (rows[0] if rows else None)
        assert groups.only(mark) == (rows[0] if len(rows) == 1 else None)
        while free := list(groups.free(mark, taken)):
            assert free == [row for row in rows if not taken[row]]
            taken[data.draw(st.sampled_from(free))] = True
    assert all(taken)
    several = sorted(list(rows) for rows in groups.groups())
    assert several == sorted(
        [row for row, one in enumerate(marks) if one == mark] for mark, count in Counter(marks).items() if count > 1
    )


def test_many_equal_rows_cost_no_more_than_others():
    count = 10_000
    places, missing = joined(ForeignRows(InputRow(None, A) for _ in range(count)), [echo(A) for _ in range(count)])
    assert [place.index for place in places] == list(range(count))
    assert missing == 0


# In the results folder


def said(n: Json) -> dict[str, Json]:
    return {"n": n, "candidates": [{"content": {"parts": [{"text": "fine"}]}, "finishReason": "STOP"}]}


def test_what_is_placed_at_the_end_stands_at_its_place_in_the_folder(tmp_path: Path):
    remote = RemoteJob(
        "j", Account(Api.GEMINI, "emulator"), "d", None, "JOB_STATE_SUCCEEDED", create_time=datetime.now(UTC)
    )
    rows = [InputRow("p", PLAIN), InputRow(None, A), InputRow("z", ZERO)]
    items = [
        ResultItem(None, None, error={"code": 3, "message": "\ud800"}, request=ZERO),
        ResultItem(None, None, response=said(0.1), request=A),
        ResultItem(None, None, response=said(1), request=PLAIN),
        ResultItem(None, None, response=said(2), request=B),
    ]
    random.Random(4).shuffle(items)
    store = ResultsFolder(tmp_path)
    found = store.collect(AttemptKey("j", 1), "d1:0123abcd", remote, items, ForeignRows(rows), {})
    assert (found.ok, found.failed, found.missing, found.unmatched) == (2, 1, 0, 1)
    assert [(row["key"], row["index"], row.get("response")) for row in read_results(tmp_path / found.path)] == [
        ("p", 0, said(1)),
        (None, 1, said(0.1)),
        ("z", 2, None),
        (None, None, said(2)),
    ]
