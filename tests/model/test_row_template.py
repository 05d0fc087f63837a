"""Templates of rows: placeholders, the values that they get, and the hash of a template."""

from __future__ import annotations

import json

import pytest

from batchctl.model.row_template import Answer, Field, Mixed, NotInAnswer, Placeholder, RowTemplate

ANSWER = Answer("k1", json.dumps({"a": {"b": [1, "two", None]}, "x y": True, "n": 1.5, "items": [{"name": "é"}]}))
DEEP = "[0]" * 101


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (".key", Placeholder(Field.KEY)),
        (".text", Placeholder(Field.TEXT)),
        (".json", Placeholder(Field.JSON)),
        (".json.a", Placeholder(Field.JSON, ("a",))),
        (".json.a.b[0]", Placeholder(Field.JSON, ("a", "b", 0))),
        (".json[12][0].name", Placeholder(Field.JSON, (12, 0, "name"))),
        ('.json["x y"].a-b', Placeholder(Field.JSON, ("x y", "a-b"))),
        (r'.json["say \"hi\""]', Placeholder(Field.JSON, ('say "hi"',))),
        ('.json[""]', Placeholder(Field.JSON, ("",))),
    ],
)
def test_a_placeholder_names_a_part_of_the_answer(text: str, expected: Placeholder) -> None:
    assert Placeholder.parse(text) == expected
    assert Placeholder.parse(expected.written.removeprefix("${row").removesuffix("}")) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no ${row}"),
        (".kee", "there is no ${row.kee}"),
        (" .key", "there is no ${row .key}"),
        (".", "there is no ${row.}"),
        (".key.a", "${row.key} is a text, and has no members"),
        (".text[0]", "${row.text} is a text, and has no members"),
        (".json.", "the path in ${row.json.} is malformed"),
        (".json.a b", "the path in ${row.json.a b} is malformed"),
        (".json[01]", "the path in ${row.json[01]} is malformed"),
        (".json[-1]", "the path in ${row.json[-1]} is malformed"),
        (".json[x]", "the path in ${row.json[x]} is malformed"),
        (f".json{DEEP}", f"the path in ${{row.json{DEEP}}} is malformed"),
    ],
)
def test_any_other_placeholder_is_an_error(text: str, message: str) -> None:
    with pytest.raises(ValueError, match="row") as caught:
        Placeholder.parse(text)
    assert str(caught.value) == message


def at(*path: str | int) -> Placeholder:
    return Placeholder(Field.JSON, path)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain ${", "plain ${"),
        (Placeholder(Field.KEY), "k1"),
        (at("a", "b", 0), 1),
        (at("n"), 1.5),
        (at("x y"), True),
        (at("a", "b", 2), None),
        (at("a", "b"), [1, "two", None]),
        (Mixed(("n=", at("n"), ", b=", at("a", "b"))), 'n=1.5, b=[1, "two", null]'),
        (Mixed((at("items", 0, "name"), "!")), "é!"),
        (Mixed((at("items"), "")), '[{"name": "é"}]'),
        ({"parts": [{"text": Placeholder(Field.KEY)}, 7]}, {"parts": [{"text": "k1"}, 7]}),
    ],
)
def test_a_lone_placeholder_keeps_its_type_and_in_a_text_it_is_json(value: object, expected: object) -> None:
    filled = RowTemplate({"x": value}).fill(ANSWER.value_of)["x"]

    assert (filled, type(filled)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("text", "placeholder", "reason"),
    [
        ("{}", at("a"), "the answer has no ${row.json.a}"),
        ('{"a": []}', at("a", 0), "the answer has no ${row.json.a[0]}"),
        ('{"a": [1]}', at("a", "b"), "the answer has no ${row.json.a.b}"),
        ("[]", at("x y"), 'the answer has no ${row.json["x y"]}'),
        ('{"0": 1}', at(0), "the answer has no ${row.json[0]}"),
        ("hello", at("a"), "the answer is not JSON"),
        ("```json\n{}\n```", at(), "the answer is not JSON"),
        ("[" * 100_000, at(), "the answer is not JSON"),
        ("1" * 5000, at(), "the answer is not JSON"),
        ('{"a": NaN}', at("a"), "the answer is not JSON: it has NaN"),
        (None, at("a"), "the answer has no text"),
        (None, Placeholder(Field.TEXT), "the answer has no text"),
    ],
)
def test_what_the_answer_does_not_have_gives_no_row(text: str | None, placeholder: Placeholder, reason: str) -> None:
    with pytest.raises(NotInAnswer) as caught:
        RowTemplate({"text": placeholder}).fill(Answer("k", text).value_of)
    assert str(caught.value) == reason


def test_an_answer_without_text_has_a_key() -> None:
    assert RowTemplate({"text": Placeholder(Field.KEY)}).fill(Answer("k", None).value_of) == {"text": "k"}


def test_the_hash_tells_placeholders_from_text_and_ignores_the_order_of_members() -> None:
    templates = [
        {"text": Placeholder(Field.KEY)},
        {"text": "${row.key}"},
        {"text": ["row", "key"]},
        {"text": Mixed(("", Placeholder(Field.KEY)))},
        {"text": Mixed((Placeholder(Field.KEY), "!"))},
        {"text": Placeholder(Field.JSON, ("key",))},
        {"text": 1},
    ]
    assert len({RowTemplate(one).sha256 for one in templates}) == len(templates)
    assert RowTemplate({"a": 1, "b": "x"}).sha256 == RowTemplate({"b": "x", "a": 1}).sha256


def test_only_json_has_values_of_any_type() -> None:
    assert RowTemplate({"a": [{"b": at("x")}]}).has_json_values
    assert not RowTemplate({"a": Mixed(("", at("x"))), "b": Placeholder(Field.TEXT), "c": 1}).has_json_values
