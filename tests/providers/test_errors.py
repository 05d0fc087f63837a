from __future__ import annotations

import inspect
import json
import socket
import ssl

import httpx
import pytest

from batchctl.model import errors
from batchctl.model.errors import Effect
from batchctl.providers.credentials import ApiKey
from batchctl.providers.http.failures import MAYBE_SENT, NOTHING_SENT, UNREADABLE, status_failure, transport_failure
from tests.support.scripted_api import KEY, NOW, error_info, retry_info

REDACT = ApiKey(KEY).redact


def leaf_exceptions() -> set[type[Exception]]:
    found = {one for _, one in inspect.getmembers(httpx, inspect.isclass) if issubclass(one, httpx.RequestError)}
    return {one for one in found if not any(issubclass(other, one) and other is not one for other in found)}


def test_every_request_exception_of_httpx_is_mapped_once():
    mapped = [*NOTHING_SENT, *MAYBE_SENT, *UNREADABLE]
    assert len(mapped) == len(set(mapped))
    assert leaf_exceptions() | {httpx.InvalidURL} == set(mapped)


@pytest.mark.parametrize(
    ("kinds", "expected", "effect"),
    [
        (NOTHING_SENT, errors.ConnectionFailed, Effect.NONE),
        (MAYBE_SENT, errors.ReplyLost, Effect.AMBIGUOUS),
        (UNREADABLE, errors.BadReply, Effect.AMBIGUOUS),
    ],
)
def test_what_a_broken_call_may_have_done(kinds, expected, effect):
    for kind in kinds:
        found = transport_failure(kind("oops\x1b[31m " + KEY), what="batches.list", redact=REDACT)
        assert type(found) is expected
        assert found.effect is effect
        assert found.message == f"batches.list: oops [31m *** ({kind.__name__})"
        assert found.hint


@pytest.mark.parametrize(
    ("cause", "word"),
    [(ssl.SSLError("bad"), "certificate"), (socket.gaierror("unknown"), "host name"), (OSError("refused"), "network")],
)
def test_connection_hint_comes_from_the_cause(cause, word):
    exc = httpx.ConnectError("failed")
    exc.__cause__ = RuntimeError("lower layer")
    exc.__cause__.__context__ = cause
    assert word in transport_failure(exc, what="w", redact=REDACT).hint


def fail(http: int, body: object = None, **headers: str):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = httpx.Headers({name.replace("_", "-"): value for name, value in headers.items()})
    return status_failure(http, named, content, what="w", now=NOW, redact=REDACT)


def status(http: int, name: str = "", message: str = "m", *details: object) -> dict[str, object]:
    return {"error": {"code": http, "message": message, "status": name, "details": list(details)}}


@pytest.mark.parametrize(
    ("http", "name", "kind", "effect"),
    [
        (400, "INVALID_ARGUMENT", errors.BadRequest, Effect.REFUSED),
        (401, "UNAUTHENTICATED", errors.Unauthenticated, Effect.NONE),
        (403, "PERMISSION_DENIED", errors.PermissionDenied, Effect.REFUSED),
        (404, "NOT_FOUND", errors.NotFound, Effect.REFUSED),
        (408, "", errors.Conflict, Effect.AMBIGUOUS),
        (409, "ABORTED", errors.Conflict, Effect.AMBIGUOUS),
        (413, "", errors.BadRequest, Effect.REFUSED),
        (418, "", errors.BadRequest, Effect.REFUSED),
        (429, "RESOURCE_EXHAUSTED", errors.QuotaExceeded, Effect.NONE),
        (499, "CANCELLED", errors.BadRequest, Effect.REFUSED),
        (500, "INTERNAL", errors.ServerFailed, Effect.AMBIGUOUS),
        (501, "UNIMPLEMENTED", errors.ServerFailed, Effect.AMBIGUOUS),
        (503, "UNAVAILABLE", errors.ServerFailed, Effect.AMBIGUOUS),
    ],
)
def test_status_classes(http, name, kind, effect):
    found = fail(http, status(http, name, "no such thing"))
    assert type(found) is kind
    assert (found.effect, found.http, found.status, found.code) == (effect, http, name, kind.default_code)
    assert found.message == f"w: HTTP {http}: no such thing"
    assert found.retry_after is None


def test_a_bad_key_is_not_a_refused_request():
    found = fail(400, status(400, "INVALID_ARGUMENT", "API key not valid.", error_info("API_KEY_INVALID")))
    assert type(found) is errors.Unauthenticated
    assert (found.code, found.http, found.effect) == ("InvalidKey", 400, Effect.NONE)
    assert found.details == {"http": 400, "status": "INVALID_ARGUMENT", "reason": "API_KEY_INVALID"}
    assert "GOOGLE_API_KEY" in found.hint


@pytest.mark.parametrize(
    ("http", "name", "message", "code", "hint"),
    [
        (
            400,
            "FAILED_PRECONDITION",
            "User location is not supported for the API use.",
            "UnsupportedLocation",
            "Vertex",
        ),
        (400, "FAILED_PRECONDITION", "something else", "BadRequest", ""),
        (400, "INVALID_ARGUMENT", 'Invalid JSON payload received. Unknown name "x"', "UnknownField", "upgrade"),
        (403, "PERMISSION_DENIED", "no", "PermissionDenied", "restrictions"),
        (404, "NOT_FOUND", "models/x is not found", "InvalidModel", "model"),
        (404, "NOT_FOUND", "no such thing", "NotFound", "name"),
        (429, "RESOURCE_EXHAUSTED", "quota", "QuotaExceeded", "quota of calls"),
    ],
)
def test_codes_and_hints(http, name, message, code, hint):
    found = fail(http, status(http, name, message))
    assert found.code == code
    assert hint in found.hint


@pytest.mark.parametrize(
    "body",
    [
        b"<html><title>Sorry</title></html>",
        b"",
        b"{}",
        b"[]",
        b'{"error": "not found"}',
        b'{"error": {}}',
        b'{"error": {"message": "cut',
        '{"error": {"message": "é"}}'.encode("latin-1"),
        b'{"error": {"message": NaN}}',
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_not_the_apis_own(body):
    for http in (400, 403, 404, 409):
        found = fail(http, body)
        assert type(found) is errors.BadReply, "a proxy's 404 page is no proof that a job is gone"
        assert found.details == {"http": http}
    for http, kind in ((401, errors.Unauthenticated), (413, errors.BadRequest), (429, errors.QuotaExceeded)):
        assert type(fail(http, body)) is kind
    assert type(fail(502, body)) is errors.ServerFailed
    assert fail(502, body).message == "w: HTTP 502: no details"


@pytest.mark.parametrize("http", [300, 301, 302, 307, 308, 304])
def test_redirects_are_bad_replies(http):
    found = fail(http, b"", location="https://elsewhere.example/")
    assert type(found) is errors.BadReply
    assert "elsewhere" not in found.message


def test_message_is_one_capped_line_without_the_key():
    found = fail(
        400, status(400, "INVALID_ARGUMENT", f"bad\r\n\x1b]0;x\x07 {KEY[:10]}\x00 \ud800 key={KEY} " + "x" * 1000)
    )
    text = found.message.removeprefix("w: HTTP 400: ")
    assert len(text) == 256
    assert text.startswith(f"bad ]0;x {KEY[:10]} ? key=*** xxx")


def test_the_key_is_not_let_through_by_the_cap():
    """Redacted before the cut: the first half of a key is a secret too."""
    found = fail(400, status(400, "INVALID_ARGUMENT", "x" * 240 + KEY))
    assert KEY[:8] not in found.message


@pytest.mark.parametrize(
    ("details", "headers", "expected"),
    [
        ([retry_info("43s")], {}, 43.0),
        ([retry_info("0.5s")], {}, 0.5),
        ([retry_info("43s")], {"retry_after": "50"}, 50.0),
        ([], {"retry_after": "Sun, 22 Nov 2026 12:00:30 GMT"}, 30.0),
        ([], {"retry_after": "Sun, 22 Nov 2026 11:00:00 GMT"}, 0.0),
        ([], {"retry_after": "soon"}, None),
        ([retry_info("soon"), {"@type": 5}, "odd"], {}, None),
    ],
)
def test_asked_waits(details, headers, expected):
    found = fail(429, status(429, "RESOURCE_EXHAUSTED", "m", *details), **headers)
    assert found.retry_after == expected
    assert ("asks to wait" in found.hint) == (expected is not None)


def test_asked_wait_counts_for_server_errors_without_a_body():
    assert fail(503, b"", retry_after="7").retry_after == 7.0


@pytest.mark.parametrize("error", [{"code": 400, "message": 5, "status": ["X"], "details": {"a": 1}}, {"code": "x"}])
def test_odd_parts_of_a_status_are_left_out(error):
    found = fail(400, {"error": error})
    assert type(found) is errors.BadRequest
    assert (found.message, found.status, found.details) == ("w: HTTP 400: no details", "", {"http": 400})


def test_odd_reason_is_left_out():
    assert fail(400, status(400, "X", "m", error_info("not a reason"))).details == {"http": 400, "status": "X"}
