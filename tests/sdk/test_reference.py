"""The check of the SDK says what is new and what is gone, and the release that is held is the one that is known."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.sdk import reference

HELD = Path(__file__).resolve().parents[2] / "constraints.txt"


def test_what_is_new_and_what_is_gone_are_named() -> None:
    known = {"values of JobState": ["A", "B"], "paths": ["x"]}
    now = {"values of JobState": ["B", "C"], "calls": ["y"]}
    assert reference.compare(known, now) == [
        "new: calls: y",
        "gone: paths: x",
        "new: values of JobState: C",
        "gone: values of JobState: A",
    ]


def test_the_held_release_is_known() -> None:
    if f"google-genai=={version('google-genai')}" not in HELD.read_text(encoding="utf-8").splitlines():
        pytest.skip("another release than the one of constraints.txt: python tests/sdk/reference.py lists what differs")
    known = json.loads(reference.KNOWN.read_text(encoding="utf-8"))
    assert reference.compare(known, reference.found()) == []
    assert all(known.values()), "every subject has something to compare"
