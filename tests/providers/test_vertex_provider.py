from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from batchctl.model import errors
from batchctl.model.errors import BatchctlError, Effect
from batchctl.model.ports.providers import Fact, Provider
from batchctl.model.sources import RemoteSource
from batchctl.providers.vertex.mark_labels import mark_labels
from batchctl.providers.vertex.prediction_jobs import READ_MASK
from tests.support.scripted_api import MARK, NOW, MovedClock, Script, reply, retry_info, rpc_error, upload_of
from tests.support.scripted_cloud import Bucket
from tests.support.scripted_cloud import upload_of as rows_upload
from tests.support.scripted_vertex import (
    ACCOUNT,
    BASE,
    DONE,
    JOB,
    OPERATION,
    PARENT,
    PLACE,
    TOKEN,
    create_request,
    job,
    operation,
    provider,
)
from tests.support.values import replace

JOBS = f"{PARENT}/batchPredictionJobs"


def page(*ids: str, token: str | None = None) -> httpx.Response:
    body: dict[str, object] = {}
    if ids:
        body["batchPredictionJobs"] = [job(name=f"{PLACE}/batchPredictionJobs/{one}") for one in ids]
    if token is not None:
        body["nextPageToken"] = token
    return reply(body)


def listed(script: Script, **changes) -> list[str]:
    return [found.name.rpartition("/")[2] for found in provider(script).list_jobs(**changes)]


def test_it_is_a_provider():
    one: Provider = provider(Script(reply({})))
    assert (one.account, one.lists_foreign, one.identity, one.now()) == (ACCOUNT, False, "", NOW)
    assert repr(one) == f"VertexProvider(vertex {BASE} my-project us-central1)"
    one.close()
    with pytest.raises(errors.ConnectionFailed, match="closed"):
        one.get_job(JOB)


@pytest.mark.parametrize("staging", [None, "gs://staging/rows/"])
def test_facts(staging):
    found = provider(Script(reply({})), staging_bucket=staging).facts()
    assert found[:3] == (
        Fact("credentials", "none needed"),
        Fact("project", "my-project"),
        Fact("location", "us-central1"),
    )
    assert found[3].check == "staging bucket"
    assert (staging or "stagingBucket") in found[3].detail


@pytest.mark.parametrize("foreign", [False, True])
def test_a_list_requests_own_jobs_by_default(foreign):
    script = Script(page("1", token="t/1&x"), page(token="t2"), page("2"))
    assert listed(script, foreign=foreign) == ["1", "2"]
    ours = {} if foreign else {"filter": "labels.batchctl-stack=demo AND labels.batchctl-uid=u1d2e3"}
    common = {"pageSize": "100", "readMask": READ_MASK, **ours}
    assert [dict(request.url.params) for request in script.requests] == [
        common,
        {**common, "pageToken": "t/1&x"},
        {**common, "pageToken": "t2"},
    ]
    assert {request.url.path for request in script.requests} == {JOBS}


def test_a_complete_uid_is_shortened_for_the_filter():
    script = Script(reply({}))
    assert list(provider(script, uid="0f5c1c9e-A").list_jobs()) == []
    assert "0f5c1c9e" not in script.requests[0].url.params["filter"]


def test_a_job_that_moved_to_the_next_page_is_given_once():
    assert listed(Script(page("1", "2", token="t"), page("2", "3"))) == ["1", "2", "3"]


@pytest.mark.parametrize(
    "pages",
    [
        [page("1", token="t1"), page("2", token="t1")],
        [reply({"batchPredictionJobs": {}})],
        [reply({"batchPredictionJobs": [job(name="x")]})],
        [reply({"batchPredictionJobs": [job(), job(labels="odd")]})],
        [reply({"batchPredictionJobs": [job()], "unreachable": ["us-central1"]})],
        [reply({"nextPageToken": 5})],
        [reply([])],
        [page("1", token="t1"), httpx.Response(200, html="<html>")],
    ],
)
def test_a_list_that_cannot_be_read_to_its_end_raises(pages):
    script = Script(*pages)
    with pytest.raises(errors.BadReply):
        listed(script)
    assert len(script.requests) == len(pages)


@pytest.mark.parametrize(
    "labels",
    [
        {},
        None,
        {"team": "search"},
        {**mark_labels(MARK), "batchctl-stack": "other"},
        {**mark_labels(MARK), "batchctl-uid": "zzzzzz"},
        {**mark_labels(MARK), "batchctl-uid": 5},
        {name: value for name, value in mark_labels(MARK).items() if name != "batchctl-uid"},
    ],
)
def test_a_list_by_labels_whose_jobs_show_none_proves_nothing(labels):
    """A server that drops the labels would make batchctl buy every job again."""
    script = Script(reply({"batchPredictionJobs": [job(labels=labels)]}))
    with pytest.raises(errors.BadReply, match="labels"):
        listed(script)
    assert listed(script, foreign=True) == ["4567"]


TRANSIENT = [
    httpx.ConnectError("refused"),
    httpx.ReadError("reset"),
    rpc_error(429, "RESOURCE_EXHAUSTED", "m", retry_info("2s")),
    httpx.Response(502, html="<html>"),
]


@pytest.mark.parametrize(
    ("call", "good"),
    [
        (lambda one: list(one.list_jobs()), reply({})),
        (lambda one: one.get_job(JOB), reply(job())),
        (lambda one: one.cancel_job(JOB), reply({})),
        (lambda one: one.delete_job(JOB), reply(operation(**DONE))),
    ],
    ids=["list", "get", "cancel", "delete"],
)
def test_harmless_calls_are_made_again(call, good):
    clock, script = MovedClock(), Script(*TRANSIENT, good)
    call(provider(script, clock))
    assert (len(script.requests), clock.sleeps) == (5, [0.5, 1.0, 4.0, 4.0])


@pytest.mark.parametrize("name", ["4567", JOB, JOB.replace("123456", "my-project")])
def test_get(name):
    script = Script(reply(job()))
    assert provider(script).get_job(name).name == JOB
    request = script.requests[0]
    assert (request.method, request.url.path, request.url.query) == ("GET", f"{JOBS}/4567", b"")
    assert request.headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    "name",
    [JOB.replace("4567", "4568"), JOB.replace("us-central1", "us-east1"), JOB.replace("123456", "999"), "x", None],
)
def test_get_of_another_job_than_asked_for(name):
    with pytest.raises(errors.BadReply):
        provider(Script(reply(job(name=name)))).get_job(JOB)


@pytest.mark.parametrize("call", ["get_job", "cancel_job", "delete_job", "read_results"])
@pytest.mark.parametrize("name", ["../x", "batches/a", JOB.replace("us-central1", "us-east1")])
def test_no_name_leads_elsewhere(call, name):
    script = Script(reply({}))
    with pytest.raises(errors.BadRequest):
        list(getattr(provider(script), call)(name) or ())
    assert script.requests == []


@pytest.mark.parametrize("body", [None, b"", b"{}"])
def test_cancel(body):
    script = Script(httpx.Response(200, content=body))
    assert provider(script).cancel_job(JOB) is None
    request = script.requests[0]
    assert (request.method, request.url.path, request.content) == ("POST", f"{JOBS}/4567:cancel", b"")


@pytest.mark.parametrize("body", [b"<html>Signed in.", b"null", b"[]", b" "])
def test_a_cancel_confirmed_by_another_server_is_refused(body):
    with pytest.raises(errors.BadReply):
        provider(Script(httpx.Response(200, content=body))).cancel_job(JOB)


@pytest.mark.parametrize("call", ["get_job", "cancel_job", "delete_job"])
def test_not_found_is_an_error_once(call):
    script = Script(rpc_error(404, "NOT_FOUND"))
    with pytest.raises(errors.NotFound):
        getattr(provider(script), call)(JOB)
    assert len(script.requests) == 1


def test_a_delete_that_is_done_at_once():
    script = Script(reply(operation(**DONE)))
    assert provider(script).delete_job(JOB) is None
    assert [(one.method, one.url.path) for one in script.requests] == [("DELETE", f"{JOBS}/4567")]


def test_a_delete_is_waited_for():
    clock = MovedClock()
    script = Script(reply(operation()), reply(operation()), reply(operation(done=False)), reply(operation(**DONE)))
    provider(script, clock).delete_job(JOB)
    looks = [("GET", f"/v1/{OPERATION}")] * 3
    assert [(one.method, one.url.path) for one in script.requests] == [("DELETE", f"{JOBS}/4567"), *looks]
    assert clock.sleeps == [0.5, 1.0, 2.0]


def test_a_delete_that_never_ends():
    clock, script = MovedClock(), Script(reply(operation()))
    with pytest.raises(errors.ReplyLost, match="not done"):
        provider(script, clock).delete_job(JOB)
    assert len(script.requests) < 20
    assert 60 <= sum(clock.sleeps) <= 120


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (5, errors.NotFound),
        (7, errors.PermissionDenied),
        (8, errors.QuotaExceeded),
        (9, errors.BadRequest),
        (10, errors.Conflict),
        (13, errors.ServerFailed),
        (16, errors.Unauthenticated),
        (99, errors.ServerFailed),
        ("odd", errors.ServerFailed),
    ],
)
def test_a_delete_that_fails(code, kind):
    ended = operation(done=True, error={"code": code, "message": f"no\nway {TOKEN[:4]}"})
    with pytest.raises(kind, match=r"batchPredictionJobs\.delete: HTTP .*: no way"):
        provider(Script(reply(operation()), reply(ended))).delete_job(JOB)


def test_an_error_without_words_is_an_error():
    with pytest.raises(errors.ServerFailed):
        provider(Script(reply(operation(done=True, error="odd")))).delete_job(JOB)
    provider(Script(reply(operation(done=True, error={})))).delete_job(JOB)


def test_a_running_job_is_not_deleted():
    answer = rpc_error(400, "FAILED_PRECONDITION", "The job at projects/1/locations/us-central1/x has not ended.")
    with pytest.raises(errors.BadRequest) as caught:
        provider(Script(answer)).delete_job(JOB)
    assert (caught.value.code, caught.value.status) == ("BadRequest", "FAILED_PRECONDITION")
    assert "end" in caught.value.hint


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"name": 5},
        {"name": "operations/1"},
        {"name": OPERATION.replace("us-central1", "us-east1")},
        {"done": "yes"},
    ],
)
def test_an_answer_to_a_delete_that_is_no_operation(answer):
    script = Script(reply(answer))
    with pytest.raises(errors.BadReply, match="not an operation"):
        provider(script).delete_job(JOB)
    assert len(script.requests) == 1


def test_an_operation_that_is_gone_is_no_job_that_is_gone():
    with pytest.raises(errors.ReplyLost) as caught:
        provider(Script(reply(operation()), rpc_error(404, "NOT_FOUND"))).delete_job(JOB)
    assert caught.value.hint


def test_a_local_file_needs_a_staging_bucket():
    script = Script(reply({}))
    with pytest.raises(BatchctlError) as caught:
        provider(script, staging_bucket=None).upload_file(upload_of([b"x"], 1))
    assert "stagingBucket" in caught.value.hint
    assert script.requests == []


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "CANCELLING", "PAUSED", "DREAMING"])
def test_results_of_a_job_that_has_not_ended(state):
    script = Script(reply(job(f"JOB_STATE_{state}")))
    with pytest.raises(errors.ApiError) as caught:
        list(provider(script).read_results(JOB))
    assert caught.value.code == "ResultsNotReady"
    assert len(script.requests) == 1


def test_now_follows_the_servers_date():
    one = provider(Script(reply({}, headers={"date": "Sun, 22 Nov 2026 15:00:00 GMT"})))
    list(one.list_jobs())
    assert one.now() == NOW, "a single answer may be wrong"
    assert one.confirm_clock()
    assert one.now() == NOW + timedelta(hours=3)


def test_a_clock_that_nothing_confirms_stays_in_doubt():
    dates = ("Sun, 22 Nov 2026 15:00:00 GMT", "Sun, 22 Nov 2026 20:00:00 GMT")
    script = Script(*(reply({}, headers={"date": date}) for date in dates))
    one = provider(script)
    list(one.list_jobs())
    assert not one.confirm_clock()
    assert one.now() == NOW
    assert [request.url.params["pageSize"] for request in script.requests] == ["100", "1"]


def test_a_clock_that_is_clear_needs_no_further_call():
    script = Script(reply({}, headers={"date": "Sun, 22 Nov 2026 12:01:00 GMT"}))
    one = provider(script)
    list(one.list_jobs())
    assert one.confirm_clock()
    assert len(script.requests) == 1


def test_every_call_has_all_time_limits():
    script = Script(reply({}), reply({}), reply(job()), reply(operation(**DONE)))
    one = provider(script)
    list(one.list_jobs())
    one.cancel_job(JOB)
    one.get_job(JOB)
    one.delete_job(JOB)
    for request in script.requests:
        assert all(request.extensions["timeout"][part] for part in ("connect", "read", "write", "pool"))


def test_an_account_without_a_place_asks_nothing():
    script = Script(reply({}))
    with pytest.raises(errors.BadRequest):
        list(provider(script, account=replace(ACCOUNT, project="a/b")).list_jobs())
    assert script.requests == []


REFUSALS = [
    (401, "UNAUTHENTICATED", "bad token", "Unauthenticated", "gcloud auth application-default login"),
    (
        403,
        "PERMISSION_DENIED",
        "Permission 'aiplatform.batchPredictionJobs.create' denied on resource '//x' (or it may not exist).",
        "PermissionDenied",
        "roles/aiplatform.user",
    ),
    (404, "NOT_FOUND", "gone", "NotFound", "location"),
    (429, "RESOURCE_EXHAUSTED", "no quota", "QuotaExceeded", "quota"),
    (400, "INVALID_ARGUMENT", "Do not support publisher model gemini-1.0", "ModelNotInBatch", "batch"),
    (400, "INVALID_ARGUMENT", "The PublisherModel x does not exist", "InvalidModel", "location"),
    (400, "FAILED_PRECONDITION", "MODEL_NOT_SUPPORTED_FOR_BATCH", "ModelNotInBatch", "batch"),
    (400, "FAILED_PRECONDITION", "This location is not supported.", "UnsupportedLocation", "provider's `location`"),
    (400, "INVALID_ARGUMENT", 'Invalid JSON payload received. Unknown name "x"', "UnknownField", "upgrade"),
]


@pytest.mark.parametrize(("http", "status", "message", "code", "hint"), REFUSALS)
def test_refusals_tell_the_way_out(http, status, message, code, hint):
    with pytest.raises(errors.ApiStatus) as caught:
        provider(Script(rpc_error(http, status, message)), MovedClock()).get_job(JOB)
    found = caught.value
    assert (found.code, found.message) == (code, f"batchPredictionJobs.get: HTTP {http}: {message}")
    assert hint in found.hint
    assert "API_KEY" not in found.hint
    assert found.effect is (Effect.NONE if http in (401, 429) else Effect.REFUSED)


def test_a_quota_is_named_with_its_limit():
    violations = [5, {"quotaId": "BatchJobsPerRegion", "quotaMetric": "x", "quotaValue": "12"}, {"quotaId": "other"}]
    detail = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": violations}
    with pytest.raises(errors.QuotaExceeded) as caught:
        provider(Script(rpc_error(429, "RESOURCE_EXHAUSTED", "no", detail))).get_job(JOB)
    assert caught.value.message.endswith("no (quota BatchJobsPerRegion = 12)")
    assert caught.value.details["quota"] == "BatchJobsPerRegion = 12"


def test_a_missing_right_is_named_once():
    about = {"permission": "aiplatform.batchPredictionJobs.get", "resource": "projects/my-project"}
    detail = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "IAM_PERMISSION_DENIED", "metadata": about}
    message = "Permission 'aiplatform.batchPredictionJobs.get' denied."
    with pytest.raises(errors.PermissionDenied) as caught:
        provider(Script(rpc_error(403, "PERMISSION_DENIED", message, detail))).get_job(JOB)
    assert caught.value.message.endswith(f"{message} (resource projects/my-project)")
    assert caught.value.details.items() >= about.items()


def test_marks_of_the_list():
    (found,) = provider(Script(reply({"batchPredictionJobs": [job(labels=mark_labels(MARK))]}))).list_jobs()
    assert found.mark == MARK


def test_an_input_of_bigquery_has_no_order():
    assert provider(Script(reply({}))).find_input(RemoteSource(("bq://p.d.t",))) is None


def test_a_local_file_goes_to_the_staging_bucket():
    bucket = Bucket("staging")
    upload = rows_upload(b'{"request": {}}\n')
    one = provider(bucket)
    name = f"rows/{MARK.uid}/{upload.sha256}.jsonl"
    assert one.upload_file(upload) == (f"gs://staging/{name}", None)
    assert bucket.objects == {name: b'{"request": {}}\n'}
    assert bucket.requests[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_results_are_read_from_where_the_job_says():
    bucket = Bucket("b")
    bucket.put(
        "out/p/predictions.jsonl",
        b'{"status": "", "request": {"labels": {"batchctl-row": "1"}}, "response": {"x": 1}}\n',
    )
    ended = job(
        "JOB_STATE_SUCCEEDED", endTime="2026-11-22T11:50:00Z", outputInfo={"gcsOutputDirectory": "gs://b/out/p"}
    )

    def play(request: httpx.Request) -> httpx.Response:
        return reply(ended) if request.url.host == httpx.URL(BASE).host else bucket(request)

    (found,) = provider(play).read_results("4567")
    assert (found.index, found.response) == (1, {"x": 1})


def test_rows_of_an_input_that_we_never_sent():
    bucket = Bucket("b")
    bucket.put("in.jsonl", b'{"request": {"a": 1}}\n{"request": {"a": 2}}\n')
    one = provider(bucket)
    files = one.find_input(RemoteSource(("gs://b/in.jsonl",)))
    assert files is not None
    rows = one.read_input(files)
    assert [row.request for row in rows] == [{"a": 1}, {"a": 2}]


def test_a_job_with_a_part_of_its_mark_is_known_as_damaged():
    labels = {name: value for name, value in mark_labels(MARK).items() if name != "batchctl-token"}
    (found,) = provider(Script(reply({"batchPredictionJobs": [job(labels=labels)]}))).list_jobs()
    assert found.mark is None
    assert found.broken is not None
    assert (found.broken.stack, found.broken.job) == (MARK.stack, MARK.key.job)
    assert "batchctl-digest=0123456789ab" in found.broken.text


@pytest.mark.parametrize(
    ("changes", "altered"),
    [
        ({}, False),
        ({"displayName": "Translate "}, True),
        ({"displayName": ""}, True),
        ({"labels": {}}, True),
        ({"labels": {**mark_labels(MARK), "batchctl-job": "x"}}, True),
    ],
)
def test_what_the_answer_to_a_create_call_changes_is_noticed(changes, altered):
    assert provider(Script(reply(job(**changes)))).create_job(create_request()).is_altered is altered


def test_a_display_name_of_the_manifests_own_body_is_no_change():
    request = create_request(extra_body={"displayName": "mine"})
    assert not provider(Script(reply(job(displayName="mine")))).create_job(request).is_altered
