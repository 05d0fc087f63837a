"""The served emulator against calls from web pages, and against slow or hostile callers."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from fnmatch import fnmatchcase

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchctl.emulator.bigquery import values
from batchctl.emulator.globs import PathGlob, matches
from batchctl.emulator.proto import _BASE64, _real
from batchctl.emulator.web_origins import OriginCheck
from batchctl.emulator.wire import Refused
from tests.support.patience import PATIENCE


@pytest.fixture
def client(served_emulator: str) -> Iterator[httpx.Client]:
    with httpx.Client(
        verify=False, base_url=served_emulator, headers={"x-goog-api-key": "k"}, timeout=PATIENCE
    ) as client:
        yield client


def raw(url: str, data: bytes) -> bytes:
    """Send bytes, and read the reply until the other side closes the connection or is silent for a while."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as one:
        with suppress(ConnectionError):
            one.sendall(data)
        found = b""
        with suppress(TimeoutError, ConnectionError):
            while more := one.recv(65536):
                found += more
                if b"\r\n\r\n" in found and b"}" in found:
                    break
        return found


# Names


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.9.9.9:8085", "[::1]:1", "localhost", "LOCALHOST.:3", "a.b.localhost:8085", ""]
)
def test_the_names_of_this_machine_are_allowed(host: str) -> None:
    OriginCheck("127.0.0.1").check("http", {"host": host})


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8085", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[fe80::1]", "a b", "a@b",
     "[::1", "169.254.169.254", "\xe9.example"],
)  # fmt: skip
def test_other_host_names_are_refused(host: str) -> None:
    with pytest.raises(Refused, match="allow-host"):
        OriginCheck("127.0.0.1").check("http", {"host": host})


def test_names_of_allow_host_are_allowed() -> None:
    OriginCheck("127.0.0.1", frozenset({"Emulator"})).check("http", {"host": "emulator:8085"})
    OriginCheck("10.1.2.3").check("http", {"host": "10.1.2.3:8085"})
    OriginCheck("0.0.0.0").check("http", {"host": "10.1.2.3:8085"})
    with pytest.raises(Refused):
        OriginCheck("0.0.0.0").check("http", {"host": "evil.example"})


@pytest.mark.parametrize("path", ["/_emulator/requests", "/v1beta/batches"])
def test_a_foreign_host_name_is_refused_over_http(client: httpx.Client, path: str) -> None:
    reply = client.get(path, headers={"host": "evil.example"})
    assert (reply.status_code, reply.json()["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert client.get("/_emulator/requests").json()["total"] == 0


# Pages


FOREIGN = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://localhost:3000"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": "https://evil.example", "sec-fetch-site": "cross-site", "content-type": "text/plain"},
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/_emulator/reset"),
        ("GET", "/_emulator/jobs"),
        ("PUT", "/_emulator/rules"),
        ("POST", "/upload/v1beta/files"),
    ],
)
def test_calls_from_pages_of_another_origin_are_refused(
    client: httpx.Client, headers: dict[str, str], method: str, path: str
) -> None:
    client.post("/_emulator/clock", json={"advance": "1h"})
    before = client.get("/_emulator/clock").json()["now"]
    assert client.request(method, path, headers=headers, content=b"[]").status_code == 403
    assert client.get("/_emulator/clock").json()["now"][:13] == before[:13]


def test_calls_from_the_emulators_origin_are_allowed(client: httpx.Client, served_emulator: str) -> None:
    headers = {"origin": served_emulator, "sec-fetch-site": "same-origin"}
    assert client.post("/_emulator/reset", headers=headers).status_code == 200
    assert client.get("/_emulator/jobs", headers={"sec-fetch-site": "none"}).status_code == 200


BODY = b'{"advance": "1h"}'
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"content-type": "application/json"}, 200),
        ({"content-type": "application/json; charset=utf-8"}, 200),
        ({"content-type": FORM}, 200),
        ({"content-type": "application/json", "sec-fetch-mode": "cors"}, 200),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "multipart/form-data; boundary=x"}, 415),
        ({"content-type": FORM, "referer": "http://localhost/"}, 415),
        ({"content-type": FORM, "sec-fetch-dest": "document"}, 415),
        ({"content-type": FORM, "sec-fetch-site": "same-origin"}, 415),
        ({"sec-fetch-site": "same-origin"}, 415),
        ({"content-type": "application/json", "sec-fetch-site": "same-origin"}, 200),
    ],
)
def test_control_calls_from_browsers_require_json(client: httpx.Client, headers: dict[str, str], status: int) -> None:
    assert client.post("/_emulator/clock", headers=headers, content=BODY).status_code == status


def test_the_content_type_of_curl_is_accepted(client: httpx.Client) -> None:
    seed = b"files: [{name: files/a, content: x}]"
    assert client.put("/_emulator/seed", content=seed, headers={"content-type": "application/yaml"}).status_code == 200
    headers = {"content-type": FORM, "user-agent": "curl/8"}
    assert client.post("/_emulator/clock", content=b'{"advance":"72h"}', headers=headers).status_code == 200


# Bodies


def head(path: str, *lines: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: localhost", "x-goog-api-key: k", *lines, "", ""]).encode()


@pytest.mark.parametrize(
    "path", ["/_emulator/reset", "/v1beta/models/gemini-2.5-flash:batchGenerateContent", "/nowhere"]
)
@pytest.mark.parametrize("length", [20_971_521, 10**15, 10**400])
def test_a_declared_body_over_the_limit_is_not_read(served_emulator: str, path: str, length: int) -> None:
    answer = raw(served_emulator, head(path, f"Content-Length: {length}"))
    assert re.match(rb"HTTP/1.1 40[0-9] ", answer), answer[:200]


def test_an_undeclared_body_is_read_up_to_the_limit(client: httpx.Client) -> None:
    sent = 0

    def pieces() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(40):
            sent += 1
            yield b" " * 1024 * 1024

    reply = client.post("/_emulator/reset", content=pieces())
    assert (reply.status_code, "exceeds the limit" in reply.text) == (400, True)
    assert client.get("/_emulator/jobs").status_code == 200


def test_a_call_with_a_body_over_the_limit_is_counted(client: httpx.Client) -> None:
    reply = client.post("/v1beta/models/gemini-2.5-flash:batchGenerateContent", content=b" " * 20_971_521)
    assert (reply.status_code, reply.headers["connection"]) == (400, "close")
    assert client.get("/_emulator/requests").json()["byMethod"] == {"batches.create": 1}


def test_deep_nesting_in_a_control_call_is_refused(client: httpx.Client) -> None:
    for depth in (500, 900, 990, 100_000):
        reply = client.put("/_emulator/rules", content=b"[" * depth + b"]" * depth)
        assert reply.status_code == 400


# One caller and another


def test_slow_callers_do_not_block_others(client: httpx.Client, served_emulator: str) -> None:
    host, _, port = served_emulator.removeprefix("http://").partition(":")
    with ExitStack() as stack:
        for number in range(60):
            one = stack.enter_context(socket.create_connection((host, int(port))))
            # Headers that never end, and bodies that never arrive.
            one.sendall(head("/v1beta/batches", "Content-Length: 100")[: None if number % 2 else -4])
        assert client.get("/v1beta/batches").status_code == 200


def test_delayed_calls_do_not_block_others(client: httpx.Client, served_emulator: str) -> None:
    fault = {"method": "batches.list", "kind": "delay", "delay": "1h"}
    client.put("/_emulator/faults", json=[fault])
    host, _, port = served_emulator.removeprefix("http://").partition(":")
    with ExitStack() as stack:
        for _ in range(60):
            one = stack.enter_context(socket.create_connection((host, int(port))))
            one.sendall(b"GET /v1beta/batches HTTP/1.1\r\nHost: localhost\r\nx-goog-api-key: k\r\n\r\n")
        deadline = time.monotonic() + PATIENCE
        while client.get("/_emulator/requests").json()["total"] < 60 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert client.get("/_emulator/requests").json()["byMethod"] == {"batches.list": 60}
        assert client.get("/v1beta/files").status_code == 200


def test_a_stalled_reader_does_not_block_others(client: httpx.Client, served_emulator: str) -> None:
    seed = json.dumps({"files": [{"name": "files/big", "content": "x" * 8_000_000}]}).encode()
    assert client.put("/_emulator/seed", content=seed).status_code == 200
    host, _, port = served_emulator.removeprefix("http://").partition(":")
    with ExitStack() as stack:
        for _ in range(50):
            one = stack.enter_context(socket.create_connection((host, int(port))))
            one.sendall(
                b"GET /v1beta/files/big:download?alt=media HTTP/1.1\r\nHost: localhost\r\nx-goog-api-key: k\r\n\r\n"
            )
        assert client.get("/v1beta/files").status_code == 200


# Globs


HOSTILE = "*a" * 40 + "*b"


@pytest.mark.timeout(PATIENCE)
def test_a_hostile_glob_is_evaluated_quickly(client: httpx.Client) -> None:
    assert not matches(HOSTILE, "a" * 20_000)
    assert not matches("*?" * 40 + "b", "a" * 20_000)
    assert not PathGlob("*a" * 40 + "*b").covers("a" * 1_000)
    assert not PathGlob("**a*" * 40 + "b").covers("a/" * 500)
    client.put("/_emulator/rules", json=[{"match": {"displayName": HOSTILE, "model": HOSTILE}, "fate": "stuck"}])
    client.put("/_emulator/faults", json=[{"method": "batches.*", "kind": "cut", "count": 0}])
    batch = {
        "batch": {
            "displayName": "a" * 128,
            "inputConfig": {"requests": {"requests": [{"request": {"contents": [{"parts": [{"text": "hi"}]}]}}]}},
        }
    }
    reply = client.post("/v1beta/models/gemini-2.5-flash:batchGenerateContent", json=batch)
    assert reply.status_code == 200


@pytest.mark.timeout(PATIENCE)
def test_almost_valid_values_are_refused_quickly() -> None:
    assert not _real("1" * 200_000 + "x")
    assert _BASE64.fullmatch(" " * 200_000 + "!") is None
    assert values._NUMBER.fullmatch("1" * 200_000 + "x") is None
    assert all(_real(text) for text in ("1", "1.", "1.5", ".5", "-2e3", "1.5E-9"))
    assert all(_BASE64.fullmatch(text) for text in ("", "YQ==", "YQ", "Y Q==\n", "_-+/", "YQ=\n"))


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_globs_match_like_fnmatch(glob: str, text: str) -> None:
    assert matches(glob, text) is fnmatchcase(text, glob)


@given(st.text("a/*", max_size=8), st.text("a/", max_size=8))
def test_path_globs_match_like_regular_expressions(glob: str, text: str) -> None:
    parts = (
        ".*" if one.startswith("**") else "[^/]*" if one == "*" else re.escape(one)
        for one in re.findall(r"\*\*+|\*|[^*]", glob)
    )
    assert PathGlob(glob).covers(text) is (re.fullmatch("".join(parts), text) is not None)
