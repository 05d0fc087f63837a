"""Arbitrary replies from an API or an impostor lead to a job, a row or an ApiError, and never show the secret."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchctl.model.errors import ApiError
from batchctl.model.pieces import closed_after
from batchctl.model.sources import RemoteSource
from batchctl.providers.vertex.mark_labels import mark_labels
from tests.support import scripted_api as gemini
from tests.support import scripted_vertex as vertex
from tests.support.long_mode import effort
from tests.support.scripted_api import MovedClock, Script, upload_of

SHARED_NAMES = (
    *("nextPageToken", "name", "metadata", "state", "displayName", "model", "createTime", "endTime", "error", "code"),
    *("message", "status", "details", "@type", "reason", "response", "key"),
)


def all_of(rows: Iterator[Any]) -> list[Any]:
    """The rows of results. As a collection does, it closes what they come from: an error keeps hold of it."""
    with closed_after(rows):
        return list(rows)


@dataclass(frozen=True)
class Case:
    """One API: how it is opened, what its replies look like, and which calls are made."""

    open: Callable[..., Any]
    secret: str
    calls: dict[str, Callable[[Any], object]]
    templates: list[Any]
    names: tuple[str, ...]
    texts: tuple[str, ...]

    def values(self) -> st.SearchStrategy[Any]:
        scalars = (
            st.none()
            | st.booleans()
            | st.integers(-(2**70), 2**70)
            | st.floats()
            | st.text(st.characters(), max_size=8)
            | st.sampled_from([*self.texts, "2025-12-10T18:27:01Z", "3", self.secret])
        )
        names = st.sampled_from([*SHARED_NAMES, *self.names]) | st.text(max_size=3)
        return st.recursive(
            scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5)
        )

    @cached_property
    def answers(self) -> st.SearchStrategy[Any]:
        values = self.values()
        bodies = (
            st.builds(over, st.sampled_from(self.templates), values, st.lists(st.integers(0, 9), max_size=6)).map(
                lambda value: json.dumps(value).encode()
            )
            | values.map(lambda value: json.dumps(value).encode())
            | st.binary(max_size=60)
        )
        return st.lists(
            st.tuples(st.sampled_from([200, 200, 200, 204, 301, 400, 401, 404, 429, 500]), HEADERS, bodies),
            min_size=1,
            max_size=3,
        )


def over(template: Any, change: Any, path: list[int]) -> Any:
    """The template with one part, chosen by the path, replaced."""
    if not path or not isinstance(template, dict | list) or not template:
        return change
    names = list(template) if isinstance(template, dict) else list(range(len(template)))
    chosen = names[path[0] % len(names)]
    copy: Any = dict(template) if isinstance(template, dict) else list(template)
    copy[chosen] = over(template[chosen], change, path[1:])
    return copy


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

FAILED = {
    "error": {
        "code": 400,
        "message": "m",
        "status": "X",
        "details": [{"@type": "google.rpc.RetryInfo", "retryDelay": "1s"}],
    }
}
GEMINI = Case(
    gemini.provider,
    gemini.KEY,
    {
        "list": lambda one: list(one.list_jobs()),
        "get": lambda one: one.get_job(gemini.JOB),
        "create": lambda one: one.create_job(gemini.create_request()),
        "cancel": lambda one: one.cancel_job(gemini.JOB),
        "delete": lambda one: one.delete_job(gemini.JOB),
        "results": lambda one: all_of(one.read_results(gemini.JOB)),
        "upload": lambda one: one.upload_file(upload_of([b"x"], 1)),
    },
    [
        {"operations": [gemini.operation(error={"code": 3, "message": "m"})], "nextPageToken": ""},
        gemini.operation("BATCH_STATE_SUCCEEDED", done=True),
        gemini.operation(
            "BATCH_STATE_SUCCEEDED",
            metadata={
                "output": {"inlinedResponses": {"inlinedResponses": [{"response": {}, "metadata": {"key": "k"}}]}}
            },
        ),
        gemini.operation("BATCH_STATE_SUCCEEDED", metadata={"output": {"responsesFile": "files/a"}}),
        FAILED,
        {"file": {"name": "files/a", "sizeBytes": "1"}},
    ],
    (
        *("operations", "batchStats", "requestCount", "output", "responsesFile", "inlinedResponses"),
        *("inlinedEmbedContentResponses", "index", "file"),
    ),
    (gemini.JOB, "files/a", "BATCH_STATE_SUCCEEDED", "BATCH_STATE_RUNNING"),
)
ENDED = {
    "endTime": "2026-11-22T11:50:00Z",
    "completionStats": {"successfulCount": "1"},
    "outputInfo": {"gcsOutputDirectory": "gs://b/out/prediction-model-1"},
}
VERTEX = Case(
    vertex.provider,
    vertex.TOKEN,
    {
        "list": lambda one: list(one.list_jobs()),
        "list all": lambda one: list(one.list_jobs(foreign=True)),
        "get": lambda one: one.get_job(vertex.JOB),
        "create": lambda one: one.create_job(vertex.create_request()),
        "cancel": lambda one: one.cancel_job(vertex.JOB),
        "delete": lambda one: one.delete_job(vertex.JOB),
        "results": lambda one: all_of(one.read_results(vertex.JOB)),
        "input": lambda one: list(one.read_input(one.find_input(RemoteSource(("gs://b/*.jsonl",))))),
        "upload": lambda one: one.upload_file(upload_of([b"x"], 1)),
    },
    [
        {"batchPredictionJobs": [vertex.job(error={"code": 3, "message": "m"})], "nextPageToken": ""},
        vertex.job("JOB_STATE_SUCCEEDED", **ENDED),
        vertex.job("JOB_STATE_SUCCEEDED", outputInfo={"bigqueryOutputDataset": "bq://p.d", "bigqueryOutputTable": "t"}),
        vertex.operation(done=True, error={"code": 9, "message": "m"}),
        vertex.operation(**vertex.DONE),
        FAILED,
        {"items": [{"name": "out/prediction-model-1/predictions.jsonl", "size": "2", "generation": "1"}]},
        {"status": "", "request": {}, "response": {"candidates": []}},
        {"rows": [{"f": [{"v": "{}"}, {"v": ""}]}], "schema": {"fields": [{"name": "response", "type": "JSON"}]}},
    ],
    (
        *("batchPredictionJobs", "labels", "completionStats", "successfulCount", "outputInfo", "gcsOutputDirectory"),
        *("bigqueryOutputTable", "done", "items", "size", "generation", "rows", "schema", *mark_labels(gemini.MARK)),
    ),
    (vertex.JOB, vertex.OPERATION, "JOB_STATE_SUCCEEDED", "JOB_STATE_RUNNING", "gs://b/out/x.jsonl", "bq://p.d.t"),
)
CASES = [
    pytest.param(case, call, id=f"{name} {what}")
    for name, case in {"gemini": GEMINI, "vertex": VERTEX}.items()
    for what, call in case.calls.items()
]


def failure_of(call: Callable[[Any], object], one: Any) -> ApiError | None:
    """The ApiError that the call raises, if any; another exception fails the test."""
    try:
        call(one)
    except ApiError as error:
        return error
    return None


def shown(error: BaseException) -> str:
    """Everything that an error, its causes and its facts can show."""
    parts = ["".join(traceback.format_exception(error))]
    step: BaseException | None = error
    while step is not None:
        parts += [str(step), repr(step), repr(step.args)]
        if isinstance(step, ApiError):
            parts += [step.hint, step.code, json.dumps(step.details)]
        step = step.__cause__ or step.__context__
    return "\n".join(parts)


@pytest.mark.parametrize(("case", "call"), CASES)
@settings(deadline=None, max_examples=effort(15, 1000))
@given(st.data())
def test_any_answer_gives_a_value_or_an_api_error(case, call, data):
    scripted = [
        lambda _, one=one: httpx.Response(
            one[0], headers=[(name.encode(), text.encode("latin-1")) for name, text in one[1].items()], content=one[2]
        )
        for one in data.draw(case.answers)
    ]
    script = Script(*scripted)
    error = failure_of(call, case.open(script, MovedClock()))
    assert error is None or case.secret not in shown(error)
    assert error is None or "\x1b" not in error.message
    for request in script.requests:
        assert case.secret not in str(request.url)


def broken(secret: str) -> list[Any]:
    """Replies and failures that echo the secret."""
    return [
        httpx.ConnectError(f"no {secret}"),
        httpx.ReadError(secret),
        httpx.DecodingError(secret),
        httpx.Response(400, json={"error": {"code": 400, "message": f"key {secret} is bad", "status": secret}}),
        httpx.Response(403, text=f"<html>{secret}"),
        httpx.Response(500, text=secret),
        httpx.Response(200, text=secret),
        httpx.Response(302, headers={"location": f"https://evil.example/?key={secret}"}),
        httpx.Response(200, json={"name": secret, "done": True, "error": {"code": 3, "message": secret}}),
        httpx.Response(200, json={"operations": [{"name": secret}], "batchPredictionJobs": [{"name": secret}]}),
        httpx.Response(200, headers={"x-goog-upload-url": f"https://{secret}.evil.example/"}),
    ]


@pytest.mark.parametrize(("case", "call"), CASES)
def test_the_secret_never_shows(case, call, caplog):
    caplog.set_level(0)
    for answer in broken(case.secret):
        script = Script(answer)
        one = case.open(script)
        assert case.secret not in repr(one)
        error = failure_of(call, one)
        assert error is None or case.secret not in error.message + repr(error) + error.hint + json.dumps(error.details)
        assert script.requests
        assert all(case.secret not in str(request.url) for request in script.requests)
    assert case.secret not in caplog.text
