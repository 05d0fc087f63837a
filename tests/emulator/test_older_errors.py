"""Errors of Cloud Storage and BigQuery have the older format in every layer of the emulator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from batchctl.emulator.settings import Settings
from tests.support.cloud_calls import OBJECTS, Plane

DATASETS = "/bigquery/v2/projects/p/datasets"
UPLOAD = f"/upload{OBJECTS}?uploadType=media&name=a"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Plane]:
    world = Plane(tmp_path / "emulator.db", settings=Settings(max_body=100, max_file=200))
    yield world
    world.http.close()


@pytest.mark.parametrize("path", [OBJECTS, DATASETS])
@pytest.mark.parametrize(
    ("headers", "query", "reason"),
    [
        ({"authorization": ""}, {}, "required"),
        ({"authorization": "Basic t"}, {}, "required"),
        ({"authorization": "Bearer expired-1"}, {}, "authError"),
        ({"authorization": ""}, {"access_token": "expired-1"}, "authError"),
    ],
)
def test_unauthenticated_calls_have_the_older_format(
    world: Plane, path: str, headers: dict[str, str], query: dict[str, str], reason: str
) -> None:
    error = world.refused(401, "GET", path, headers=headers, params=query)
    [item] = error["errors"]
    place = {"locationType": "header", "location": "Authorization"}
    assert item == {"message": error["message"], "domain": "global", "reason": reason, **place}
    assert error.get("status") == ("UNAUTHENTICATED" if path == DATASETS else None)


def test_bodies_that_are_too_large_have_the_older_format(world: Plane) -> None:
    for path, size in ((DATASETS, 101), (UPLOAD, 201)):
        assert world.refused(400, "POST", path, content=b"x" * size)["errors"][0]["reason"] == "invalid"


@pytest.mark.parametrize(
    ("status", "reason"), [(403, "forbidden"), (429, "rateLimitExceeded"), (500, "backendError"), (503, "backendError")]
)
def test_status_faults_have_the_older_format(world: Plane, status: int, reason: str) -> None:
    for when in ("before", "after"):
        world.faults({"method": "*", "kind": "status", "status": status, "message": "m", "when": when})
        for path in (OBJECTS, DATASETS):
            error = world.refused(status, "GET", path)
            assert (error["message"], [item["reason"] for item in error["errors"]]) == ("m", [reason])
        assert "errors" not in world.refused(status, "GET", "/v1beta/batches")


def test_a_fault_keeps_its_name_and_retry_delay(world: Plane) -> None:
    world.faults({"method": "*", "kind": "status", "status": 429, "name": "ABORTED", "retryInfo": "7s", "message": "m"})
    error = world.refused(429, "GET", OBJECTS)
    assert (error["status"], error["details"][-1]["retryDelay"]) == ("ABORTED", "7s")
    assert error["errors"][0]["reason"] == "rateLimitExceeded"


def test_newer_apis_keep_their_format(world: Plane) -> None:
    error = world.refused(
        401, "GET", "/v1/projects/p/locations/us-central1/batchPredictionJobs", headers={"authorization": ""}
    )
    assert ("errors" in error, error["status"]) == (False, "UNAUTHENTICATED")
