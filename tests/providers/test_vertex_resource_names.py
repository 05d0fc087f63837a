from __future__ import annotations

import pytest

from batchctl.model.errors import BadRequest
from batchctl.providers.vertex.resource_names import (
    full_model,
    job_path,
    jobs_path,
    operation_path,
    own_job,
    read_job_name,
    short_model,
)
from tests.support.scripted_vertex import ACCOUNT, JOB, OPERATION, PARENT, PLACE
from tests.support.values import replace

JOBS = "batchPredictionJobs"


@pytest.mark.parametrize(
    "name",
    ["4567", JOB, f"projects/my-project/locations/us-central1/{JOBS}/4567"],
    ids=["id", "with the project's number", "with the project's id"],
)
def test_all_ways_to_write_a_job_lead_to_one_path(name):
    assert job_path(name, ACCOUNT, ":cancel") == f"{PARENT}/{JOBS}/4567:cancel".removeprefix("/v1")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x",
        "4567 ",
        "\uff14\uff15\uff16\uff17",
        "4567:cancel",
        "4567/../x",
        "batches/4567",
        "9" * 26,
        f"{JOB}\n",
        f"{JOB}/x",
        f"/{JOB}",
        f"v1/{JOB}",
        f"{PLACE}/{JOBS}/",
        f"{PLACE}/{JOBS}/abc",
        f"{PLACE}/customJobs/4567",
        f"projects/../locations/us-central1/{JOBS}/4567",
        f"projects/a/b/locations/us-central1/{JOBS}/4567",
    ],
)
def test_what_is_no_name_is_refused_before_a_call(name):
    with pytest.raises(BadRequest) as caught:
        job_path(name, ACCOUNT)
    assert caught.value.code == "InvalidName"
    assert "batchPredictionJobs" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "word", "project"),
    [
        (f"projects/123456/locations/europe-west1/{JOBS}/4567", "europe-west1", "my-project"),
        (f"projects/other/locations/us-central1/{JOBS}/4567", "other", "my-project"),
        (f"projects/999/locations/us-central1/{JOBS}/4567", "999", "123456"),
        (f"projects/my-project/locations/us-central1/{JOBS}/4567", "my-project", "123456"),
    ],
)
def test_a_job_of_another_location_is_refused_without_a_call(name, word, project):
    with pytest.raises(BadRequest, match="this provider uses") as caught:
        own_job(name, replace(ACCOUNT, project=project))
    assert caught.value.code == "InvalidName"
    assert word in caught.value.message
    assert "provider" in caught.value.hint


@pytest.mark.parametrize("project", ["123456", "example.com:my-project", "My_Project"])
def test_projects_as_they_may_be_written(project):
    account = replace(ACCOUNT, project=project)
    assert jobs_path(account) == f"/projects/{project}/locations/us-central1/{JOBS}"
    assert own_job(f"projects/{project}/locations/us-central1/{JOBS}/1", account).id == "1"


@pytest.mark.parametrize(
    ("project", "location"),
    [
        ("", "us-central1"),
        ("..", "us-central1"),
        ("a/b", "us-central1"),
        ("p", ""),
        ("p", "a/b"),
        ("p", ".."),
        ("p q", "l"),
    ],
)
def test_an_account_that_makes_no_path(project, location):
    with pytest.raises(BadRequest) as caught:
        jobs_path(replace(ACCOUNT, project=project, location=location))
    assert caught.value.code == "InvalidName"


@pytest.mark.parametrize("name", [None, 5, "", "4567", [JOB]])
def test_only_full_names_are_read_from_replies(name):
    assert read_job_name(name) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (OPERATION, f"/{OPERATION}"),
        (f"{JOB}/operations/7", f"/{JOB}/operations/7"),
        ("projects/1/locations/elsewhere/operations/7", None),
        (f"{OPERATION}?x", None),
        (f"{PLACE}/operations/..", None),
        (None, None),
        (7, None),
    ],
)
def test_operations(name, expected):
    assert operation_path(name, ACCOUNT) == expected


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gemini-2.5-flash", "publishers/google/models/gemini-2.5-flash"),
        ("publishers/google/models/x", "publishers/google/models/x"),
        ("projects/p/locations/l/models/1", "projects/p/locations/l/models/1"),
        ("models/x", "models/x"),
        ("meta/llama-3", "publishers/meta/models/llama-3"),
        ("meta/llama/3", "publishers/meta/models/llama/3"),
    ],
)
def test_models(model, expected):
    assert full_model(model) == expected


@pytest.mark.parametrize("model", ["", " ", "a..b", "x?y", "x&y"])
def test_what_cannot_be_a_model(model):
    with pytest.raises(BadRequest) as caught:
        full_model(model)
    assert caught.value.code == "InvalidModel"


@pytest.mark.parametrize(
    ("full", "short"),
    [("publishers/google/models/x", "x"), ("publishers/meta/models/x", "publishers/meta/models/x"), ("", "")],
)
def test_short_models(full, short):
    assert short_model(full) == short
