"""What fails in the server is shown, ends one request, and never the work beside it."""

from __future__ import annotations

import socket

import pytest

from batchctl.model.errors import BatchctlError, StateError
from batchctl.server.thread import bind
from tests.support.engine import job
from tests.support.patience import PATIENCE
from tests.support.web import serving, snapshot_of


def test_an_error_of_ours_is_shown_and_the_server_goes_on(world):
    with serving(world, snapshot_of(world, job("a"))) as site:

        def fail():
            raise ValueError("a bug")

        site.feed.publish(fail)
        answer = site.client.get("/api/jobs")
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "Error")
        assert "a bug" not in answer.text
        (warning,) = site.warnings
        assert warning.startswith("the web page failed at /api/jobs: ValueError: a bug (")
        site.feed.publish(lambda: snapshot_of(world, job("a")))
        assert site.client.get("/api/jobs").status_code == 200


def test_an_error_inside_a_stream_ends_the_stream(world):
    with serving(world, snapshot_of(world, job("a"))) as site:
        with site.events() as messages:
            next(messages)

            def fail():
                raise ValueError("a bug")

            site.feed.publish(fail)
            with pytest.raises(Exception, match=r"peer closed|incomplete"):
                list(messages)
        assert "the web page failed at /events: ValueError" in site.warnings[0]


def test_a_state_that_cannot_be_read_is_an_error_with_its_words(world):
    with serving(world, snapshot_of(world, job("a"))) as site:
        site.surroundings.failure = StateError("the state is damaged", hint="restore it")
        answer = site.client.get("/api/jobs/a")
        assert (answer.status_code, answer.json()["error"]["message"]) == (500, "the state is damaged")
        assert site.client.get("/api/jobs").status_code == 200
        assert site.warnings == ["the web page: the state is damaged"]


def test_a_lock_that_cannot_be_read_does_not_hide_the_rest(world):
    with serving(world, snapshot_of(world, job("a"))) as site:
        site.surroundings.failure = StateError("no permission")
        assert site.get("/api/summary")["lock"] == {"holder": "unknown: no permission"}


def test_a_port_in_use_is_one_message():
    with bind("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(BatchctlError) as caught:
            bind("127.0.0.1", port)
    error = caught.value
    assert (error.code, error.exit_code) == ("AddressUnusable", 1)
    assert error.message == f"the web page cannot be served at 127.0.0.1:{port}: Address already in use"


def test_an_address_of_another_machine_is_one_message():
    with pytest.raises(BatchctlError, match=r"the web page cannot be served at 192\.0\.2\.7:8420: ") as caught:
        bind("192.0.2.7", 8420)
    assert caught.value.hint == "--serve takes an address of this machine, such as 127.0.0.1:8420"


@pytest.mark.parametrize("words", [b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00"])
def test_what_is_no_http_ends_its_connection(world, words):
    with serving(world, snapshot_of(world, job("a"))) as site:
        with socket.create_connection(("127.0.0.1", int(site.url.rpartition(":")[2])), timeout=PATIENCE) as raw:
            raw.sendall(words)
            raw.shutdown(socket.SHUT_WR)
            while raw.recv(4096):
                pass
        assert site.client.get("/api/jobs").status_code == 200
        assert site.warnings == []


def test_the_port_is_free_after_the_end(world):
    with serving(world, snapshot_of(world, job("a"))) as site:
        port = int(site.url.rpartition(":")[2])
        site.client.get("/api/jobs")
    bind("127.0.0.1", port).close()
