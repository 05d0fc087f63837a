"""One thread ends the calls that take too long, whatever else is in progress."""

from __future__ import annotations

import os
import threading

import pytest

from batchctl.providers.http import guard as guards
from batchctl.providers.http.guard import Guard
from batchctl.providers.http.watch import Watch
from tests.support.patience import PATIENCE


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "guard of calls"]


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(guards, "_IDLE_SECONDS", 0.05)


def test_a_call_is_ended_although_an_earlier_one_has_hours():
    guard, ended = Guard(), threading.Event()
    with guard.watching(Watch(7200.0), pytest.fail):
        with guard.watching(Watch(0.01), ended.set):
            assert ended.wait(PATIENCE)
        again = threading.Event()
        with guard.watching(Watch(0.01), again.set):
            assert again.wait(PATIENCE)


def test_one_thread_serves_all_calls_and_ends_after_them():
    guard, others = Guard(), set(threads())
    with guard.watching(Watch(60.0), pytest.fail), guard.watching(Watch(60.0), pytest.fail):
        thread = guard._thread
        # Those of earlier tests may end meanwhile.
        assert set(threads()) - others == {thread}
    assert thread is not None
    thread.join(PATIENCE)
    assert not thread.is_alive()
    ended = threading.Event()
    with guard.watching(Watch(0.0), ended.set):
        assert ended.wait(PATIENCE)


def test_a_call_that_ended_in_time_is_not_ended_again():
    guard, cut, ended = Guard(), [], threading.Event()
    watch = Watch(7200.0)
    with guard.watching(watch, lambda: cut.append(watch)):
        pass
    watch._end = 0.0
    with guard.watching(Watch(0.0), ended.set):
        assert ended.wait(PATIENCE)
    assert cut == []


def test_a_forked_child_has_a_guard_of_its_own():
    ended = threading.Event()
    with guards.GUARD.watching(Watch(60.0), pytest.fail):
        child = os.fork()
        if child == 0:
            with guards.GUARD.watching(Watch(0.0), ended.set):
                os._exit(0 if ended.wait(PATIENCE) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
