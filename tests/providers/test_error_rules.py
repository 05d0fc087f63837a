"""Errors classified by the API's message: the code and hint that fit the case, or none."""

from __future__ import annotations

import httpx
import pytest

from batchctl.model import errors
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import Effect
from batchctl.providers.cloud.addresses import ObjectPath
from batchctl.providers.cloud.storage import Storage
from batchctl.providers.credentials import ApiKey
from batchctl.providers.error_hints import GEMINI, STORAGE, VERTEX
from batchctl.providers.error_rules import RULES
from batchctl.providers.http.call_changes import LearnedChanges
from batchctl.providers.http.calls import Call
from batchctl.providers.http.endpoint import Endpoint
from batchctl.providers.http.failures import status_failure
from batchctl.providers.reply_times import ServerClock
from batchctl.providers.retry import Retry
from tests.support.scripted_api import BASE, JOB, KEY, MovedClock, Script, operation, provider, reply, rpc_error
from tests.support.scripted_cloud import endpoint
from tests.support.scripted_vertex import job as vertex_job
from tests.support.scripted_vertex import provider as vertex

NOW = MovedClock().now()
CREATE, UPLOAD, LIST = "batches.create", "files.upload", "batchPredictionJobs.list"
QUOTA = "RESOURCE_EXHAUSTED"
READS = ("download", "get", "list", "delete")


def refuse(http: int, message: str, status: str = "", what: str = CREATE, hints=GEMINI, *details: object):
    found = rpc_error(http, status, message, *details)
    return status_failure(http, found.headers, found.content, what=what, now=NOW, redact=str, hints=hints)


SAID = [
    # A bucket or a dataset in another location, and a service or a model that is not available there.
    (400, "FAILED_PRECONDITION", CREATE, "DataLocation", ("The Cloud Storage bucket of `gs://out/x` is in location `us`."
     " It must be in the same regional location as the service location `us-central1`.")),
    (400, "INVALID_ARGUMENT", CREATE, "DataLocation", "Dataset p:d was not found in location EU"),
    (400, "", "bigquery.jobs.insert", "DataLocation",
     "Cannot read and write in different locations: source: US, destination: EU"),
    (400, "FAILED_PRECONDITION", CREATE, "UnsupportedLocation", "User location is not supported for the API use."),
    (400, "FAILED_PRECONDITION", CREATE, "UnsupportedLocation",
     "Gemini API free tier is not available in your country. Please enable billing on your project."),
    (400, "INVALID_ARGUMENT", CREATE, "UnsupportedLocation", "Gemini 9 is not supported in location mars-1."),
    (400, "FAILED_PRECONDITION", CREATE, "BadRequest", "The location of the sun is unknown."),
    (400, "INVALID_ARGUMENT", CREATE, "BadRequest", "systemInstruction mentions a location"),
    # Models.
    (400, "INVALID_ARGUMENT", CREATE, "ModelNotInBatch", "Do not support publisher model gemini-2.5-flash"),
    (404, "NOT_FOUND", CREATE, "InvalidModel", ("models/x is not found for API version v1beta, or is not supported for"
     " batchGenerateContent. Call ListModels to see the list.")),
    (404, "NOT_FOUND", CREATE, "InvalidModel", ("Publisher Model `projects/p/locations/us-central1/publishers/google/"
     "models/x` was not found or your project does not have access to it.")),
    (404, "NOT_FOUND", CREATE, "NotFound", "Requested entity was not found."),
    # Quotas that recover, and quotas that do not.
    (429, QUOTA, CREATE, "QuotaExceeded", ("You exceeded your current quota, please check your plan and billing"
     " details.")),
    (429, QUOTA, CREATE, "NoCredit", "Your prepayment credits are depleted. Go to your project to manage billing."),
    (429, QUOTA, CREATE, "NoCredit", "Your project has exceeded its monthly spending cap."),
    (403, "PERMISSION_DENIED", CREATE, "NoCredit", "This API method requires billing to be enabled."),
    (429, QUOTA, CREATE, "NoQuota", "Quota exceeded for metric: x, limit: 0, model: gemini-9"),
    (429, QUOTA, CREATE, "QuotaExceeded", "Quota exceeded for metric: x, limit: 0.5, model: gemini-9"),
    (429, QUOTA, CREATE, "QuotaExceeded", "Quota exceeded for metric: x, limit: 100, model: gemini-9"),
    (429, QUOTA, UPLOAD, "StorageQuota", "You exceeded your current quota."),
    (429, QUOTA, CREATE, "StorageQuota", "The file storage of this project is full (20 GB)."),
    (429, QUOTA, UPLOAD, "QuotaExceeded", "Too many requests per minute."),
    # Nothing but an upload fills the file storage, and none of the others is refused because of what it sends.
    *((429, QUOTA, f"files.{call}", "QuotaExceeded", "You exceeded your current quota.") for call in READS),
    *((400, "INVALID_ARGUMENT", f"files.{call}", "BadRequest", "Bad request.") for call in READS),
    # A key, also where a gateway leaves the reason out.
    (400, "INVALID_ARGUMENT", CREATE, "InvalidKey", "API key not valid. Please pass a valid API key."),
    (400, "INVALID_ARGUMENT", UPLOAD, "InvalidKey", "API key expired. Please renew the API key."),
    (400, "INVALID_ARGUMENT", CREATE, "BadRequest", "The API key of the row is a text."),
    # Temporary errors.
    (400, "FAILED_PRECONDITION", CREATE, "InputNotReady",
     "The File abc is not in an ACTIVE state and usage is not allowed."),
    (400, "INVALID_ARGUMENT", CREATE, "BadRequest", "The user is not ACTIVE."),
    (400, "FAILED_PRECONDITION", CREATE, "NotProvisioned", "Service agents are being provisioned (https://…)."),
    (403, "PERMISSION_DENIED", CREATE, "ServiceDisabled", ("Generative Language API has not been used in project 1"
     " before or it is disabled.")),
    # Requester-pays buckets, and uploads.
    (400, "", "storage.objects.list", "UserProjectMissing",
     "Bucket is a requester pays bucket but no user project provided."),
    (400, "INVALID_ARGUMENT", UPLOAD, "UploadRefused", "Unsupported MIME type: jsonl"),
    (400, "INVALID_ARGUMENT", CREATE, "BadRequest", "Unsupported MIME type: jsonl"),
    (400, "INVALID_ARGUMENT", CREATE, "UnknownField", 'Invalid JSON payload received. Unknown name "x": no field.'),
]  # fmt: skip


@pytest.mark.parametrize(("http", "status", "what", "code", "said"), SAID)
def test_the_code_follows_from_complete_phrases(http: int, status: str, what: str, code: str, said: str) -> None:
    found = refuse(http, said, status, what)
    assert found.code == code
    assert found.message.startswith(f"{what}: HTTP {http}: {said[:200]}"), "the API's own words come first"
    if code == "BadRequest":
        assert found.hint == "", "a hint that misses is worse than none"
    else:
        assert found.hint


def test_a_quota_of_zero_may_be_in_the_details_alone() -> None:
    failure = {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"quotaId": "BatchPerDay", "quotaValue": "0"}],
    }
    assert refuse(429, "You exceeded your current quota.", QUOTA, CREATE, GEMINI, failure).code == "NoQuota"


def test_no_quota_and_no_credit_change_nothing_about_what_a_create_call_did() -> None:
    for said in ("credits are depleted", "limit: 0"):
        found = refuse(429, said, QUOTA)
        assert isinstance(found, errors.QuotaExceeded)
        assert found.effect is Effect.NONE
        assert "waiting does not change this" in found.hint


@pytest.mark.parametrize(
    ("what", "status", "expected"),
    [
        ("batchPredictionJobs.delete", "FAILED_PRECONDITION", "only after it has ended"),
        ("batchPredictionJobs.cancel", "FAILED_PRECONDITION", "cannot be cancelled"),
        ("batchPredictionJobs.create", "FAILED_PRECONDITION", ""),
    ],
)
def test_hints_fit_the_call(what: str, status: str, expected: str) -> None:
    hint = refuse(400, "no", status, what, VERTEX).hint
    assert expected in hint if expected else hint == ""


@pytest.mark.parametrize("hints", [GEMINI, VERTEX], ids=["gemini", "vertex"])
@pytest.mark.parametrize("method", ["list", "get", "cancel", "delete", "download"])
def test_no_job_is_cancelled_because_of_too_many_reads(method: str, hints) -> None:
    said = "Quota exceeded for read requests."
    assert (
        refuse(429, said, QUOTA, f"batches.{method}", hints).hint
        == "the quota of calls is exhausted: wait, then run the command again"
    )
    assert "let jobs finish" in refuse(429, said, QUOTA, CREATE, hints).hint


def test_every_rule_has_a_hint_or_uses_that_of_its_service() -> None:
    for rule in RULES:
        assert rule.hint or rule.code is ErrorCode.UNSUPPORTED_LOCATION
    for hints in (GEMINI, VERTEX, STORAGE):
        assert refuse(400, "This location is not supported.", hints=hints).hint == hints.place


# An error object with status 200.

ERROR = {"error": {"code": 400, "message": "Unsupported MIME type: jsonl", "status": "INVALID_ARGUMENT"}}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": 403, "message": "m", "status": "PERMISSION_DENIED"}, errors.PermissionDenied),
        ({"message": "m", "status": "NOT_FOUND"}, errors.NotFound),
        ({"code": 5, "message": "m"}, errors.NotFound),
        ({"code": 13, "message": "m"}, errors.ServerFailed),
        ({"code": "odd", "message": "m"}, errors.ServerFailed),
        ({"code": 429, "message": "m"}, errors.QuotaExceeded),
    ],
)
def test_an_error_with_status_200_is_an_error_with_its_words(error: dict[str, object], kind: type) -> None:
    script = Script(reply({"error": error}))
    with pytest.raises(kind, match=r"x\.y: HTTP \d+: m") as caught:
        endpoint(script, MovedClock(), BASE).call(Call("x.y", "GET", "/x"))
    assert type(caught.value) is kind
    with (
        pytest.raises(kind),
        endpoint(Script(reply({"error": error})), MovedClock(), BASE).stream(Call("x.y", "GET", "/x")),
    ):
        pass


@pytest.mark.parametrize(
    "body",
    [
        {"name": JOB, "done": True, "error": {"code": 13, "message": "the job failed"}},
        {"key": "k1", "error": {"code": 3, "message": "the row failed"}},
        {"error": {}},
        {"error": "text"},
        {"errors": {"code": 400, "message": "m"}},
    ],
)
def test_an_error_of_a_job_or_a_row_is_no_failed_call(body: dict[str, object]) -> None:
    assert endpoint(Script(reply(body)), MovedClock(), BASE).call(Call("x.y", "GET", "/x")).json_object() == body


def test_an_error_in_a_list_is_read() -> None:
    found = httpx.Response(403, json=[ERROR])
    refusal = status_failure(403, found.headers, found.content, what=CREATE, now=NOW, redact=str)
    assert "Unsupported MIME type" in refusal.message
    assert isinstance(refusal, errors.PermissionDenied)


def test_plain_text_is_shown_though_it_proves_nothing() -> None:
    found = status_failure(
        403, httpx.Headers(), b"Bucket is a requester\n pays bucket", what=CREATE, now=NOW, redact=str
    )
    assert isinstance(found, errors.BadReply)
    assert found.message.endswith("without an error from the API: Bucket is a requester pays bucket")


# Calls that are changed after a refusal, and stay changed.


def test_a_refused_mask_is_omitted_from_later_calls() -> None:
    refusal = rpc_error(400, "INVALID_ARGUMENT", "Error expanding 'fields' parameter. Cannot find matching fields.")
    script = Script(refusal, reply({"operations": [operation()]}))
    one = provider(script)
    assert [job.name for job in one.list_jobs()] == [JOB]
    assert len(list(one.list_jobs())) == 1
    assert ["fields" in str(request.url) for request in script.requests] == [True, False, False]
    assert all(request.url.params["pageSize"] for request in script.requests)


def test_another_refusal_of_a_call_with_a_mask_is_raised_and_not_remembered() -> None:
    script = Script(rpc_error(400, "INVALID_ARGUMENT", "no"), rpc_error(400, "INVALID_ARGUMENT", "no"), reply({}))
    one = provider(script)
    with pytest.raises(errors.BadRequest):
        list(one.list_jobs())
    assert list(one.list_jobs()) == []
    assert ["fields" in str(request.url) for request in script.requests] == [True, False, True]


def test_a_job_is_read_without_its_rows_also_where_the_mask_is_unknown() -> None:
    rows = {"inlinedResponses": {"inlinedResponses": [{"response": {}}]}}
    whole = operation("BATCH_STATE_SUCCEEDED", metadata={"output": rows}, response=rows, done=True)
    found = provider(Script(rpc_error(400, "INVALID_ARGUMENT", "no"), reply(whole))).get_job(JOB)
    assert found.state == "JOB_STATE_SUCCEEDED"
    broken = httpx.Response(200, content=b'{"name": "batches/x", "metadata": {')
    with pytest.raises(errors.BadReply, match="not valid JSON"):
        provider(Script(broken)).get_job(JOB)


def test_the_vertex_mask_is_no_need_either() -> None:
    script = Script(rpc_error(400, "INVALID_ARGUMENT", "bad mask"), reply({"batchPredictionJobs": [vertex_job()]}))
    assert len(list(vertex(script).list_jobs(foreign=True))) == 1
    assert ["readMask" in str(request.url) for request in script.requests] == [True, False]


class PayingBucket:
    """A requester-pays bucket, and a free one."""

    def __init__(self) -> None:
        self.payers: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        payer = request.url.params.get("userProject")
        self.payers.append(payer)
        if payer is None and "/b/paid/" in request.url.path:
            return rpc_error(400, "", "Bucket is a requester pays bucket but no user project provided.")
        return reply({})


def storage(bucket: PayingBucket, manners: LearnedChanges) -> Storage:
    clock = MovedClock()
    api = Endpoint(BASE, ApiKey(KEY), ServerClock(clock), httpx.MockTransport(bucket), STORAGE, call_changes=manners)
    return Storage(api, Retry(clock, lambda: 0.5))


def test_a_bucket_whose_reader_pays_is_read_at_the_projects_expense() -> None:
    bucket = PayingBucket()
    one = storage(bucket, LearnedChanges("mine"))
    for name in ("paid", "paid", "free"):
        assert list(one.list(ObjectPath(name, "x/"))) == []
    assert bucket.payers == [None, "mine", "mine", None], "asked once, remembered for the bucket, and for no other"


@pytest.mark.parametrize("always", [True, False])
def test_the_url_of_an_upload_that_was_begun_stays_as_it_is(*, always: bool) -> None:
    """An additional parameter would replace those of the URL, and the refusal would become a misleading 404."""
    manners = LearnedChanges("mine", always=always)
    call = Call("storage.objects.insert", "PUT", f"{BASE}/upload/storage/v1/b/paid/o?upload_id=1", body=b"x")
    refusal = errors.BadRequest("Bucket is a requester pays bucket but no user project provided.", http=400)
    assert (manners.adapt(call), manners.otherwise(call, refusal)) == (call, None)


def test_the_project_that_the_stack_names_pays_from_the_start() -> None:
    bucket = PayingBucket()
    assert list(storage(bucket, LearnedChanges("billing", always=True)).list(ObjectPath("paid", "x/"))) == []
    assert bucket.payers == ["billing"]


@pytest.mark.parametrize("manners", [LearnedChanges(), LearnedChanges("mine")])
def test_a_bucket_without_a_billable_project_is_an_error(manners: LearnedChanges) -> None:
    def refuse_all(_: httpx.Request) -> httpx.Response:
        return rpc_error(400, "", "Bucket is a requester pays bucket but no user project provided.")

    with pytest.raises(errors.BadRequest, match="requester pays") as caught:
        list(storage(refuse_all, manners).list(ObjectPath("paid", "x/")))  # type: ignore[arg-type]
    assert (caught.value.code, "userProject" in caught.value.hint) == ("UserProjectMissing", True)


def test_the_versions_are_those_of_the_paths() -> None:
    script = Script(reply({}))
    list(provider(script, api_version="v1beta").list_jobs())
    list(provider(script).list_jobs())
    list(vertex(script, api_version="v1beta1").list_jobs())
    list(vertex(script).list_jobs())
    paths = [request.url.path.split("/")[1] for request in script.requests]
    assert paths == ["v1beta", "v1", "v1beta1", "v1"]
    assert str(script.requests[0].url).startswith(f"{BASE}/v1beta/batches?")
