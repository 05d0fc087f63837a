from __future__ import annotations

import json
from datetime import timedelta
from functools import partial

import httpx
import pytest

from batchctl.model import errors
from batchctl.model.errors import Effect
from batchctl.model.keys import Mark
from batchctl.model.sources import RemoteSource, UploadedFile
from batchctl.providers.vertex.create import create_body
from batchctl.providers.vertex.mark_labels import mark_labels
from tests.support.scripted_api import MARK, MovedClock, Script, inline, reply, retry_info, rpc_error
from tests.support.scripted_vertex import JOB, PARENT, TOKEN, create_request, job, provider
from tests.support.values import replace

FOLDER = f"gs://b/out/{MARK.key.job}-{MARK.key.attempt}-{MARK.token}/"


def body(limit: int = 128, **changes):
    return json.loads(create_body(create_request(**changes), limit))


def test_a_staged_file():
    assert body() == {
        "displayName": "Translate",
        "model": "publishers/google/models/gemini-2.5-flash",
        "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": ["gs://staging/rows/abc.jsonl"]}},
        "outputConfig": {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": FOLDER}},
        "labels": {"team": "search", **mark_labels(MARK)},
    }


@pytest.mark.parametrize(
    ("uris", "expected"),
    [
        (("gs://b/a.jsonl", "gs://b/*.jsonl"), {"instancesFormat": "jsonl", "gcsSource": {"uris": ["gs://b/a.jsonl", "gs://b/*.jsonl"]}}),
        (("bq://p.d.t",), {"instancesFormat": "bigquery", "bigquerySource": {"inputUri": "bq://p.d.t"}}),
        (
            ("projects/p/locations/l/datasets/1",),
            {
                "instancesFormat": "vertex-dataset",
                "vertexMultimodalDatasetSource": {"datasetName": "projects/p/locations/l/datasets/1"},
            },
        ),
    ],
)  # fmt: skip
def test_remote_sources(uris, expected):
    assert body(source=RemoteSource(uris))["inputConfig"] == expected


@pytest.mark.parametrize(
    ("dest", "place"),
    [("gs://b/out", "gs://b/out/"), ("gs://b/out//", "gs://b/out//"), ("gs://b", "gs://b/"), ("gs://b/", "gs://b/")],
)
def test_each_attempt_writes_to_a_folder_of_its_own(dest, place):
    """Two jobs that started at the same instant were observed to write to one folder."""

    def written(mark: Mark) -> str:
        return body(dest=dest, mark=mark)["outputConfig"]["gcsDestination"]["outputUriPrefix"]

    marks = [
        MARK,
        replace(MARK, token="0ther70ken"),
        replace(MARK, key=replace(MARK.key, attempt=9)),
        replace(MARK, key=replace(MARK.key, shard=3)),
    ]
    found = [written(mark) for mark in marks]
    assert found[0] == f"{place}{MARK.key.job}-{MARK.key.attempt}-{MARK.token}/"
    assert len(set(found)) == len(marks)
    assert written(MARK) == found[0], "sent again, it is the same call"


def test_results_into_bigquery():
    assert body(dest="bq://p.d.t")["outputConfig"] == {
        "predictionsFormat": "bigquery",
        "bigqueryDestination": {"outputUri": "bq://p.d.t"},
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"source": inline()},
        {"source": UploadedFile("files/a")},
        {"source": RemoteSource(())},
        {"source": RemoteSource(("bq://p.d.a", "bq://p.d.b"))},
        {"source": RemoteSource(("gs://b/a.jsonl", "bq://p.d.b"))},
        {"source": RemoteSource(("projects/p/datasets/1",))},
        {"source": RemoteSource(("https://example.com/a.jsonl",))},
        {"dest": None},
        {"dest": "s3://b/out/"},
    ],
    ids=str,
)
def test_what_this_api_cannot_do_is_refused_before_a_call(changes):
    script = Script(reply(job()))
    with pytest.raises(errors.BadRequest) as caught:
        provider(script).create_job(create_request(**changes))
    assert (caught.value.code, caught.value.effect) == ("InvalidInput", Effect.REFUSED)
    assert caught.value.hint
    assert script.requests == []


@pytest.mark.parametrize(
    ("name", "limit", "expected"),
    [("Translate", 128, "Translate"), (None, 128, "translate-fr"), ("", 128, "translate-fr"), ("Übersetzen", 3, "Übe")],
)
def test_display_names(name, limit, expected):
    assert body(limit, display_name=name)["displayName"] == expected


@pytest.mark.parametrize(
    ("extra", "others"),
    [
        ({}, {"team": "search"}),
        ({"labels": None}, {}),
        ({"labels": "odd"}, {}),
        ({"labels": {"team": None, "cost": "7"}}, {"cost": "7"}),
        ({"labels": {"batchctl-token": "stolen"}}, {"team": "search"}),
        ({"labels": {"batchctl-token": None, "batchctl-more": "x"}}, {"team": "search"}),
    ],
)
def test_nothing_comes_over_the_mark(extra, others):
    assert body(extra_body=extra)["labels"] == {**others, **mark_labels(MARK)}


def test_a_users_labels_do_not_make_a_mark():
    assert body(labels={"batchctl-job": "other", "a": "b"})["labels"] == {"a": "b", **mark_labels(MARK)}


def test_extra_body_is_merged_over_the_rest():
    found = body(
        extra_body={"serviceAccount": "a@b", "modelParameters": {"x": 1}, "inputConfig": {"instancesFormat": "csv"}}
    )
    assert (found["serviceAccount"], found["modelParameters"]) == ("a@b", {"x": 1})
    assert found["inputConfig"] == {"instancesFormat": "csv", "gcsSource": {"uris": ["gs://staging/rows/abc.jsonl"]}}


def test_create():
    script = Script(reply(job()))
    made = provider(script).create_job(create_request())
    assert (made.name, made.mark, made.state) == (JOB, MARK, "JOB_STATE_PENDING")
    request = script.requests[0]
    assert (request.method, request.url.path) == ("POST", f"{PARENT}/batchPredictionJobs")
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert json.loads(request.content) == body()


def test_create_has_its_own_time_limit():
    script = Script(reply(job()))
    provider(script, create_timeout=timedelta(seconds=7)).create_job(create_request())
    assert script.requests[0].extensions["timeout"] == {"connect": 7.0, "read": 7.0, "write": 7.0, "pool": 7.0}


def test_a_reply_without_labels_is_still_the_job():
    assert provider(Script(reply(job(labels={})))).create_job(create_request()).mark is None


@pytest.mark.parametrize(
    ("answer", "kind", "effect"),
    [
        (httpx.ConnectError("refused"), errors.ConnectionFailed, Effect.NONE),
        (httpx.ReadTimeout("slow"), errors.ReplyLost, Effect.AMBIGUOUS),
        (rpc_error(429, "RESOURCE_EXHAUSTED", "m", retry_info("1s")), errors.QuotaExceeded, Effect.NONE),
        (rpc_error(503, "UNAVAILABLE"), errors.ServerFailed, Effect.AMBIGUOUS),
        (rpc_error(400, "INVALID_ARGUMENT"), errors.BadRequest, Effect.REFUSED),
        (rpc_error(403, "PERMISSION_DENIED"), errors.PermissionDenied, Effect.REFUSED),
        (httpx.Response(200, text="{"), errors.BadReply, Effect.AMBIGUOUS),
        (reply({"name": JOB.replace("us-central1", "us-east1")}), errors.BadReply, Effect.AMBIGUOUS),
        (reply(job(labels={**mark_labels(MARK), "batchctl-token": "0therot0en"})), errors.BadReply, Effect.AMBIGUOUS),
    ],
)
def test_create_is_sent_exactly_once_whatever_comes_back(answer, kind, effect):
    clock, script = MovedClock(), Script(answer)
    with pytest.raises(kind) as caught:
        provider(script, clock).create_job(create_request())
    assert caught.value.effect is effect
    assert (len(script.requests), clock.sleeps) == (1, [])


@pytest.mark.parametrize("refusals", [1, 2])
def test_create_is_sent_once_more_after_a_401_for_that_did_nothing(refusals):
    clock, script = MovedClock(), Script(*[rpc_error(401, "UNAUTHENTICATED") for _ in range(refusals)], reply(job()))
    create = partial(provider(script, clock).create_job, create_request())
    if refusals == 1:
        assert create().name == JOB
    else:
        with pytest.raises(errors.Unauthenticated) as caught:
            create()
        assert caught.value.effect is Effect.NONE
    assert (len(script.requests), clock.sleeps) == (2, [])
