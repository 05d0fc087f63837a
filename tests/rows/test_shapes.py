"""One full check for each shape of request finds what a full check of each request finds."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from batchctl.model.keys import Api
from batchctl.model.kinds import Kind
from batchctl.model.ports.row_reader import OutputLimit, RowRules
from batchctl.model.request.catalogue import MESSAGES, ROOTS
from batchctl.model.request.fields import Each
from batchctl.model.request.problems import Problem
from batchctl.model.request.shapes import shape_of
from batchctl.model.request.spelling import snake_case
from batchctl.model.sources import RequestRow
from batchctl.rows import checks
from batchctl.rows.checks import RowChecker
from batchctl.rows.reader import RowFiles
from tests.support.request_samples import Samples

DEFAULTS: list[dict[str, Any]] = [
    {},
    {"generationConfig": {"maxOutputTokens": 100, "thinkingConfig": {"thinkingBudget": 50}}, "labels": {"Team": "a"}},
    {"cachedContent": "cachedContents/a"},
]
PUT: list[Any] = [
    *(None, True, False, 0, 1, 1.0, 1.5, -5, 10**9, 7000, "", "x", "512", "1.5s", "aGk=", "a=b", "user", "assistant"),
    *([], {}, [[]], ["x"], [{}], [1, "x"], {"a": 1}, {"text": "y"}, {"parts": {"text": "y"}}, {"type": ["a"]}),
    *(
        "é" * 120,
        {"A": {"b": None}},
        {"a": {"B": 1}},
        [{"text": "x"}, {"text": "y"}],
        [{"text": "x"}, {"thought": True}],
    ),
]
Step = tuple[Any, Any]


def requests(api: Api, kind: Kind) -> list[dict[str, Any]]:
    return list(Samples(api).of(ROOTS[kind]))


def places(value: Any) -> Iterator[Step]:
    """Each container with one of its names or indexes."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in items:
        yield value, name
        yield from places(member)


def mutated(request: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    found = copy.deepcopy(request)
    for _ in range(draw.randint(0, 2)):
        spots = list(places(found))
        if not spots:
            break
        inside, name = draw.choice(spots)
        change: Callable[[], None] = draw.choice(
            [
                lambda inside=inside, name=name: inside.__setitem__(name, copy.deepcopy(draw.choice(PUT))),
                lambda inside=inside, name=name: inside.__setitem__(name, copy.deepcopy(draw.choice(PUT))),
                lambda inside=inside, name=name: inside.pop(name),
                lambda inside=inside, name=name: _renamed(inside, name, draw),
                lambda inside=inside, name=name: _doubled(inside, name),
            ]
        )
        change()
    return found


def _renamed(inside: Any, name: Any, draw: random.Random) -> None:
    if isinstance(inside, dict):
        inside[draw.choice([snake_case(name), name.upper(), "newThing", "type", "9"])] = inside.pop(name)


def _doubled(inside: Any, name: Any) -> None:
    if isinstance(inside, dict):
        inside[snake_case(name)] = copy.deepcopy(inside[name])
    else:
        inside.append(copy.deepcopy(inside[name]))


class FullChecker(RowChecker):
    """A checker that remembers no shape."""

    def check(self, row: RequestRow, line: int, *, wants_warnings: bool = True) -> Iterator[Problem]:
        self._known.sound.clear()
        self._known.warned.clear()
        return super().check(row, line, wants_warnings=wants_warnings)


def agree(rows: list[dict[str, Any]], kind: Kind, rules: RowRules) -> int:
    """Check all rows both ways; gives how many needed no full check."""
    shaped, full = RowChecker(kind, rules), FullChecker(kind, rules)
    saved = 0
    for line, request in enumerate(rows, start=1):
        row = RequestRow("a", request)
        shape = shape_of(request, kind, is_table=rules.api is Api.VERTEX)
        saved += shape in shaped._known.sound
        found = list(full.check(row, line))
        if line % 2:
            assert list(shaped.check(row, line)) == found, request
        else:
            faults = [problem for problem in found if not problem.is_warning]
            some = shaped.check(row, line, wants_warnings=False)
            assert [problem for problem in some if not problem.is_warning] == faults, request
        assert (shaped.output_tokens, shaped.bounded_rows) == (full.output_tokens, full.bounded_rows), request
    return saved


@pytest.mark.parametrize("defaults", DEFAULTS)
@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("api", [*Api, None])
def test_random_requests(api: Api | None, kind: Kind, defaults: dict[str, Any]) -> None:
    draw = random.Random(f"{api}{kind}{defaults}")
    given = requests(api or Api.GEMINI, kind)
    if kind is Kind.EMBEDDINGS_BATCH_JOB:
        defaults = {}
    rows = [mutated(draw.choice(given), draw) for _ in range(600)]
    rows += [copy.deepcopy(row) for row in draw.sample(rows, 300)]
    assert agree(rows, kind, RowRules(api, defaults)) > 30


@pytest.mark.parametrize("api", list(Api))
def test_every_member_of_every_message(api: Api) -> None:
    for kind in Kind:
        rows = requests(api, kind)
        assert agree([*rows, *rows], kind, RowRules(api)) > len(rows) // 2


def test_texts_make_no_other_shape() -> None:
    def row(text: str, tokens: int = 5) -> dict[str, Any]:
        contents = [{"role": role, "parts": [{"text": text}]} for role in ("user", "model")]
        return {"contents": contents, "generationConfig": {"temperature": len(text) / 100, "maxOutputTokens": tokens}}

    def shape(request: dict[str, Any]) -> object:
        return shape_of(request, Kind.BATCH_JOB, is_table=True)

    assert shape(row("a")) == shape(row("another"))
    assert shape(row("a")) != shape(row("a", tokens=6)), "tokens are summed"
    assert shape({**row("a"), "unknown": 1}) is None
    longer = row("a")
    longer["contents"].append(longer["contents"][0])
    assert shape(longer) == shape(row("a")), "the number of turns makes no other shape"


def test_only_so_many_shapes_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "SHAPES_KEPT", 2)
    rules = RowRules(Api.GEMINI)
    checker = RowChecker(Kind.BATCH_JOB, rules)
    for tokens in range(1, 6):
        config = {"maxOutputTokens": tokens}
        request = {"contents": [{"parts": [{"text": "x"}]}], "generationConfig": config}
        assert list(checker.check(RequestRow("a", request), 1)) == []
    assert len(checker._known.sound) == 2
    assert checker.output_tokens == 15


def test_a_list_of_one_item_stands_for_all_lengths() -> None:
    """`EACH` has any number of items: a field that requires two would need another shape."""
    values = [field.value for message in MESSAGES.values() for field in message.fields]
    assert {value.least for value in values if isinstance(value, Each)} <= {0, 1}


class TestShapesOfManifests:
    """Rows in manifests: what one of them was checked for, others with the same rules need not be."""

    def rows(self, tokens: object = 5) -> list[RequestRow]:
        contents = [{"role": "user", "parts": [{"text": "x"}]}]
        request = {"contents": contents, "generationConfig": {"maxOutputTokens": tokens}}
        return [RequestRow("a", request), RequestRow("b", request)]

    def test_one_full_check_for_all_manifests_with_the_same_rules(self, monkeypatch: pytest.MonkeyPatch) -> None:
        checked: list[object] = []
        full = RowChecker._problems

        def counting(checker: RowChecker, row: RequestRow, line: int) -> Iterator[Problem]:
            checked.append(row)
            return full(checker, row, line)

        monkeypatch.setattr(RowChecker, "_problems", counting)
        reader, rules = RowFiles(), RowRules(Api.GEMINI)
        for _ in range(10):
            assert list(reader.check(self.rows(), Kind.BATCH_JOB, rules)) == []
            assert reader.output_limit(self.rows(), Kind.BATCH_JOB, rules) == OutputLimit(10, 2)
        assert len(checked) == 1
        assert list(reader.check(self.rows(), Kind.BATCH_JOB, RowRules(Api.GEMINI, {"labels": {}}))) == []
        assert len(checked) == 2, "other defaults are other rules"
        list(reader.check(self.rows(), Kind.BATCH_JOB, RowRules(Api.VERTEX)))
        list(reader.check(self.rows(), Kind.BATCH_JOB, RowRules(Api.VERTEX)))
        assert len(checked) == 4, "Vertex compares the rows of a source with each other"

    def test_a_row_with_an_error_is_checked_each_time(self) -> None:
        reader, rules = RowFiles(), RowRules(Api.GEMINI)
        for _ in range(2):
            assert len(list(reader.check(self.rows("many"), Kind.BATCH_JOB, rules))) == 2

    def test_few_sets_of_rules_are_kept(self) -> None:
        reader = RowFiles()
        for number in range(200):
            rules = RowRules(Api.GEMINI, {"labels": {"n": str(number)}})
            assert list(reader.check(self.rows(), Kind.BATCH_JOB, rules)) == []
        assert len(reader._shapes) <= 64
