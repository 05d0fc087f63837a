from __future__ import annotations

from datetime import UTC, datetime

import pytest

from batchctl.model.errors import BadReply
from batchctl.model.observed import RemoteJob, RowCounts, Status
from batchctl.model.states import GOOD_STATES, JobState, is_terminal
from batchctl.providers.vertex.prediction_jobs import READ_MASK, remote_job
from tests.support.scripted_api import MARK
from tests.support.scripted_vertex import ACCOUNT, JOB, PLACE, job

CREATED = datetime(2026, 11, 22, 11, 0, 0, 153782, UTC)


def read(value) -> RemoteJob:
    return remote_job(value, ACCOUNT, "w")


def test_a_pending_job():
    assert read(job()) == RemoteJob(
        name=JOB,
        account=ACCOUNT,
        display_name="Translate",
        mark=MARK,
        state="JOB_STATE_PENDING",
        model="gemini-2.5-flash",
        create_time=CREATED,
    )


def test_a_finished_job():
    found = read(
        job(
            "JOB_STATE_PARTIALLY_SUCCEEDED",
            startTime="2026-11-22T11:05:00.000001Z",
            endTime="2026-11-22T12:00:00Z",
            completionStats={"successfulCount": "8", "failedCount": "1", "incompleteCount": "1"},
        )
    )
    assert (found.state, is_terminal(found.state), found.state in GOOD_STATES) == (
        "JOB_STATE_PARTIALLY_SUCCEEDED",
        True,
        True,
    )
    assert found.start_time == datetime(2026, 11, 22, 11, 5, 0, 1, UTC)
    assert found.end_time == datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert found.rows == RowCounts(10, 8, 1)


def test_a_failed_job_says_why():
    message = "Failed to import data.\n" + "x" * 999
    found = read(job("JOB_STATE_FAILED", error={"code": 3, "message": message}))
    assert found.error is not None
    assert (found.error.code, found.error.message[:24], len(found.error.message)) == (
        3,
        "Failed to import data. x",
        256,
    )


@pytest.mark.parametrize("state", list(JobState))
def test_every_state_is_kept(state):
    assert read(job(state.value)).state == state


def test_what_is_read_is_what_a_list_asks_for():
    asked = READ_MASK.split(",")
    full = job("JOB_STATE_FAILED", startTime="2026-11-22T11:05:00Z", endTime="2026-11-22T12:00:00Z", error={"code": 3})
    full["completionStats"] = {"successfulCount": "8"}
    assert read({name: value for name, value in full.items() if name in asked}) == read(full)
    for name in asked:
        less = {key: value for key, value in full.items() if key != name}
        if name == "name":
            with pytest.raises(BadReply):
                read(less)
        else:
            assert read(less) != read(full), name


@pytest.mark.parametrize(
    ("state", "stats", "expected"),
    [
        ("SUCCEEDED", {"successfulCount": "3"}, RowCounts(3, 3, 0)),
        ("SUCCEEDED", {"successfulCount": 2, "failedCount": 1}, RowCounts(3, 2, 1)),
        ("CANCELLED", {"successfulCount": "2", "incompleteCount": "-1"}, RowCounts(None, 2, 0)),
        ("RUNNING", {"successfulCount": "2"}, RowCounts(None, 2, None)),
        ("RUNNING", {"successfulCount": "2", "failedCount": "0", "incompleteCount": "5"}, RowCounts(7, 2, 0)),
        ("FAILED", {"successfulCount": "-1", "failedCount": "-1", "incompleteCount": "-1"}, RowCounts()),
        ("FAILED", {"successfulForecastPointCount": "1"}, RowCounts(0, 0, 0)),
        ("SUCCEEDED", {"successfulCount": True}, RowCounts(None, None, 0)),
        ("SUCCEEDED", {"successfulCount": "many", "failedCount": "9" * 19}, RowCounts()),
        ("SUCCEEDED", {}, RowCounts()),
        ("SUCCEEDED", None, RowCounts()),
        ("SUCCEEDED", "odd", RowCounts()),
    ],
)
def test_row_counts(state, stats, expected):
    assert read(job(f"JOB_STATE_{state}", completionStats=stats)).rows == expected


@pytest.mark.parametrize(
    "name",
    [
        None,
        5,
        "",
        "4567",
        "batches/a",
        f"{PLACE}/batchPredictionJobs/abc",
        f"{JOB}\n",
        JOB.replace("us-central1", "us-east1"),
    ],
)
def test_a_job_without_a_name_of_this_place_is_a_bad_reply(name):
    with pytest.raises(BadReply):
        read(job(name=name))


@pytest.mark.parametrize("value", [None, "x", [], {}, 5])
def test_what_is_no_job(value):
    with pytest.raises(BadReply):
        read(value)


@pytest.mark.parametrize("labels", ["odd", ["batchctl-job"], 5, True])
def test_a_job_that_does_not_show_its_labels_is_a_bad_reply(labels):
    """It may be the job whose mark batchctl searches for."""
    with pytest.raises(BadReply, match="owner is unknown"):
        read(job(labels=labels))


@pytest.mark.parametrize("labels", [None, {}, {"team": "search"}, {"team": 5, "batchctl-job": ["x"]}])
def test_labels_without_a_mark(labels):
    assert read(job(labels=labels)).mark is None


def test_wrong_types_elsewhere_leave_the_job_in_sight():
    odd = {
        "state": 5,
        "displayName": [],
        "model": {},
        "createTime": 7,
        "endTime": "soon",
        "startTime": True,
        "error": "odd",
    }
    assert read({"name": JOB, **odd}) == RemoteJob(
        JOB, ACCOUNT, display_name="", mark=None, state="JOB_STATE_UNSPECIFIED"
    )


@pytest.mark.parametrize(
    ("error", "expected"),
    [({"code": 8}, Status(8, "")), ({"code": "8", "message": "m"}, Status(None, "m")), ([], None)],
)
def test_errors_of_jobs(error, expected):
    assert read(job(error=error)).error == expected
