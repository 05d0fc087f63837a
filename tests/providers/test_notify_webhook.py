"""Webhooks over real sockets: the request, what counts as received, and addresses that are never called."""

from __future__ import annotations

import json
import logging
import socket
import ssl
import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from batchctl.model.addresses import WebAddress, literal_address
from batchctl.model.errors import HookUnusable, NotDelivered
from batchctl.model.notices import Notice, NoticeType, Webhook
from batchctl.model.reserved import is_public
from batchctl.providers.notify import resolving
from batchctl.providers.notify.resolving import find_addresses
from batchctl.providers.notify.webhook import WebhookSender
from tests.support.hook_receiver import KEY, SECRET, HookReceiver
from tests.support.patience import PATIENCE
from tests.support.raw_server import Loopback, answer, drip, nobody

NOW = datetime(2026, 11, 22, 12, 0, 0, 500_000, tzinfo=UTC)
BODY = json.dumps({"id": "evt_1", "job": "übersetzen"})
NOTICE = Notice("evt_1", "ops", "a", 1, NoticeType.FAILED, NOW, BODY)
CERTIFICATE = Path(__file__).with_name("hook.example.pem")


class HandClock:
    def now(self):
        return NOW

    def sleep(self, seconds):
        raise AssertionError("nobody sleeps here")


def sender(*, allowed=True, total=10.0, **env):
    return WebhookSender({"SECRET": SECRET, **env}, lambda place: allowed, HandClock(), total)


def hook(url):
    return Webhook("ops", url, "SECRET")


def problem_of(url, **options):
    with pytest.raises(NotDelivered) as caught:
        sender(**options).send(hook(url), NOTICE)
    return caught.value


@pytest.fixture
def receiver():
    with HookReceiver() as one:
        yield one


@pytest.fixture
def names(monkeypatch):
    """Host names and the addresses that they resolve to, one answer after the other; counts the requests for each."""
    table: dict[str, list[list[str]]] = {}
    asked: Counter[str] = Counter()
    real = socket.getaddrinfo

    def look_up(host, port, *args, **kwargs):
        if host not in table:
            return real(host, port, *args, **kwargs)
        asked[host] += 1
        answers = table[host][min(asked[host], len(table[host])) - 1]
        return [entry for address in answers for entry in real(address, port, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    table["asked"] = asked
    return table


@pytest.fixture
def no_connections(monkeypatch):
    def refuse(*_):
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_a_signed_request_arrives(receiver):
    sender().send(hook(f"{receiver.url}/hooks/batch?to=ops&x=%20"), NOTICE)
    (got,) = receiver.got
    assert (got.path, got.body.decode()) == ("/hooks/batch?to=ops&x=%20", BODY)
    assert got.headers["content-type"] == "application/json"
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert got.headers["webhook-id"] == "evt_1"
    assert int(got.headers["webhook-timestamp"]) == int(NOW.timestamp())
    assert got.is_signed()
    assert not got.is_signed(b"another key of more than 24 bytes")
    assert got.headers["user-agent"].startswith("batchctl/")


def test_the_signature_is_that_of_the_scheme():
    """Computed with `openssl dgst -sha256 -hmac` over `evt_1.1795348800.{}`."""
    from batchctl.providers.notify.signing import signed_headers

    headers = signed_headers("evt_1", b"{}", [KEY], NOW)
    assert headers["webhook-timestamp"] == "1795348800"
    assert headers["webhook-signature"] == SIGNED


SIGNED = "v1,D31DuWAE0yzWZwuXMEijAG0SI+Xg4Yrnn2Lf+MKuv0M="


def test_while_a_secret_changes_both_sign(receiver):
    other = b"x" * 24
    pair = f"{SECRET} whsec_{'eHh4' * 8}"
    sender(SECRET=f"  {pair} ").send(hook(receiver.url), NOTICE)
    (got,) = receiver.got
    assert got.is_signed()
    assert got.is_signed(other)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "SECRET is not set"),
        ("   ", "SECRET is not set"),
        ("AIzaSy-a-key-of-some-api-0123456789", "SECRET is not a webhook secret"),
        ("whsec_", "SECRET is not a webhook secret"),
        ("whsec_not base64!", "SECRET is not a webhook secret"),
        ("whsec_c2hvcnQ=", "SECRET is not a webhook secret"),
        (f"{SECRET} MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "SECRET is not a webhook secret"),
    ],
)
def test_what_is_no_secret_signs_nothing(no_connections, value, says):
    problem = problem_of("https://example.com", SECRET=value)
    assert isinstance(problem, HookUnusable)
    assert (problem.code, problem.message) == ("NoWebhookSecret", says)
    assert "whsec_" in problem.hint
    for word in value.split():
        assert word == "whsec_" or word not in f"{problem.message} {problem.hint}"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_acknowledges(receiver, status):
    receiver.answer = lambda got: (status, {})
    sender().send(hook(receiver.url), NOTICE)


@pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 500, 503])
def test_anything_else_does_not(receiver, status):
    receiver.answer = lambda got: (status, {})
    problem = problem_of(receiver.url)
    assert (problem.code, problem.message) == ("NotDelivered", f"{receiver.url} answered with HTTP {status}")
    assert not isinstance(problem, HookUnusable)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(receiver, status):
    receiver.answer = lambda got: (status, {"location": "/elsewhere"} if got.path == "/" else {})
    problem = problem_of(receiver.url)
    assert "redirects are not followed" in problem.hint
    assert [got.path for got in receiver.got] == ["/"]


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "play",
    [
        pytest.param(drip(OK, b"x-drop: 1\r\n"), id="headers that never end"),
        pytest.param(drip(b"", b"H"), id="a status line that never ends"),
        pytest.param(drip(b"HTTP/1.1 102 Processing\r\n\r\n", b"HTTP/1.1 102 Processing\r\n\r\n"), id="always not yet"),
        pytest.param(lambda connection, stop: stop.wait() and False, id="silence"),
    ],
)
def test_a_receiver_that_never_comes_to_an_end_is_cut_off(play):
    with Loopback(play) as server:
        problem = problem_of(server.url, total=0.3)
    assert problem.message == f"{server.url} did not answer within 0.3 seconds"


@pytest.mark.parametrize(
    "play",
    [
        pytest.param(drip(OK + b"content-length: 999999999\r\n\r\n", b"x" * 1000), id="a body without an end"),
        pytest.param(answer(OK + b"content-encoding: gzip\r\ncontent-length: 4\r\n\r\nnope"), id="a body that is none"),
    ],
)
def test_of_an_answer_only_its_status_counts(play):
    with Loopback(play) as server:
        sender().send(hook(server.url), NOTICE)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"SSH-2.0-OpenSSH_9\r\n", id="another protocol"),
        pytest.param(OK + b"x: " + b"y" * 200_000, id="a header without bounds"),
    ],
)
def test_what_is_no_answer_is_no_delivery(data):
    with Loopback(answer(data, keep=False)) as server:
        problem = problem_of(server.url)
    assert problem.message.startswith(f"{server.url} closed the connection (")


@pytest.fixture
def closed_port():
    with nobody() as port:
        yield port


def test_nobody_there(closed_port):
    url = f"http://127.0.0.1:{closed_port}"
    assert problem_of(url).message == f"no connection to {url}"


def test_another_address_is_tried_when_one_does_not_answer(receiver, names):
    # All of 127/8 is this machine, but the receiver listens on its first address only.
    names["hook.example"] = [["127.0.0.2", "127.0.0.1"]]
    sender().send(hook(f"http://hook.example:{receiver.port}/x"), NOTICE)
    assert len(receiver.got) == 1


def test_time_is_up_between_two_addresses(names, monkeypatch, closed_port):
    names["hook.example"] = [["127.0.0.2", "127.0.0.1"]]
    moments = iter([0.0, 1.0, 11.0])
    monkeypatch.setattr("batchctl.providers.notify.webhook.time.monotonic", lambda: next(moments, 11.0))
    problem = problem_of(f"http://hook.example:{closed_port}")
    assert problem.message.endswith("did not answer within 10 seconds")


def test_a_name_is_asked_for_once_and_the_checked_address_is_called(receiver, names):
    names["rebind.example"] = [["127.0.0.1"], ["127.0.0.2"]]
    sender().send(hook(f"http://rebind.example:{receiver.port}/x"), NOTICE)
    (got,) = receiver.got
    assert got.headers["host"] == f"rebind.example:{receiver.port}"
    assert names["asked"]["rebind.example"] == 1


def test_a_name_that_leads_elsewhere_a_moment_later_changes_nothing(names):
    names["rebind.example"] = [["8.8.8.8"], ["127.0.0.1"]]
    place = WebAddress.parse("https://rebind.example")
    assert [str(one) for one in find_addresses(place, is_allowed=False, timeout=PATIENCE)] == ["8.8.8.8"]
    assert names["asked"]["rebind.example"] == 1


@pytest.fixture
def trusting(monkeypatch):
    """A machine that trusts the test's certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


@pytest.fixture
def secure():
    with HookReceiver(CERTIFICATE) as one:
        yield one


def test_the_certificate_has_to_be_the_names_though_the_address_is_called(secure, names, trusting):
    names["hook.example"] = names["other.example"] = [["127.0.0.1"]]
    once = sender()
    for _ in range(2):
        once.send(hook(f"https://hook.example:{secure.port}/x"), NOTICE)
    assert [got.headers["host"] for got in secure.got] == [f"hook.example:{secure.port}"] * 2
    assert all(got.is_signed() for got in secure.got)
    for host in ("other.example", "127.0.0.1"):
        assert problem_of(f"https://{host}:{secure.port}/x").message.startswith("no connection to")
    assert len(secure.got) == 2


def test_an_untrusted_certificate_is_refused(secure, names):
    names["hook.example"] = [["127.0.0.1"]]
    assert problem_of(f"https://hook.example:{secure.port}/x").message.startswith("no connection to")
    assert secure.got == []


def test_no_proxy_is_asked(receiver, monkeypatch, closed_port):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port}")
    sender().send(hook(receiver.url), NOTICE)
    assert len(receiver.got) == 1


INSIDE = [
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "198.18.0.1",
    "203.0.113.7",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2001:db8::1",
    "2001:0:7f00:1::1",
    "2002:7f00:1::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
]
OUTSIDE = ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "2001:4860:4860::8888", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", INSIDE)
def test_no_name_leads_inside(names, no_connections, address, monkeypatch):
    monkeypatch.setattr(
        resolving.socket,
        "getaddrinfo",
        lambda *_, **__: [(0, 0, 0, "", ("8.8.8.8", 443)), (0, 0, 0, "", (address, 443))],
    )
    problem = problem_of("https://example.com/x", allowed=False)
    assert isinstance(problem, HookUnusable)
    assert problem.code == "UntrustedWebhook"
    assert problem.message == "https://example.com resolves to an address that is not on the public Internet"
    assert problem.hint == "if you trust it, set BATCHCTL_ALLOW_WEBHOOK=https://example.com"
    assert address not in f"{problem.message} {problem.hint}"


@pytest.mark.parametrize(
    "host",
    [
        *(f"[{address}]" if ":" in address else address for address in INSIDE if "%" not in address),
        # Other spellings of 127.0.0.1, 169.254.169.254 and 10.0.0.1.
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0177.0.0.1",
        "0x7f.0.0.1",
        "127.1",
        "0",
        "2852039166",
        "0xA9FEA9FE",
        "0251.0376.0251.0376",
        "10.1",
        "012.0.0.1",
        "localhost",
    ],
)
def test_no_spelling_of_an_address_leads_inside(no_connections, host):
    problem = problem_of(f"https://{host}/x", allowed=False)
    assert isinstance(problem, HookUnusable)
    assert problem.code == "UntrustedWebhook"


def test_plain_http_has_to_be_allowed(no_connections):
    problem = problem_of("http://93.184.216.34/x", allowed=False)
    assert (problem.code, problem.message) == ("UntrustedWebhook", "http://93.184.216.34 is not https")


@pytest.mark.parametrize("address", OUTSIDE)
def test_the_public_internet_is_free_to_all(address):
    host = f"[{address}]" if ":" in address else address
    (found,) = find_addresses(WebAddress.parse(f"https://{host}"), is_allowed=False, timeout=PATIENCE)
    assert str(found) == address or ":" in address
    assert is_public(found)


def test_what_the_operator_allows_may_be_anywhere(names):
    names["inside.example"] = [["10.0.0.1", "10.0.0.1", "fd00::1"]]
    found = find_addresses(WebAddress.parse("http://inside.example"), is_allowed=True, timeout=PATIENCE)
    assert [str(one) for one in found] == ["10.0.0.1", "fd00::1"]


@pytest.mark.parametrize("error", [socket.gaierror(-2, "Name or service not known"), UnicodeError("label too long")])
def test_a_name_that_does_not_exist(monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(resolving.socket, "getaddrinfo", fail)
    problem = problem_of("https://nowhere.example")
    assert problem.message == "nowhere.example cannot be resolved"
    assert not isinstance(problem, HookUnusable)


def test_a_name_service_that_never_answers(monkeypatch):
    stop = threading.Event()
    monkeypatch.setattr(resolving.socket, "getaddrinfo", lambda *_, **__: stop.wait(PATIENCE) and [])
    problem = problem_of("https://slow.example", total=0.2)
    stop.set()
    assert problem.message == "slow.example was not resolved within 0.1 seconds"


def test_no_secret_is_written_anywhere(receiver, caplog, capfd):
    receiver.answer = lambda got: (500, {})
    with caplog.at_level(logging.DEBUG):
        problem = problem_of(f"{receiver.url}/a-path-that-is-a-secret-too")
    said = "".join([caplog.text, *capfd.readouterr(), problem.message, problem.hint, repr(problem)])
    assert SECRET not in said
    assert SECRET.removeprefix("whsec_") not in said
    assert "a-path-that" not in problem.message + problem.hint


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://Example.com", ("https", "example.com", 443, "/")),
        ("HTTPS://example.com:8443/a/b?c=d", ("https", "example.com", 8443, "/a/b?c=d")),
        ("http://[2001:DB8::1]:80?x", ("http", "2001:db8::1", 80, "/?x")),
    ],
)
def test_a_url_has_parts(url, expected):
    place = WebAddress.parse(url)
    assert (place.scheme, place.host, place.port, place.target) == expected


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://example.com:443/x", "https://example.com"),
        ("http://example.com:443/x", "http://example.com:443"),
        ("https://[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_an_origin_omits_the_default_port(url, origin):
    assert WebAddress.parse(url).origin == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "ftp://example.com",
        "https://",
        "https://user@example.com",
        "https://user:pass@example.com",
        "https://example.com@10.0.0.1/",
        "https://example.com\\@10.0.0.1/",
        "https://example.com#fragment",
        "https://example.com/\n",
        "https://example.com/ x",
        "https://exämple.com",
        "https://\uff11\uff12\uff17.0.0.1",
        "https://example.com:0",
        "https://example.com:65536",
        "https://example.com:99999999",
        "https://[::1",
        "https://[::1%25eth0]/",
    ],
)
def test_what_two_parsers_could_read_in_two_ways_is_no_url(url):
    with pytest.raises(ValueError, match=r"^must "):
        WebAddress.parse(url)


@pytest.mark.parametrize("host", ["example.com", "localhost", "1.2.3.4.5", "dead.beef", "1e3", "0x", ""])
def test_a_name_spells_no_address(host):
    assert literal_address(host) is None


def test_tls_is_made_ready_once(monkeypatch, closed_port):
    made = []
    monkeypatch.setattr(
        "batchctl.providers.http.clients.httpx.create_ssl_context",
        lambda: made.append(1) or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
    )
    once = sender(total=2.0)
    for _ in range(2):
        with pytest.raises(NotDelivered):
            once.send(hook(f"https://127.0.0.1:{closed_port}"), NOTICE)
    assert len(made) == 1
