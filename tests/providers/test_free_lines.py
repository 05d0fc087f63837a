"""Connections that outlive threads and passes, and what happens where there is no room for them."""

from __future__ import annotations

import os
import threading

import httpx
import pytest

from batchctl.model import errors
from batchctl.providers.http import free_lines
from batchctl.providers.http.free_lines import IDLE_SECONDS, FreeLines, LinesClosedError
from batchctl.providers.http.line import Line
from tests.providers.test_endpoint import OK, endpoint, get
from tests.support.file_handles import no_handles_left, open_handles
from tests.support.raw_server import Loopback, answer


class Clock:
    def __init__(self):
        self.time = 0.0

    def __call__(self):
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def lines(clock):
    made = FreeLines(lambda: Line(httpx.Client(), shared=False), clock)
    yield made
    made.close()


def take(lines: FreeLines) -> Line:
    with lines.taken() as line:
        return line


def test_a_line_is_used_again(lines):
    assert take(lines) is take(lines)


def test_the_line_that_was_used_last_is_taken_first(lines):
    with lines.taken() as first, lines.taken() as second:
        assert first is not second
    assert take(lines) is first


def test_a_line_that_nobody_needs_is_closed_after_a_while(lines, clock):
    with lines.taken() as first, lines.taken() as second:
        pass
    clock.time += IDLE_SECONDS / 2
    assert take(lines) is first
    clock.time += IDLE_SECONDS * 0.6
    assert take(lines) is first
    assert (first.client.is_closed, second.client.is_closed) == (False, True)


def test_no_more_idle_lines_are_kept_than_are_of_use(lines):
    most = free_lines._MOST_IDLE
    taken = [lines.taken() for _ in range(most + 3)]
    held = [one.__enter__() for one in taken]
    for one in taken:
        one.__exit__(None, None, None)
    assert sum(not line.client.is_closed for line in held) == most


def test_close_ends_what_is_idle_and_what_is_busy(lines):
    idle = take(lines)
    with lines.taken() as busy:
        pass
    with lines.taken() as busy, lines.taken() as other:
        lines.close()
        assert busy.client.is_closed
        assert other.client.is_closed
    assert idle.client.is_closed
    with pytest.raises(LinesClosedError):
        take(lines)


def test_a_forked_child_leaves_the_connections_to_its_parent(lines, monkeypatch):
    parents = take(lines)
    with lines.taken() as busy:
        monkeypatch.setattr(os, "getpid", lambda: -1)
        childs = take(lines)
    assert len({parents, childs}) == 2
    assert take(lines) is childs
    assert busy is parents


def test_all_idle_connections_make_room_for_a_call_that_has_none():
    with Loopback(answer(OK)) as server:
        one, other = endpoint(server.url), endpoint(server.url)
        one.call(get())
        one.call(get())
        before = open_handles()
        with no_handles_left():
            with pytest.raises(errors.ConnectionFailed, match="limit of open files") as caught:
                other.call(get())
            assert (caught.value.code, caught.value.effect) == ("Exhausted", errors.Effect.NONE)
            assert "ulimit" in caught.value.hint
        assert open_handles() < before
        assert other.call(get()).body == b"{}"
        one.close()
        other.close()


def test_no_thread_to_watch_over_a_call_means_no_call(monkeypatch):
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with Loopback(answer(OK)) as server:
        one = endpoint(server.url)
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            with pytest.raises(errors.ConnectionFailed, match="more threads") as caught:
                one.call(get())
        assert (caught.value.code, server.requests) == ("Exhausted", [])
        assert one.call(get()).body == b"{}"
        one.close()


def test_idle_connections_are_closed_though_no_call_follows(monkeypatch):
    monkeypatch.setattr(free_lines, "IDLE_SECONDS", 0.02)
    with Loopback(answer(OK)) as server:
        one = endpoint(server.url)
        one.call(get())
        # The server reads the end of the connection: nobody has called again, nor closed the endpoint.
        for thread in server._threads[1:]:
            thread.join(20)
            assert not thread.is_alive()
        assert not one._lines.has_idle
        assert one.call(get()).body == b"{}"
        one.close()


def test_where_no_thread_can_be_started_the_next_call_closes_what_is_old(lines, clock, monkeypatch):
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(free_lines, "_SWEEPER", free_lines._Sweeper())
    monkeypatch.setattr(threading.Thread, "start", refuse)
    first = take(lines)
    clock.time += IDLE_SECONDS
    assert take(lines) is not first
    assert first.client.is_closed
