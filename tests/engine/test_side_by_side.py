"""Calls side by side: none is made by the thread that waits, and what they raise or lack arrives there."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from types import SimpleNamespace

import pytest

from batchctl.engine.side_by_side import SideBySide
from batchctl.model.errors import ExhaustedError

WORDS = ContextVar("WORDS", default="")


@pytest.mark.parametrize("numbers", [[], [1], [1, 2, 3]])
def test_results_are_in_order_and_no_call_is_made_by_the_thread_that_waits(numbers):
    callers = set()

    def call(number: int) -> tuple[int, str]:
        callers.add(threading.get_ident())
        return number, WORDS.get()

    token = WORDS.set("of the caller")
    with SideBySide(2) as calls:
        assert list(calls.map(call, numbers)) == [(number, "of the caller") for number in numbers]
    WORDS.reset(token)
    assert threading.get_ident() not in callers


@pytest.mark.parametrize("numbers", [[1], [1, 2]])
def test_what_a_call_raises_is_raised_where_it_is_asked_for(numbers):
    def call(number: int) -> int:
        raise ValueError(f"no {number}")

    with SideBySide(2) as calls, pytest.raises(ValueError, match="no 1"):
        list(calls.map(call, numbers))


@pytest.mark.parametrize("numbers", [[1], [1, 2]])
@pytest.mark.parametrize(
    ("words", "error"), [("can't start new thread", ExhaustedError), ("threads can only be started once", RuntimeError)]
)
def test_without_a_thread_there_is_no_call(numbers, words, error, monkeypatch):
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError(words)

    made = []
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with SideBySide(4) as calls, pytest.raises(error, match=r"more threads|only be started once"):
            list(calls.map(made.append, numbers))
    assert made == []


def test_the_block_ends_when_a_call_has_ended_that_was_not_waited_for(monkeypatch):
    begun, may_end, ended = threading.Event(), threading.Event(), []

    def call(_: int) -> None:
        begun.set()
        may_end.wait()
        ended.append(True)

    class Interrupted(threading.Thread):
        """Ctrl-C arrives during the first wait for its end."""

        joined = False

        def join(self, timeout: float | None = None) -> None:
            if not self.joined:
                self.joined = True
                begun.wait()
                may_end.set()
                raise KeyboardInterrupt
            super().join(timeout)

    monkeypatch.setattr("batchctl.engine.side_by_side.threading", SimpleNamespace(Thread=Interrupted))
    with pytest.raises(KeyboardInterrupt), SideBySide(1) as calls:
        list(calls.map(call, [1]))
    assert ended == [True]


@pytest.mark.parametrize("numbers", [[1], [1, 2]])
def test_calls_are_under_way_before_their_results_are_asked_for(numbers):
    done_meanwhile = threading.Event()

    def call(number: int) -> int:
        done_meanwhile.wait()
        return number

    with SideBySide(2) as calls:
        found = calls.map(call, numbers)
        done_meanwhile.set()
        assert list(found) == numbers
