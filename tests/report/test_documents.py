from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from batchctl.model.states import Phase
from batchctl.report.documents import to_json, to_json_line, to_names, to_yaml

TEXTS = [
    "no",
    "1e3",
    "0o7",
    "2026-11-22",
    "12:30:00",
    "",
    " x ",
    "- a",
    "a: b",
    "\x1b[2J",
    "\u202e",
    "\x9b",
    "é",
    "x##[y",
    "\x7f",
]


@pytest.mark.parametrize("text", [*TEXTS, "\ud800"])
@pytest.mark.parametrize("write", [to_json, to_json_line])
def test_json_gives_the_same_value_and_nothing_that_acts(text, write):
    written = write({"a": [text]})
    assert json.loads(written) == {"a": [text]}
    assert written.replace("\n", "").isprintable()
    assert written.isascii()
    assert "##" not in written


@given(st.text())
def test_json_round_trips(text):
    assert json.loads(to_json({text: text})) == {text: text}


def test_json_line_is_one_line():
    assert to_json_line({"a": 1, "b": "x\ny"}) == '{"a":1,"b":"x\\ny"}\n'


def test_json_refuses_what_is_not_json():
    with pytest.raises(ValueError, match="JSON"):
        to_json({"a": float("nan")})


@pytest.mark.parametrize("text", TEXTS)
def test_yaml_gives_the_same_value_in_ascii(text):
    written = to_yaml({"z": text, "a": None})
    assert yaml.safe_load(written) == {"z": text, "a": None}
    assert list(yaml.safe_load(written)) == ["z", "a"]
    assert written.isascii()
    assert "\x1b" not in written


def test_yaml_holds_no_command_for_a_runner():
    text = "a ##[group]b ##vso[x]c ####"
    written = to_yaml({text: text})
    assert "##" not in written
    assert yaml.safe_load(written) == {text: text}


@pytest.mark.parametrize("text", ["1e3", "0o7", ".5", "0x1f", "2026-11-22"])
def test_yaml_quotes_what_yaml_1_2_takes_for_a_number(text):
    assert to_yaml({"a": text}) == f'a: "{text}"\n'


def test_yaml_writes_no_anchors():
    shared = {"x": 1}
    assert to_yaml({"a": shared, "b": shared}) == "a:\n  x: 1\nb:\n  x: 1\n"


def test_names():
    assert to_names(["a", "b"]) == "a\nb\n"
    assert to_names([]) == ""


def test_yaml_writes_the_words_of_an_enum_as_text() -> None:
    assert to_yaml({"phase": Phase.ACTIVE}) == "phase: Active\n"
