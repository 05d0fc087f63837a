"""Whatever an API, or something that plays it, answers: a job, a row or an ApiError, and never the key."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from long_mode import effort
from providers_kit import JOB, KEY, MovedClock, Script, create_request, operation, provider, upload_of

from batchctl.model.errors import ApiError

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(
        [JOB, "files/a", "BATCH_STATE_SUCCEEDED", "BATCH_STATE_RUNNING", "2025-12-10T18:27:01Z", "3", KEY]
    )
)
NAMES = st.sampled_from(
    [
        *("operations", "nextPageToken", "name", "metadata", "state", "displayName", "model", "createTime", "endTime"),
        *("batchStats", "requestCount", "error", "code", "message", "status", "details", "@type", "reason", "response"),
        *("output", "responsesFile", "inlinedResponses", "inlinedEmbedContentResponses", "key", "index", "file"),
    ]
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=5)
)


def over(template: Any, change: Any, path: list[int]) -> Any:
    """The template with one of its parts, chosen by the path, replaced."""
    if not path or not isinstance(template, dict | list) or not template:
        return change
    names = list(template) if isinstance(template, dict) else list(range(len(template)))
    chosen = names[path[0] % len(names)]
    copy: Any = dict(template) if isinstance(template, dict) else list(template)
    copy[chosen] = over(template[chosen], change, path[1:])
    return copy


TEMPLATES = [
    {"operations": [operation(error={"code": 3, "message": "m"})], "nextPageToken": ""},
    operation("BATCH_STATE_SUCCEEDED", done=True),
    operation(
        "BATCH_STATE_SUCCEEDED",
        metadata={"output": {"inlinedResponses": {"inlinedResponses": [{"response": {}, "metadata": {"key": "k"}}]}}},
    ),
    operation("BATCH_STATE_SUCCEEDED", metadata={"output": {"responsesFile": "files/a"}}),
    {
        "error": {
            "code": 400,
            "message": "m",
            "status": "X",
            "details": [{"@type": "google.rpc.RetryInfo", "retryDelay": "1s"}],
        }
    },
    {"file": {"name": "files/a", "sizeBytes": "1"}},
]
BODIES = (
    st.builds(over, st.sampled_from(TEMPLATES), VALUES, st.lists(st.integers(0, 9), max_size=6)).map(
        lambda value: json.dumps(value).encode()
    )
    | VALUES.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=60)
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "date",
            "retry-after",
            "x-goog-upload-status",
            "x-goog-upload-url",
            "content-length",
            "x-goog-upload-size-received",
        ]
    ),
    st.text(st.characters(codec="latin-1"), max_size=20)
    | st.sampled_from(
        ["final", "active", "1", "https://generativelanguage.googleapis.com/u", "Sun, 22 Nov 2026 14:00:00 GMT"]
    ),
)

CALLS: dict[str, Callable[[Any], object]] = {
    "list": lambda one: list(one.list_jobs()),
    "get": lambda one: one.get_job(JOB),
    "create": lambda one: one.create_job(create_request()),
    "cancel": lambda one: one.cancel_job(JOB),
    "delete": lambda one: one.delete_job(JOB),
    "results": lambda one: list(one.read_results(JOB)),
    "upload": lambda one: one.upload_file(upload_of([b"x"], 1)),
}


def failure_of(call: Callable[[Any], object], one: Any) -> ApiError | None:
    """What the call raises, if it may; anything but an ApiError fails the test."""
    try:
        call(one)
    except ApiError as error:
        return error
    return None


def shown(error: BaseException) -> str:
    """All that an error, its causes and its facts can show."""
    parts = ["".join(traceback.format_exception(error))]
    step: BaseException | None = error
    while step is not None:
        parts += [str(step), repr(step), repr(step.args)]
        if isinstance(step, ApiError):
            parts += [step.hint, step.code, json.dumps(step.details)]
        step = step.__cause__ or step.__context__
    return "\n".join(parts)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@settings(deadline=None, max_examples=effort(25, 1000))
@given(
    st.lists(
        st.tuples(st.sampled_from([200, 200, 200, 204, 301, 400, 401, 404, 429, 500]), HEADERS, BODIES),
        min_size=1,
        max_size=3,
    )
)
def test_any_answer_gives_a_value_or_an_api_error(call, answers):
    scripted = [
        lambda _, one=one: httpx.Response(
            one[0], headers=[(name.encode(), text.encode("latin-1")) for name, text in one[1].items()], content=one[2]
        )
        for one in answers
    ]
    script = Script(*scripted)
    error = failure_of(call, provider(script, MovedClock()))
    assert error is None or KEY not in shown(error)
    assert error is None or "\x1b" not in error.message
    for request in script.requests:
        assert KEY not in str(request.url)


BROKEN = [
    httpx.ConnectError(f"no {KEY}"),
    httpx.ReadError(KEY),
    httpx.DecodingError(KEY),
    httpx.Response(400, json={"error": {"code": 400, "message": f"key {KEY} is bad", "status": KEY}}),
    httpx.Response(403, text=f"<html>{KEY}"),
    httpx.Response(500, text=KEY),
    httpx.Response(200, text=KEY),
    httpx.Response(302, headers={"location": f"https://evil.example/?key={KEY}"}),
    httpx.Response(200, json={"name": KEY}),
    httpx.Response(200, json={"operations": [{"name": KEY}]}),
    httpx.Response(200, headers={"x-goog-upload-url": f"https://{KEY}.evil.example/"}),
]


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("answer", BROKEN, ids=str)
def test_the_key_never_shows(call, answer, caplog):
    caplog.set_level(0)
    script = Script(answer)
    one = provider(script)
    assert KEY not in repr(one)
    error = failure_of(call, one)
    assert error is None or KEY not in error.message + repr(error) + error.hint + json.dumps(error.details)
    assert script.requests
    assert all(KEY not in str(request.url) for request in script.requests)
    assert KEY not in caplog.text
