"""Connections that outlive threads and passes, and what happens when no file handles are left for them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from weakref import WeakSet

import httpx
import pytest

from batchctl.model import errors
from batchctl.providers.http import connection, connection_pool
from batchctl.providers.http.connection import Connection
from batchctl.providers.http.connection_pool import IDLE_SECONDS, ConnectionPool, PoolClosedError
from batchctl.providers.http.guard import Guard
from tests.providers.test_endpoint import OK, endpoint, get
from tests.support.file_handles import no_handles_left, open_handles
from tests.support.patience import PATIENCE
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
def connections(clock):
    made = ConnectionPool(lambda: Connection(httpx.Client(timeout=PATIENCE, verify=False), shared=False), clock)
    yield made
    made.close()


@contextmanager
def taken(connections: ConnectionPool) -> Iterator[Connection]:
    """A connection for one call, as an endpoint takes it."""
    connection = connections.take()
    try:
        yield connection
    finally:
        connections.give_back(connection)


def take(connections: ConnectionPool) -> Connection:
    with taken(connections) as connection:
        return connection


def test_a_line_is_used_again(connections):
    assert take(connections) is take(connections)


def test_the_line_that_was_used_last_is_taken_first(connections):
    with taken(connections) as first, taken(connections) as second:
        assert first is not second
    assert take(connections) is first


def test_a_surplus_connection_is_closed_after_a_while(connections, clock):
    with taken(connections) as first, taken(connections) as second:
        pass
    clock.time += IDLE_SECONDS / 2
    assert take(connections) is first
    clock.time += IDLE_SECONDS * 0.6
    assert take(connections) is first
    assert (first.is_closed, second.is_closed) == (False, True)


def test_connections_of_many_calls_at_once_are_used_again(connections):
    with ExitStack() as calls:
        first = {calls.enter_context(taken(connections)) for _ in range(100)}
    with ExitStack() as calls:
        again = {calls.enter_context(taken(connections)) for _ in range(100)}
    assert again == first


def test_close_ends_what_is_idle_and_what_is_busy(connections):
    idle = take(connections)
    with taken(connections) as busy:
        pass
    with taken(connections) as busy, taken(connections) as other:
        connections.close()
        assert busy.is_closed
        assert other.is_closed
    assert idle.is_closed
    with pytest.raises(PoolClosedError):
        take(connections)


def test_a_forked_child_leaves_the_connections_to_its_parent(connections, monkeypatch):
    parents = take(connections)
    with taken(connections) as busy:
        monkeypatch.setattr(os, "getpid", lambda: -1)
        childs = take(connections)
    assert len({parents, childs}) == 2
    assert take(connections) is childs
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
            patch.setattr(connection, "GUARD", Guard())
            patch.setattr(threading.Thread, "start", refuse)
            with pytest.raises(errors.ConnectionFailed, match="more threads") as caught:
                one.call(get())
        assert (caught.value.code, server.requests) == ("Exhausted", [])
        assert one.call(get()).body == b"{}"
        one.close()


def test_idle_connections_are_closed_though_no_call_follows(monkeypatch):
    monkeypatch.setattr(connection_pool, "IDLE_SECONDS", 0.02)
    with Loopback(answer(OK)) as server:
        one = endpoint(server.url)
        one.call(get())
        # The server reads the end of the connection, although no call followed and the endpoint was not closed.
        for thread in server._threads[1:]:
            thread.join(PATIENCE)
            assert not thread.is_alive()
        assert not one._pool.has_idle
        assert one.call(get()).body == b"{}"
        one.close()


def test_where_no_thread_can_be_started_the_next_call_closes_what_is_old(connections, clock, monkeypatch):
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(connection_pool, "_SWEEPER", connection_pool._Sweeper())
    monkeypatch.setattr(threading.Thread, "start", refuse)
    first = take(connections)
    clock.time += IDLE_SECONDS
    assert take(connections) is not first
    assert first.is_closed


def test_a_pool_that_is_made_while_others_are_looked_through_is_no_harm(connections, clock, monkeypatch):
    class Growing(WeakSet):
        def __iter__(self):
            for one in super().__iter__():
                if not made:
                    made.append(
                        ConnectionPool(
                            lambda: Connection(httpx.Client(timeout=PATIENCE, verify=False), shared=False), clock
                        )
                    )
                yield one

    made: list[ConnectionPool] = []
    monkeypatch.setattr(connection_pool, "_POOLS", Growing([connections]))
    first = take(connections)
    connection_pool.close_all_idle()
    assert (first.is_closed, len(made)) == (True, 1)
    made[0].close()
