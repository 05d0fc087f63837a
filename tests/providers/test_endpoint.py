from __future__ import annotations

import gc
import gzip
import socket
import threading
import weakref
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from types import SimpleNamespace

import httpx
import pytest

from batchctl.model import errors
from batchctl.model.allowance import Allowance
from batchctl.model.ports.providers import Fact
from batchctl.providers.credentials import ApiKey
from batchctl.providers.google_credentials import StaticToken
from batchctl.providers.http.calls import Call, Timeouts
from batchctl.providers.http.clients import open_line, tls_for
from batchctl.providers.http.direct_line import DirectLine
from batchctl.providers.http.endpoint import Endpoint
from batchctl.providers.reply_times import ServerClock
from tests.support.patience import PATIENCE
from tests.support.raw_server import Loopback, answer, drip, nobody
from tests.support.scripted_api import BASE, KEY, MovedClock, Script, reply, rpc_error

EMPTY_GZIP = (
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"a\r\n\x1f\x8b\x08\0\0\0\0\0\0\xff\r\n"
)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def endpoint(base: str = BASE, script: Script | None = None) -> Endpoint:
    transport = None if script is None else httpx.MockTransport(script)
    return Endpoint(base, ApiKey(KEY), ServerClock(MovedClock()), transport)


@pytest.fixture
def served():
    """Opens an endpoint on a loopback server; closes both."""
    opened: list[Endpoint] = []

    def connect(server: Loopback) -> Endpoint:
        opened.append(endpoint(server.url))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


def get(target: str = "/v1beta/batches", **changes) -> Call:
    return Call("w", "GET", target, **changes)


def test_the_key_goes_in_its_header_and_nowhere_else():
    script = Script(reply({}))
    endpoint(script=script).call(get(params={"pageSize": "100"}))
    request = script.requests[0]
    assert request.headers["x-goog-api-key"] == KEY
    assert str(request.url) == f"{BASE}/v1beta/batches?pageSize=100"
    assert request.headers["user-agent"].startswith("batchctl/")
    assert "content-type" not in request.headers


def test_an_absolute_address_gets_no_key_and_keeps_its_query():
    script = Script(reply({}))
    endpoint(script=script).call(Call("w", "POST", f"{BASE}/upload?upload_id=7", body=b"x"))
    request = script.requests[0]
    assert KEY not in str(request.headers.raw) + str(request.url)
    assert request.url.query == b"upload_id=7"


def test_a_path_in_the_base_url_is_kept():
    script = Script(reply({}))
    endpoint("http://127.0.0.1:1/gemini/", script).call(get())
    assert str(script.requests[0].url) == "http://127.0.0.1:1/gemini/v1beta/batches"


def test_redirects_are_not_followed():
    script = Script(httpx.Response(302, headers={"location": "https://elsewhere.example/"}), reply({}))
    with pytest.raises(errors.BadReply, match="redirect"):
        endpoint(script=script).call(get())
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    ("base", "url", "expected"),
    [
        (BASE, f"{BASE}/upload?upload_id=1", True),
        (BASE, f"{BASE}:443/upload", True),
        (BASE, "https://storage.googleapis.com/x", True),
        (BASE, "https://googleapis.com/x", True),
        (BASE, "http://generativelanguage.googleapis.com/x", False),
        (BASE, "https://evilgoogleapis.com/x", False),
        (BASE, "https://googleapis.com.evil.example/x", False),
        (BASE, "https://googleapis.com@evil.example/x", False),
        (BASE, "/relative", False),
        (BASE, "", False),
        ("http://127.0.0.1:8085", "http://127.0.0.1:8085/up", True),
        ("http://127.0.0.1:8085", "http://127.0.0.1:8086/up", False),
        ("http://127.0.0.1:8085", "https://storage.googleapis.com/x", False),
    ],
)
def test_which_addresses_in_replies_are_trusted(base, url, expected):
    assert endpoint(base).trusts(httpx.URL(url)) is expected


@pytest.mark.parametrize("body", [b"", b"[]", b"5", b"<html>", b'{"a": ', b'{"a": "\xe9"}', b"\xff\xfe{\x00}\x00"])
def test_an_answer_that_is_no_json_object(body):
    found = endpoint(script=Script(httpx.Response(200, content=body))).call(get())
    with pytest.raises(errors.BadReply):
        found.json_object()


def test_a_part_that_was_not_asked_for_is_no_reply():
    # A cache or a proxy may answer so, and the results of a failed job have no count to compare with.
    script = Script(httpx.Response(206, content=b"{}"), httpx.Response(206, content=b"{}"))
    with pytest.raises(errors.ReplyLost, match=r"a part of the reply that was not asked for \(206\)"):
        endpoint(script=script).call(get())
    with pytest.raises(errors.ReplyLost), endpoint(script=script).stream(get()):
        pass


def test_a_part_that_was_asked_for_is_a_reply():
    script = Script(httpx.Response(206, content=b"{}"))
    assert endpoint(script=script).call(get(headers={"range": "bytes=2-"})).body == b"{}"


def test_a_page_in_place_of_an_answer_comes_from_a_proxy():
    found = endpoint(script=Script(httpx.Response(200, content=b"\n<!doctype html><p>Sign in"))).call(get())
    with pytest.raises(errors.BadReply) as caught:
        found.json_object()
    assert caught.value.hint == "a proxy or gateway answers instead of the API: check the endpoint and the proxy"


def test_any_success_is_one():
    assert endpoint(script=Script(httpx.Response(204))).call(get()).body == b""


class SlowCredentials:
    """Slow credentials, on a clock of their own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, first: float, renewal: float) -> None:
        self.time, self.waits = 0.0, [first, renewal]
        self.renewed: list[dict[str, str]] = []
        monkeypatch.setattr("batchctl.providers.http.watch.time", SimpleNamespace(monotonic=lambda: self.time))

    def headers(self) -> dict[str, str]:
        if not self.renewed:
            self.time += self.waits[0]
        return {"authorization": f"Bearer {len(self.renewed)}"}

    def redact(self, text: str) -> str:
        return text

    def facts(self) -> tuple[Fact, ...]:
        return ()

    def renew(self, refused: Mapping[str, str]) -> None:
        self.renewed.append(dict(refused))
        self.time += self.waits[1]


def slow_endpoint(script: Script, credentials: SlowCredentials) -> Endpoint:
    return Endpoint(BASE, credentials, ServerClock(MovedClock()), httpx.MockTransport(script))


def test_what_credentials_take_is_not_the_calls_time(monkeypatch):
    slow = SlowCredentials(monkeypatch, first=1000.0, renewal=1.0)
    script = Script(rpc_error(401, "UNAUTHENTICATED"), reply({}))
    slow_endpoint(script, slow).call(get())
    assert [one.headers["authorization"] for one in script.requests] == ["Bearer 0", "Bearer 1"]
    assert slow.renewed == [{"authorization": "Bearer 0"}]


def test_a_call_is_not_sent_again_after_its_time(monkeypatch):
    script = Script(rpc_error(401, "UNAUTHENTICATED"), reply({}))
    with pytest.raises(errors.ConnectionFailed, match="not sent again") as caught:
        slow_endpoint(script, SlowCredentials(monkeypatch, first=1.0, renewal=1000.0)).call(get())
    assert caught.value.effect is errors.Effect.NONE
    assert len(script.requests) == 1


def test_a_refused_call_is_closed_when_no_new_credentials_can_be_had(monkeypatch):
    slow = SlowCredentials(monkeypatch, first=1.0, renewal=1.0)
    refused = httpx.Response(401, stream=Streamed(b"{}"))

    def fail(_: Mapping[str, str]) -> None:
        raise errors.ConnectionFailed("no token")

    monkeypatch.setattr(slow, "renew", fail)
    with pytest.raises(errors.ConnectionFailed, match="no token"):
        slow_endpoint(Script(refused), slow).call(get())
    assert refused.is_closed


@pytest.mark.parametrize("credentials", [ApiKey("some-key"), StaticToken("emulator")], ids=["key", "placeholder"])
@pytest.mark.parametrize(("refusals", "well"), [(1, True), (2, False)])
def test_credentials_that_cannot_change_are_sent_once_more(credentials, refusals, well):
    script = Script(*[rpc_error(401, "UNAUTHENTICATED") for _ in range(refusals)], reply({}))
    api = Endpoint(BASE, credentials, ServerClock(MovedClock()), httpx.MockTransport(script))
    with nullcontext() if well else pytest.raises(errors.Unauthenticated):
        api.call(get())
    assert [one.headers.items() for one in script.requests] == [script.requests[0].headers.items()] * 2


def test_a_call_elsewhere_renews_nothing(monkeypatch):
    slow = SlowCredentials(monkeypatch, first=1.0, renewal=1.0)
    with pytest.raises(errors.Unauthenticated):
        slow_endpoint(Script(rpc_error(401, "UNAUTHENTICATED")), slow).call(get(f"{BASE}/upload?upload_id=7"))
    assert (slow.renewed, slow.time) == ([], 0.0)


class Streamed(httpx.SyncByteStream):
    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks
        self.given = 0

    def __iter__(self):
        for chunk in self.chunks:
            self.given += 1
            yield chunk


def test_a_large_answer_is_not_read_beyond_its_limit():
    stream = Streamed(*[b"x" * 100 for _ in range(50)])
    with pytest.raises(errors.BadReply, match="larger than 250"):
        endpoint(script=Script(httpx.Response(200, stream=stream))).call(get(limit=250))
    assert stream.given == 3


def test_the_limit_counts_decompressed_bytes():
    stream = Streamed(gzip.compress(b"0" * 100_000))
    answered = httpx.Response(200, stream=stream, headers={"content-encoding": "gzip"})
    with pytest.raises(errors.BadReply, match="larger"):
        endpoint(script=Script(answered)).call(get(limit=5000))


def test_compressed_answers_are_read():
    packed = gzip.compress(b'{"a": 1}')
    headers = {"content-encoding": "gzip", "content-length": str(len(packed))}
    for answered in (
        httpx.Response(200, stream=Streamed(packed), headers=headers),
        httpx.Response(200, content=packed, headers=headers),
    ):
        assert endpoint(script=Script(answered)).call(get()).json_object() == {"a": 1}


def test_broken_compression_is_a_bad_reply():
    answered = httpx.Response(200, stream=Streamed(b"no gzip"), headers={"content-encoding": "gzip"})
    with pytest.raises(errors.BadReply):
        endpoint(script=Script(answered)).call(get())


@pytest.mark.parametrize("length", ["5", "100"])
def test_fewer_or_more_bytes_than_announced_is_a_lost_reply(length):
    headers = {"content-length": length}
    for answered in (
        httpx.Response(200, stream=Streamed(b'{"a": 1}'), headers=headers),
        httpx.Response(200, content=b'{"a": 1}', headers=headers),
    ):
        with pytest.raises(errors.ReplyLost, match="8 of"):
            endpoint(script=Script(answered)).call(get())


def test_an_endless_error_page_is_cut_off():
    stream = Streamed(*[b"<html>" * 1000 for _ in range(1000)])
    with pytest.raises(errors.ServerFailed):
        endpoint(script=Script(httpx.Response(500, stream=stream))).call(get())
    assert stream.given < 200


@pytest.mark.parametrize("status", [200, 500])
def test_time_is_up_on_a_shared_transport_too(status):
    with pytest.raises(errors.ReplyLost, match="within 0 seconds"):
        endpoint(script=Script(httpx.Response(status, stream=Streamed(b"{}")))).call(get(timeouts=Timeouts(total=0.0)))


def test_the_clock_follows_valid_replies_only():
    date = {"date": "Sun, 22 Nov 2026 12:04:00 GMT"}
    bad, good = httpx.Response(500, headers=date), reply({}, headers=date)
    one = endpoint(script=Script(bad, good))
    before = one.clock.now()
    with pytest.raises(errors.ServerFailed):
        one.call(get())
    assert one.clock.now() == before
    one.call(get())
    assert (one.clock.now() - before).total_seconds() == 240


@pytest.mark.parametrize(
    "play",
    [
        drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"y"),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"y"),
        drip(b"HTTP/1.1 500 Oops\r\nContent-Length: 100000\r\n\r\n", b"y"),
        drip(EMPTY_GZIP, b"5\r\n\0\0\0\xff\xff\r\n"),
    ],
    ids=["header", "body", "error body", "compressed nothing"],
)
def test_a_dripping_server_does_not_hold_a_worker(served, play):
    with Loopback(play) as server, pytest.raises(errors.ReplyLost, match="within"):
        served(server).call(get(timeouts=Timeouts(total=0.2)))


def test_the_watch_covers_a_connection_used_before(served):
    plays = [answer(OK), drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"y")]

    def play(connection: socket.socket, stop: threading.Event) -> bool:
        return plays.pop(0)(connection, stop)

    with Loopback(play) as server:
        one = served(server)
        one.call(get())
        with pytest.raises(errors.ReplyLost, match="within"):
            one.call(get(timeouts=Timeouts(total=0.2)))
        assert len(server.connections) == 1


@pytest.mark.parametrize(
    "data",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", b"SSH-2.0-x\r\n\r\n"],
)
def test_a_cut_connection_is_a_lost_reply(served, data):
    with Loopback(answer(data, keep=False)) as server, pytest.raises(errors.ReplyLost):
        served(server).call(get())


def test_silence_is_a_lost_reply(served):
    def play(_: socket.socket, stop: threading.Event) -> bool:
        return not stop.wait()

    with Loopback(play) as server, pytest.raises(errors.ReplyLost, match="ReadTimeout"):
        served(server).call(get(timeouts=Timeouts(read=0.05)))


def test_of_two_time_limits_the_shorter_one_is_named(served):
    with Loopback(drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"y")) as server:
        one = served(server)
        # The budget's own clock stands still: the watch of the call ends it.
        with (
            Allowance(0.05, now=lambda: 0.0).holding(),
            pytest.raises(errors.ReplyLost, match="all calls of this read") as caught,
        ):
            one.call(get())
        assert "limits.readTimeout" in caught.value.hint


def test_nobody_there():
    with nobody() as port, pytest.raises(errors.ConnectionFailed) as caught:
        (one := endpoint(f"http://127.0.0.1:{port}")).call(get())
    assert caught.value.effect is errors.Effect.NONE
    one.close()


def test_a_failed_handshake_sent_nothing():
    with Loopback(answer(b"not TLS", keep=False)) as server:
        one = endpoint(server.url.replace("http:", "https:"))

        def hello(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        server._serve = hello
        with pytest.raises(errors.ConnectionFailed) as caught:
            one.call(get())
        one.close()
    assert "certificate" in caught.value.hint
    assert KEY not in str(server.requests)


def test_calls_side_by_side_have_a_connection_each_and_those_that_follow_take_them_over(served):
    meeting, at_once, respond = threading.Barrier(3), threading.Barrier(3), answer(OK)

    def work(one: Endpoint) -> None:
        for _ in range(3):
            one.call(get())
            meeting.wait(PATIENCE)

    def play(connection: socket.socket, stop: threading.Event) -> bool:
        if threads:
            at_once.wait(PATIENCE)  # no call takes over the connection of one that has its answer already
        return respond(connection, stop)

    with Loopback(play) as server:
        one = served(server)
        threads = [threading.Thread(target=work, args=(one,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(server.connections), len(server.requests)) == (3, 9)
        threads = []
        # The threads of a pass end with it; their connections remain for the threads of the next one.
        for _ in range(5):
            thread = threading.Thread(target=one.call, args=(get(),))
            thread.start()
            thread.join()
        assert (len(server.connections), len(server.requests)) == (3, 14)


def test_a_new_connection_replaces_a_closed_one(served):
    plays = [answer(OK, keep=False), answer(OK)]

    def play(connection: socket.socket, stop: threading.Event) -> bool:
        return plays.pop(0)(connection, stop)

    with Loopback(play) as server:
        one = served(server)
        one.call(get())
        server._threads[1].join()
        one.call(get())
        assert len(server.connections) == 2


def test_a_proxy_of_the_environment_does_not_get_calls_to_this_machine(served, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with Loopback(answer(OK)) as server:
        assert served(server).call(get()).body == b"{}"


def test_after_close_nothing_is_sent():
    for one in (endpoint(), endpoint(script=Script(reply({})))):
        one.close()
        with pytest.raises(errors.ConnectionFailed, match="closed"):
            one.call(get())


def test_closed_during_a_call():
    with Loopback(answer(OK)) as server:
        one = endpoint(server.url)
        with one._connection(get()) as line:
            original = line.send

        def closing_first(request):
            one.close()
            return original(request)

        line.send = closing_first
        with pytest.raises(errors.ReplyLost, match="closed during"):
            one.call(get())


def test_no_cookie_is_kept_and_no_location_followed(served):
    moved = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nLocation: /other\r\nContent-Length: 2\r\n\r\n{}"
    with Loopback(answer(moved)) as server:
        one = served(server)
        one.call(get())
        one.call(get(params={"pageSize": "2"}))
    assert [request.split(b" ")[1] for request in server.requests] == [
        b"/v1beta/batches",
        b"/v1beta/batches?pageSize=2",
    ]
    assert not any(b"cookie" in request.lower() for request in server.requests)
    assert len(server.connections) == 1


def test_parameters_take_the_place_of_those_of_an_address():
    script = Script(reply({}))
    endpoint(script=script).call(get(f"{BASE}/upload?upload_id=7", params={"alt": "a b&c"}))
    assert dict(script.requests[0].url.params) == {"alt": "a b&c"}


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_calls_go_through_a_proxy_only_where_there_is_one(monkeypatch, variable):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    url, tls = httpx.URL("https://api.example"), tls_for("http")
    assert isinstance(open_line(url, tls, httpx.Limits()), DirectLine)
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    assert isinstance(open_line(url, tls, httpx.Limits()), httpx.Client)


def test_misuse_is_not_hidden():
    def broken(_: httpx.Request) -> httpx.Response:
        raise RuntimeError("a fault of our own")

    with pytest.raises(RuntimeError, match="our own"):
        endpoint(script=broken).call(get())


@pytest.mark.parametrize("status", [200, 500])
def test_a_call_leaves_no_body_behind(status):
    """An upload consists of many calls with 8 MiB each: none of them may wait for the collector of garbage."""
    seen: list[weakref.ref[httpx.Request]] = []

    def script(request: httpx.Request) -> httpx.Response:
        seen.append(weakref.ref(request))
        return httpx.Response(status, json={})

    one = Endpoint(BASE, ApiKey(KEY), ServerClock(MovedClock()), httpx.MockTransport(script))
    gc.collect()
    gc.disable()
    try:
        with suppress(errors.ApiError):
            one.call(Call("w", "POST", "/v1beta/batches", body=b"rows"))
        assert [request() for request in seen] == [None]
    finally:
        gc.enable()
