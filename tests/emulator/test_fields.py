"""`fields` over HTTP: unknown paths are refused without effect."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.cloud_calls import BUCKET, OBJECTS
from tests.support.embedded_emulator import MODEL, World
from tests.support.vertex_calls import JOBS, Vertex, body

JOB_FIELDS = "name,done,error(code,message),metadata(state,batchStats/requestCount,output(responsesFile))"
STORAGE = "/storage/v1/b"
DATASETS = "/bigquery/v2/projects/p/datasets"


@pytest.fixture
def vertex(tmp_path: Path) -> Iterator[Vertex]:
    vertex = Vertex(tmp_path / "vertex.db")
    vertex.ok("POST", STORAGE, params={"project": "p"}, json={"name": BUCKET})
    vertex.ok("POST", DATASETS, json={"datasetReference": {"projectId": "p", "datasetId": "d"}})
    yield vertex
    vertex.http.close()


NEW = [
    ("/v1beta/batches", "nope", "nope"),
    ("/v1beta/batches", "operations(name,metadata/stage)", "operations.metadata.stage"),
    ("/v1beta/batches", "operations/metadata.batch_stats.rows", "operations.metadata.batchStats.rows"),
    ("/v1beta/batches", "nextPageToken,operations/name/first", "operations.name.first"),
    ("/v1/files", "files(name,colour)", "files.colour"),
    (JOBS, "batchPredictionJobs(name,stats)", "batchPredictionJobs.stats"),
    (JOBS, "batchPredictionJobs/inputConfig/gcsSource/uri", "batchPredictionJobs.inputConfig.gcsSource.uri"),
]
OLD = [
    (STORAGE + "?project=p", "items(name,colour)", "items.colour"),
    (OBJECTS, "items/nope,nextPageToken", "items.nope"),
    (f"{STORAGE}/{BUCKET}", "Name", "Name"),
    (DATASETS, "tables", "tables"),
    (f"{DATASETS}/d", "datasetReference/table", "datasetReference.table"),
]


@pytest.mark.parametrize(("path", "fields", "unknown"), NEW)
def test_an_unknown_path_is_refused(vertex: Vertex, path: str, fields: str, unknown: str) -> None:
    error = vertex.refused(400, "GET", path, params={"fields": fields})
    words = f"Error expanding 'fields' parameter. Cannot find matching fields for path '{unknown}'."
    assert (error["message"], error["status"]) == (words, "INVALID_ARGUMENT")
    [detail] = error["details"]
    assert detail["fieldViolations"] == [{"field": unknown, "description": words}]


@pytest.mark.parametrize(("path", "fields", "unknown"), OLD)
def test_older_apis_refuse_an_unknown_path_in_their_format(
    vertex: Vertex, path: str, fields: str, unknown: str
) -> None:
    joint = "&" if "?" in path else "?"
    error = vertex.refused(400, "GET", f"{path}{joint}fields={fields}")
    place = {"locationType": "parameter", "location": "fields", "domain": "global", "reason": "invalidParameter"}
    assert error["errors"] == [{"message": f"Invalid field selection {unknown}", **place}]


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/v1beta/batches", f"nextPageToken,operations({JOB_FIELDS})"),
        ("/v1beta/batches", "*"),
        ("/v1beta/batches", "operations/*/state"),
        ("/v1beta/files", "files(name,size_bytes),nextPageToken"),
        (JOBS, "batchPredictionJobs(name,labels/any,modelParameters/x,error.details/x)"),
        (OBJECTS, "items(name,metadata/mine,owner/entity),prefixes"),
        (f"{DATASETS}/d/tables", "tables(id,tableReference/x)"),
    ],
)
def test_every_path_of_a_reply_is_accepted(vertex: Vertex, path: str, fields: str) -> None:
    vertex.ok("GET", path, params={"fields": fields})


def test_a_call_with_an_invalid_mask_has_no_effect(vertex: Vertex) -> None:
    vertex.refused(400, "POST", JOBS, params={"fields": "nope"}, json=body())
    vertex.refused(400, "POST", f"/v1/{MODEL}:batchGenerateContent", params={"fields": "batch"}, json={})
    assert vertex.listed() == []
    assert vertex.ok("GET", "/v1beta/batches") == {}


def test_a_dot_and_a_slash_are_equivalent(world: World) -> None:
    job = world.create()
    assert world.get(job, fields="metadata.batchStats.requestCount") == {
        "metadata": {"batchStats": {"requestCount": "1"}}
    }


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/v1beta/batches", "operations(name,done,metadata,error/message)", 200),
        ("/v1beta/batches", "operations(name,metadata(state))", 400),
        ("/v1beta/batches", "operations/response/responsesFile", 400),
        (JOBS, "batchPredictionJobs/error/details/x", 400),
        (OBJECTS, "items/metadata/mine", 200),
    ],
)
def test_a_setting_refuses_paths_into_an_any(vertex: Vertex, path: str, fields: str, status: int) -> None:
    assert vertex.http.get(path, params={"fields": fields}).status_code == 200
    vertex.http.put("/_emulator/settings", json={"fieldsInAny": "refuse"}).raise_for_status()
    assert vertex.http.get(path, params={"fields": fields}).status_code == status


def test_content_has_no_fields(vertex: Vertex) -> None:
    upload: dict[str, Any] = {"uploadType": "media", "name": "x"}
    vertex.ok("POST", f"/upload{OBJECTS}", params=upload, content=b"bytes")
    assert vertex.http.get(f"{OBJECTS}/x", params={"alt": "media", "fields": "nope"}).content == b"bytes"


@pytest.mark.parametrize("mask", ["input_config.nope", "name,error.words"])
def test_a_read_mask_is_known_at_every_level(vertex: Vertex, mask: str) -> None:
    assert "invalid read mask path" in vertex.refused(400, "GET", JOBS, params={"readMask": mask})["message"]
