"""Proxies and certificates of the environment: which calls use them, which never do, and unusable settings."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from batchctl.model import errors
from batchctl.model.errors import BatchctlError
from batchctl.providers.credentials import ApiKey
from batchctl.providers.http.calls import Call
from batchctl.providers.http.clients import check_environment, tls_for, uses_proxies
from batchctl.providers.http.endpoint import Endpoint
from batchctl.providers.redaction import proxy_secrets
from batchctl.providers.reply_times import ServerClock
from tests.support.raw_server import Loopback, answer
from tests.support.scripted_api import KEY, MovedClock

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
GET = Call("w", "GET", "/v1beta/batches")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """A proxy that records every request."""
    with Loopback(answer(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", keep=False)) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, server.url)
        yield server


def call(base: str) -> None:
    one = Endpoint(base, ApiKey(KEY), ServerClock(MovedClock()))
    try:
        one.call(GET)
    finally:
        one.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.2",
        "127.1",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "localhost",
        "emulator.localhost",
        "[::ffff:127.0.0.1]",
    ],
)
def test_this_machine_is_reached_through_no_proxy(proxy: Loopback, scheme: str, host: str) -> None:
    with pytest.raises(errors.ApiError):
        call(f"{scheme}://{host}:1")
    assert proxy.requests == []


def test_credentials_never_go_through_a_proxy_in_clear_text(proxy: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    # A name that an operator allowed over plain http; no server listens there.
    def nobody(*_: object, **__: object) -> object:
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: _real(host, nobody, *rest, **more))
    with pytest.raises(errors.ConnectionFailed):
        call("http://inside.example")
    assert proxy.requests == []


_getaddrinfo = socket.getaddrinfo


def _real(host: str, nobody: object, *rest: object, **more: object) -> object:
    return _getaddrinfo(host, *rest, **more) if host.startswith("127.") else nobody()  # type: ignore[operator]


def test_https_goes_through_the_proxy_in_a_tunnel(proxy: Loopback) -> None:
    with pytest.raises(errors.ConnectionFailed):
        call("https://generativelanguage.googleapis.com")
    (request,) = proxy.requests
    assert request.startswith(b"CONNECT generativelanguage.googleapis.com:443 ")
    assert KEY.encode() not in request


def test_a_local_name_that_leads_to_another_machine_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with Loopback(answer(OK)) as server:
        port = server.url.rpartition(":")[2]
        # A DNS server could return this; the address is treated as another machine's.
        monkeypatch.setattr("batchctl.providers.http.connection.is_loopback_host", lambda _host: False)
        with pytest.raises(errors.ConnectionFailed, match="resolves to another machine"):
            call(f"http://localhost:{port}")
    assert server.requests == []


@pytest.mark.parametrize(
    ("url", "used"),
    [
        ("https://a.example", True),
        ("http://a.example", False),
        ("https://127.0.0.3", False),
        ("https://[::1]", False),
        ("https://x.localhost", False),
    ],
)
def test_who_may_be_reached_through_a_proxy(url: str, used: bool) -> None:
    assert uses_proxies(httpx.URL(url)) is used


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (
            "ALL_PROXY",
            "socks5://127.0.0.1:1080",
            "ALL_PROXY names a SOCKS proxy, which needs the package socksio",
        ),
        ("HTTPS_PROXY", "socks5h://u:swordfish@h:1", "HTTPS_PROXY names a SOCKS proxy"),
        ("all_proxy", "socks://h", "all_proxy is not the URL of a proxy"),
        ("HTTPS_PROXY", "ftp://u:swordfish@h", "HTTPS_PROXY is not the URL of a proxy"),
        ("http_proxy", "http://h:port", "http_proxy is not the URL of a proxy"),
        ("HTTPS_PROXY", "http://[", "HTTPS_PROXY is not the URL of a proxy"),
        ("HTTPS_PROXY", "http://h:99999999", "HTTPS_PROXY is not the URL of a proxy"),
        ("HTTPS_PROXY", "http://u:swordfish\x01@h", "HTTPS_PROXY is not the URL of a proxy"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)
    for attempt in (lambda: check_environment(["https://a.example"]), lambda: call("https://a.example")):
        with pytest.raises(BatchctlError) as caught:
            attempt()
        assert caught.value.code == "InvalidEnvironment"
        assert words in caught.value.message
        assert "swordfish" not in caught.value.message + caught.value.hint
    check_environment(["http://127.0.0.1:8085", "http://a.example"])


def test_exceptions_that_cannot_be_read_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://h:1")
    monkeypatch.setenv("NO_PROXY", "good.example,[::1")
    with pytest.raises(BatchctlError, match="NO_PROXY cannot be read"):
        check_environment(["https://a.example"])


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_certificates_that_cannot_be_read_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    path = tmp_path / "roots.pem"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with pytest.raises(BatchctlError, match="the trusted certificates cannot be read: SSL_CERT_FILE"):
        check_environment(["https://a.example"])
    with pytest.raises(BatchctlError, match="SSL_CERT_FILE"):
        tls_for("https")
    check_environment(["http://127.0.0.1:8085"])


def test_the_secrets_of_a_proxy_are_known() -> None:
    env = {"HTTPS_PROXY": "http://ada:sword%40fish@h:1", "http_proxy": "h:2", "ALL_PROXY": "http://["}
    assert proxy_secrets(env) == ("ada:sword@fish", "sword@fish")
    assert proxy_secrets({"HTTPS_PROXY": "h:1"}) == ()
