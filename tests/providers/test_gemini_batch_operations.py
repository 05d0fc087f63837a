from __future__ import annotations

from datetime import UTC, datetime

import pytest

from batchctl.model.errors import BadReply, BadRequest
from batchctl.model.observed import RemoteJob, RowCounts, Status
from batchctl.providers.gemini.batch_operations import remote_job
from batchctl.providers.gemini.resource_paths import is_file_name, is_job_name, job_path, model_path
from batchctl.providers.job_members import job_state
from tests.support.scripted_api import ACCOUNT, JOB, MARK, operation

CREATED = datetime(2025, 12, 10, 18, 27, 1, 407650, UTC)


def read(value) -> RemoteJob:
    return remote_job(value, ACCOUNT, "batches.get")


def test_a_pending_job():
    assert read(operation()) == RemoteJob(
        name=JOB,
        account=ACCOUNT,
        display_name=f"Translate {MARK}",
        mark=MARK,
        state="JOB_STATE_PENDING",
        model="gemini-2.5-flash",
        create_time=CREATED,
        rows=RowCounts(total=3, ok=None, failed=None),
    )


def test_a_finished_job():
    stats = {"requestCount": "2", "successfulRequestCount": "1", "failedRequestCount": "1"}
    found = read(
        operation("BATCH_STATE_SUCCEEDED", done=True, metadata={"endTime": "2025-12-10T19:00:00Z", "batchStats": stats})
    )
    assert found.state == "JOB_STATE_SUCCEEDED"
    assert found.end_time == datetime(2025, 12, 10, 19, tzinfo=UTC)
    assert found.rows == RowCounts(2, 1, 1)


def test_a_failed_job_says_why():
    found = read(operation("BATCH_STATE_FAILED", done=True, error={"code": 13, "message": "it\nbroke " + "x" * 999}))
    assert found.state == "JOB_STATE_FAILED"
    assert found.error is not None
    assert (found.error.code, found.error.message[:11], len(found.error.message)) == (13, "it broke xx", 256)


@pytest.mark.parametrize(
    ("state", "stats", "expected"),
    [
        ("SUCCEEDED", {"requestCount": "3", "successfulRequestCount": "3"}, RowCounts(3, 3, 0)),
        ("FAILED", {"requestCount": "3"}, RowCounts(3, 0, 0)),
        ("SUCCEEDED", {}, RowCounts()),
        ("SUCCEEDED", {"successfulRequestCount": "3"}, RowCounts(None, 3, None)),
        ("RUNNING", {"requestCount": "3", "successfulRequestCount": "1"}, RowCounts(3, 1, None)),
        ("SUCCEEDED", {"requestCount": 3, "failedRequestCount": 0}, RowCounts(3, 0, 0)),
        ("SUCCEEDED", {"requestCount": "-1"}, RowCounts()),
        ("SUCCEEDED", {"requestCount": True, "failedRequestCount": 1.5}, RowCounts()),
        ("SUCCEEDED", {"requestCount": "9" * 19}, RowCounts()),
        ("SUCCEEDED", {"requestCount": "3", "failedRequestCount": "many"}, RowCounts(3, 0, None)),
        ("SUCCEEDED", "odd", RowCounts()),
    ],
)
def test_row_counts(state, stats, expected):
    assert read(operation(f"BATCH_STATE_{state}", metadata={"batchStats": stats})).rows == expected


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        ("BATCH_STATE_RUNNING", "JOB_STATE_RUNNING"),
        ("JOB_STATE_RUNNING", "JOB_STATE_RUNNING"),
        ("BATCH_STATE_DREAMING", "JOB_STATE_DREAMING"),
        ("SOMETHING", "SOMETHING"),
        (None, "JOB_STATE_UNSPECIFIED"),
        ("", "JOB_STATE_UNSPECIFIED"),
        (3, "JOB_STATE_UNSPECIFIED"),
        ("lower case\x1b", "JOB_STATE_UNSPECIFIED"),
        ("X" * 65, "JOB_STATE_UNSPECIFIED"),
    ],
)
def test_states(wire, expected):
    assert job_state(wire) == expected


@pytest.mark.parametrize(
    "value",
    [
        None,
        "x",
        [],
        {},
        {"name": 5},
        {"name": ""},
        {"name": "batches/"},
        {"name": "batches/a/b"},
        {"name": "batches/.."},
        {"name": "batches/a b"},
        {"name": "operations/a"},
        {"name": "batches/é"},
        {"name": "batches/a\n"},
    ],
)
def test_a_job_without_a_usable_name_is_a_bad_reply(value):
    with pytest.raises(BadReply):
        read(value)


@pytest.mark.parametrize(
    "metadata",
    [
        {"state": 5, "displayName": "", "model": [], "createTime": 7, "endTime": "soon", "batchStats": []},
        {"state": None, "displayName": None, "model": None},
    ],
)
def test_wrong_types_elsewhere_leave_the_job_in_sight(metadata):
    found = read({"name": JOB, "metadata": metadata, "error": "odd"})
    assert found == RemoteJob(JOB, ACCOUNT, display_name="", mark=None, state="JOB_STATE_UNSPECIFIED")


@pytest.mark.parametrize("metadata", [None, "odd", [], {}, {"displayName": 5}, {"displayName": []}, {"displayName": 0}])
def test_a_job_that_does_not_show_its_display_name_is_a_bad_reply(metadata):
    """It may be the job whose mark batchctl searches for."""
    with pytest.raises(BadReply, match="owner is unknown"):
        read({"name": JOB, "metadata": metadata})


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"code": 8}, Status(8, "")),
        ({"code": "8", "message": "m"}, Status(None, "m")),
        ({"code": True, "message": 5}, Status(None, "")),
        ({"code": 2**40}, Status(None, "")),
        ({"code": -1}, Status(None, "")),
        ([], None),
    ],
)
def test_errors_of_jobs(error, expected):
    assert read(operation(error=error)).error == expected


def test_a_display_name_can_always_be_stored():
    found = read(operation(metadata={"displayName": "\ud800 x"}))
    assert found.display_name == "? x"
    assert found.display_name.encode()


@pytest.mark.parametrize("name", ["x", "", "batches/", "batches/a/b", "batches/a?x", "batches/a:cancel", "files/a"])
def test_a_bad_job_name_is_refused_before_a_call(name):
    assert not is_job_name(name)
    with pytest.raises(BadRequest) as caught:
        job_path(name)
    assert caught.value.code == "InvalidName"


def test_job_and_file_names():
    assert job_path(JOB, ":cancel") == f"/{JOB}:cancel"
    assert is_file_name("files/batch-" + "a" * 36)
    assert not is_file_name("files/../batches")
    assert not is_file_name(None)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gemini-2.5-flash", "models/gemini-2.5-flash"),
        ("models/gemini-2.5-flash", "models/gemini-2.5-flash"),
        ("tunedModels/mine-1", "tunedModels/mine-1"),
        ("a#b%2e:x y\\é\ud800", "models/a%23b%252e%3Ax%20y%5C%C3%A9%3F"),
    ],
)
def test_model_paths(model, expected):
    assert model_path(model, ":m") == f"/{expected}:m"


@pytest.mark.parametrize("model", ["", "  ", "..", "models/../files", "x?key=1", "x&y"])
def test_bad_models_are_refused_before_a_call(model):
    with pytest.raises(BadRequest) as caught:
        model_path(model, ":m")
    assert caught.value.code == "InvalidModel"
