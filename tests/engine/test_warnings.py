"""Warnings: each is shown when it begins, when its cause changes, and when it is over."""

from __future__ import annotations

import pytest

from batchctl.engine.warnings import LastSaid, Warnings


class Shown:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def warn(self, message: str) -> None:
        self.lines.append(message)


@pytest.fixture
def shown() -> Shown:
    return Shown()


def test_a_warning_is_shown_again_only_when_it_changes(shown):
    warnings = Warnings(shown, LastSaid())
    for message in ("down", "down", "slow", "down"):
        warnings.warn("account", message)
    assert shown.lines == ["down", "slow", "down"]


def test_subjects_do_not_share_a_memory(shown):
    warnings = Warnings(shown, LastSaid())
    warnings.warn("hook a", "down")
    warnings.warn("hook b", "down")
    assert shown.lines == ["down", "down"]


def test_the_same_cause_in_other_words_is_not_shown_again(shown):
    warnings = Warnings(shown, LastSaid())
    warnings.warn("clock", "differs by 400 s", cause="offset")
    warnings.warn("clock", "differs by 401 s", cause="offset")
    assert shown.lines == ["differs by 400 s"]


def test_what_is_over_is_said_once_and_may_begin_again(shown):
    warnings = Warnings(shown, LastSaid())
    warnings.resolved("account", "well again")
    warnings.warn("account", "down")
    warnings.resolved("account", "well again")
    warnings.resolved("account", "well again")
    warnings.warn("account", "down")
    warnings.resolved("account")
    assert shown.lines == ["down", "well again", "down"]


def test_the_memory_outlasts_the_warnings_of_one_pass(shown):
    said = LastSaid()
    Warnings(shown, said).warn("account", "down")
    Warnings(shown, said).warn("account", "down")
    assert shown.lines == ["down"]
