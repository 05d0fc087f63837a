"""A line of one connection: requests go out in one piece, and errors are those of httpx."""

from __future__ import annotations

from typing import Any

import httpcore
import httpx
import pytest

from batchctl.providers.http.clients import tls_for
from batchctl.providers.http.direct_line import DirectLine, _as_httpx, _JoinedStream
from tests.support.raw_server import Loopback, answer, nobody

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
SMALL, LARGE = b"x" * 1000, b"y" * 100_000
NAMES = sorted(
    name
    for name, found in vars(httpcore).items()
    if isinstance(found, type) and issubclass(found, Exception) and name != "ConnectionNotAvailable"
)


class Stream(httpcore.NetworkStream):
    """Keeps what is written; what is to be raised then."""

    def __init__(self, error: Exception | None = None) -> None:
        self.written: list[tuple[bytes, float | None]] = []
        self._error = error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if self._error is not None:
            raise self._error
        self.written.append((buffer, timeout))

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return f"{max_bytes} {timeout}".encode()

    def start_tls(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
        return self


@pytest.fixture
def line():
    line = DirectLine(tls_for("http"), 4.0)
    yield line
    line.close()


def post(url: str, body: bytes = SMALL) -> httpx.Request:
    return httpx.Request("POST", f"{url}/v1/batches", content=body)


def body_of(response: httpx.Response) -> bytes:
    body = response.read()
    response.close()
    return body


@pytest.mark.parametrize("is_tls", [False, True])
@pytest.mark.parametrize(
    ("pieces", "sent"),
    [
        ([], []),
        ([b"head", SMALL], [b"head" + SMALL]),
        ([b"head", LARGE], [b"head", LARGE]),
        ([b"head", LARGE, SMALL], [b"head", LARGE, SMALL]),
        ([LARGE[:40_000], LARGE[:40_000]], [LARGE[:40_000], LARGE[:40_000]]),
    ],
    ids=["nothing", "small", "large", "large and small", "together large"],
)
def test_small_pieces_are_sent_together_before_a_reply_is_read(pieces, sent, is_tls):
    inner = Stream()
    stream = _JoinedStream(inner)
    if is_tls:
        stream = stream.start_tls(tls_for("http"))
    for piece in pieces:
        stream.write(piece, 7.0)
    assert stream.read(10, 5.0) == b"10 5.0"
    assert inner.written == [(piece, 7.0) for piece in sent]
    stream.read(10)
    assert len(inner.written) == len(sent)


def test_the_reply_of_a_server_that_does_not_read_on_counts():
    stream = _JoinedStream(Stream(httpcore.WriteError("broken pipe")))
    stream.write(SMALL)
    assert stream.read(10, 5.0) == b"10 5.0"


def test_a_request_that_cannot_be_sent_in_time_ends_its_call():
    stream = _JoinedStream(Stream(httpcore.WriteTimeout("timed out")))
    stream.write(SMALL)
    with pytest.raises(httpcore.WriteTimeout):
        stream.read(10, 5.0)


@pytest.mark.parametrize("name", NAMES)
def test_every_error_is_the_one_of_httpx(name):
    error = _as_httpx(getattr(httpcore, name)("because"))
    assert type(error) is getattr(httpx, name)
    assert str(error) == "because"


def test_calls_share_a_connection_to_one_place(line):
    with Loopback(answer(OK)) as here, Loopback(answer(OK)) as there:
        for server in (here, here, there, here):
            assert body_of(line.handle_request(post(server.url))) == b"{}"
        assert (len(here.connections), len(there.connections)) == (2, 1)


def test_a_reply_that_is_not_read_to_its_end_takes_its_connection_with_it(line):
    with Loopback(answer(OK)) as server:
        line.handle_request(post(server.url)).close()
        assert body_of(line.handle_request(post(server.url))) == b"{}"
        assert len(server.connections) == 2


def test_after_a_failure_there_is_a_new_connection(line):
    with nobody() as port, pytest.raises(httpx.ConnectError):
        line.handle_request(post(f"http://127.0.0.1:{port}"))
    with Loopback(answer(OK)) as server:
        assert body_of(line.handle_request(post(server.url))) == b"{}"


def test_another_scheme_is_refused(line):
    with pytest.raises(httpx.UnsupportedProtocol, match="'ftp'"):
        line.handle_request(post("ftp://127.0.0.1"))
