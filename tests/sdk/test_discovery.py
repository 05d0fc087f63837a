"""The checker of discovery documents finds what is wrong, and only that."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from tests.support.discovery import Exchange, reply_faults, sent_faults

JOBS = "/v1/projects/p/locations/l/batchPredictionJobs"
OBJECTS = "/storage/v1/b/demo/o"
TABLE = "/bigquery/v2/projects/p/datasets/d/tables/t"
UPLOAD = "/upload/storage/v1/b/demo/o"
SENT: dict[str, Any] = {
    "displayName": "n",
    "model": "publishers/google/models/gemini-2.5-flash",
    "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": ["gs://b/i.jsonl"]}},
    "outputConfig": {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": "gs://b/o"}},
    "labels": {"team": "search"},
    "modelParameters": {"anything": [1, {"goes": None}]},
}
ANSWERED: dict[str, Any] = {
    **SENT,
    "name": "projects/1/locations/l/batchPredictionJobs/2",
    "state": "JOB_STATE_FAILED",
    "createTime": "2026-01-01T00:00:00.123456Z",
    "error": {"code": 3, "message": "m", "details": [{"@type": "type.googleapis.com/google.rpc.Help", "links": []}]},
    "completionStats": {"incompleteCount": "-1"},
    "partialFailures": [{"code": 3}],
}
ONE = {"machineSpec": {}}
OPERATION: dict[str, Any] = {
    "name": "o",
    "done": True,
    "metadata": {
        "@type": "type.googleapis.com/google.cloud.aiplatform.v1.DeleteOperationMetadata",
        "genericMetadata": {"createTime": "2026-01-01T00:00:00Z"},
    },
    "response": {"@type": "type.googleapis.com/google.protobuf.Empty"},
}


def query(**params: str) -> tuple[tuple[str, str], ...]:
    return tuple(params.items())


def sent(verb: str, path: str, body: Any = None, params: Iterable[tuple[str, str]] = ()) -> list[str]:
    content = b"" if body is None else json.dumps(body).encode()
    return stripped(sent_faults(Exchange(verb, path, tuple(params), content)))


def answered(verb: str, path: str, body: Any, params: Iterable[tuple[str, str]] = (), status: int = 200) -> list[str]:
    content = b"" if body is None else json.dumps(body).encode()
    return stripped(reply_faults(Exchange(verb, path, tuple(params), status=status, reply=content)))


def stripped(faults: list[str]) -> list[str]:
    """Without the call, which every fault names first."""
    return [fault.partition("): ")[2] for fault in faults]


@pytest.mark.parametrize(
    ("verb", "path", "body", "params"),
    [
        ("POST", JOBS, SENT, ()),
        ("POST", JOBS.replace("v1", "v1beta1"), SENT, ()),
        ("GET", f"{JOBS}/1", None, ()),
        ("GET", JOBS, None, query(filter="labels.a=b", pageSize="100", readMask="name,labels,error.code,labels.a")),
        ("POST", f"{JOBS}/1:cancel", None, ()),
        ("POST", f"{JOBS}/1:cancel", {}, ()),
        ("DELETE", f"{JOBS}/1", None, ()),
        ("GET", "/v1/projects/p/locations/l/operations/1", None, ()),
        ("GET", OBJECTS, None, query(prefix="a/", fields="items(name,size),nextPageToken", maxResults="9")),
        ("GET", f"{OBJECTS}/a%2Fb", None, query(alt="media", ifGenerationMatch="1", prettyPrint="false")),
        ("GET", f"{OBJECTS}/a", None, query(fields="name,owner/entity,metadata/any,acl(role)")),
        ("POST", UPLOAD, {"contentType": "x/y"}, query(uploadType="resumable", name="a/b", ifGenerationMatch="0")),
        ("POST", UPLOAD, "content", query(uploadType="media", name="a")),
        ("PUT", UPLOAD, "content", query(uploadType="resumable", upload_id="x", odd="y")),
        ("GET", f"{TABLE}/data", None, query(maxResults="1000")),
        ("GET", TABLE, None, query(fields="schema")),
    ],
)
def test_a_sound_call(verb: str, path: str, body: Any, params: tuple[tuple[str, str], ...]) -> None:
    assert sent(verb, path, body, params) == []


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("POST", f"{JOBS}/1"),
        ("PUT", JOBS),
        ("GET", f"{JOBS}/1/more"),
        ("GET", f"{JOBS}/"),
        ("POST", f"{JOBS}/:cancel"),
        ("POST", f"{JOBS}/1:stop"),
        ("GET", JOBS.replace("batchPredictionJobs", "batchpredictionjobs")),
        ("GET", f"{OBJECTS}/a/b"),
        ("GET", "/v2/batches"),
        ("POST", "/v1beta/batches/1"),
        ("GET", f"{TABLE}/rows"),
    ],
)
def test_a_wrong_path(verb: str, path: str) -> None:
    (fault,) = sent(verb, path)
    assert "unknown path" in fault or "no service" in fault
    assert answered(verb, path, {}) == [fault]


@pytest.mark.parametrize(
    ("path", "params", "fault"),
    [
        (JOBS, query(pagesize="1"), "?pagesize: unknown parameter of aiplatform.projects.locations.batchPredictionJobs.list"),
        (JOBS, query(parent="p"), "?parent: unknown parameter of aiplatform.projects.locations.batchPredictionJobs.list"),
        (JOBS, query(pageSize="many"), "?pageSize: not an integer of its size: 'many'"),
        (JOBS, query(pageSize=str(2**31)), "?pageSize: not an integer of its size: 2147483648"),
        (JOBS, (("filter", "a"), ("filter", "b")), "?filter: given twice"),
        (JOBS, query(readMask="name,owner"), "?readMask: GoogleCloudAiplatformV1BatchPredictionJob has no 'owner'"),
        (JOBS, query(readMask="name,error.text"), "?readMask: GoogleRpcStatus has no 'text'"),
        (JOBS, query(alt="xml"), "?alt: not one of the values: 'xml'"),
        (f"{OBJECTS}/a", query(ifGenerationMatch="now"), "?ifGenerationMatch: not an int64: 'now'"),
        (f"{OBJECTS}/a", query(prettyPrint="no"), "?prettyPrint: not a boolean: 'no'"),
        (OBJECTS, query(fields="items(name,colour)"), "?fields: Object has no 'colour'"),
        (OBJECTS, query(fields="items(name"), "?fields: a bracket is never closed"),
        (OBJECTS, query(fields="items)"), "?fields: cannot be read from ')' on"),
    ],
)  # fmt: skip
def test_a_wrong_parameter(path: str, params: tuple[tuple[str, str], ...], fault: str) -> None:
    assert sent("GET", path, None, params) == [fault]


def test_a_parameter_that_is_missing() -> None:
    assert sent("GET", "/storage/v1/b") == ["?project: required by storage.buckets.list"]


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({"colour": "red"}, "colour: unknown field of GoogleCloudAiplatformV1BatchPredictionJob"),
        ({"display_name": "n"}, "display_name: unknown field of GoogleCloudAiplatformV1BatchPredictionJob"),
        ({"displayName": 1}, "displayName: not a string: 1"),
        ({"labels": {"a": 1}}, "labels.a: not a string: 1"),
        ({"labels": []}, "labels: not an object: []"),
        ({"name": "n"}, "name: only the server sets it"),
        ({"disableContainerLogging": 0}, "disableContainerLogging: not a boolean: 0"),
        ({"inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": "gs://a"}}}, "inputConfig.gcsSource.uris: not an array: 'gs://a'"),
        ({"inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": [1]}}}, "inputConfig.gcsSource.uris[0]: not a string: 1"),
        ({"inputConfig": {"gcsSource": {"uris": []}}}, "inputConfig.instancesFormat: required"),
        ({"inputConfig": {"instancesFormat": "jsonl", "gcsSource": {}}}, "inputConfig.gcsSource.uris: required"),
        ({"dedicatedResources": {**ONE, "startingReplicaCount": 2**31}}, f"dedicatedResources.startingReplicaCount: not an integer of its size: {2**31}"),
        ({"dedicatedResources": {**ONE, "startingReplicaCount": True}}, "dedicatedResources.startingReplicaCount: not an integer of its size: True"),
    ],
)  # fmt: skip
def test_a_wrong_body(members: dict[str, Any], fault: str) -> None:
    assert sent("POST", JOBS, {**SENT, **members}) == [f"body: {fault}"]


def test_a_body_where_there_is_none_or_not_the_right_one() -> None:
    assert sent("GET", f"{JOBS}/1", {}) == ["body: aiplatform.projects.locations.batchPredictionJobs.get has none"]
    assert sent("POST", f"{JOBS}/1:cancel", {"name": "x"}) == [
        "body: name: unknown field of GoogleCloudAiplatformV1CancelBatchPredictionJobRequest"
    ]
    assert sent("POST", JOBS, [1]) == ["body: not an object: [1]".replace("body: ", "body: : ")]
    (fault,) = stripped(sent_faults(Exchange("POST", JOBS, body=b"{")))
    assert fault.startswith("body: not JSON")
    assert "body: displayName: required" in sent("POST", JOBS)


@pytest.mark.parametrize(
    ("verb", "path", "body", "params", "status"),
    [
        ("POST", JOBS, ANSWERED, (), 200),
        ("GET", JOBS, {}, (), 200),
        ("GET", JOBS, {"batchPredictionJobs": [ANSWERED], "nextPageToken": "t"}, (), 200),
        ("POST", f"{JOBS}/1:cancel", {}, (), 200),
        ("DELETE", f"{JOBS}/1", OPERATION, (), 200),
        ("DELETE", f"{OBJECTS}/a", None, (), 204),
        ("GET", f"{OBJECTS}/a", "content", query(alt="media"), 200),
        ("GET", f"{OBJECTS}/a", "No such object", query(alt="media"), 404),
        ("POST", UPLOAD, None, query(uploadType="resumable"), 200),
        ("PUT", UPLOAD, None, query(upload_id="x"), 308),
        ("GET", f"{OBJECTS}/a", None, query(ifGenerationNotMatch="1"), 304),
        ("PUT", UPLOAD, {"size": "1"}, query(upload_id="x"), 200),
        ("GET", f"{TABLE}/data", {"totalRows": "1", "rows": [{"f": [{"v": None}]}]}, (), 200),
        ("GET", JOBS, {"error": {"code": 404, "message": "m", "status": "NOT_FOUND"}}, (), 404),
        ("GET", "/nowhere", {"error": {"code": 404, "message": "m"}}, (), 404),
    ],
)
def test_a_sound_reply(verb: str, path: str, body: Any, params: tuple[tuple[str, str], ...], status: int) -> None:
    assert answered(verb, path, body, params, status) == []


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({"colour": "red"}, "colour: unknown field of GoogleCloudAiplatformV1BatchPredictionJob"),
        ({"state": "SUCCEEDED"}, "state: not one of the values: 'SUCCEEDED'"),
        ({"createTime": "yesterday"}, "createTime: not a google-datetime: 'yesterday'"),
        ({"createTime": None}, "createTime: not a string: None"),
        ({"completionStats": {"failedCount": 1}}, "completionStats.failedCount: not a string: 1"),
        ({"completionStats": {"failedCount": "many"}}, "completionStats.failedCount: not an int64: 'many'"),
        ({"completionStats": {"failedCount": str(2**63)}}, f"completionStats.failedCount: not an int64: '{2**63}'"),
        ({"error": {"code": "3"}}, "error.code: not an integer of its size: '3'"),
        ({"error": {"status": "x"}}, "error.status: unknown field of GoogleRpcStatus"),
        ({"resourcesConsumed": {"replicaHours": "1"}}, "resourcesConsumed.replicaHours: not a number: '1'"),
    ],
)
def test_a_wrong_reply(members: dict[str, Any], fault: str) -> None:
    assert answered("GET", f"{JOBS}/1", {**ANSWERED, **members}) == [f"reply: {fault}"]
    in_list = answered("GET", JOBS, {"batchPredictionJobs": [ANSWERED, {**ANSWERED, **members}]})
    assert in_list == [f"reply: batchPredictionJobs[1].{fault}"]


@pytest.mark.parametrize(
    ("metadata", "fault"),
    [
        ({"@type": "type.googleapis.com/google.cloud.aiplatform.v1.Nothing"}, ".@type: unknown type: 'type.googleapis.com/google.cloud.aiplatform.v1.Nothing'"),
        ({"@type": "google.rpc.Help"}, ".@type: unknown type: 'google.rpc.Help'"),
        ({**OPERATION["metadata"], "odd": 1}, ".odd: unknown field of GoogleCloudAiplatformV1DeleteOperationMetadata"),
    ],
)  # fmt: skip
def test_a_message_that_is_not_what_it_says_it_is(metadata: dict[str, Any], fault: str) -> None:
    assert answered("DELETE", f"{JOBS}/1", {**OPERATION, "metadata": metadata}) == [f"reply: metadata{fault}"]


@pytest.mark.parametrize(
    ("verb", "path", "body", "params", "fault"),
    [
        ("DELETE", f"{OBJECTS}/a", {}, (), "reply: storage.objects.delete answers nothing"),
        ("GET", f"{JOBS}/1", "x", query(alt="media"), "?alt: aiplatform.projects.locations.batchPredictionJobs.get gives no content"),
        ("POST", UPLOAD, {}, query(uploadType="resumable"), "reply: nothing was expected"),
        ("PUT", UPLOAD, {"colour": 1}, query(upload_id="x"), "reply: colour: unknown field of Object"),
        ("GET", f"{OBJECTS}/a", {"size": 1}, (), "reply: size: not a string: 1"),
        ("GET", f"{OBJECTS}/a", {"size": "-1"}, (), "reply: size: not an uint64: '-1'"),
    ],
)  # fmt: skip
def test_a_reply_of_another_kind(
    verb: str, path: str, body: Any, params: tuple[tuple[str, str], ...], fault: str
) -> None:
    assert answered(verb, path, body, params) == [fault]


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        ({"code": 400, "message": "m"}, "error.code: 400"),
        ({"code": 404}, "error.message: None"),
        ({"code": 404, "message": "m", "status": "GONE"}, "error.status: 'GONE'"),
        ({"code": 404, "message": "m", "details": [{}]}, "error.details[0]: does not say its @type"),
        ({"code": 404, "message": "m", "text": "x"}, "error.text: unknown field"),
    ],
)
def test_a_wrong_error(error: dict[str, Any], fault: str) -> None:
    assert answered("GET", JOBS, {"error": error}, status=404) == [fault]


def test_an_error_in_words_alone() -> None:
    assert answered("GET", JOBS, "gone", status=404) == ["an error without a body that says so"]
