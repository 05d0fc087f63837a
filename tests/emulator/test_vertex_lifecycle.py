from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from batchctl.emulator.bigquery.tables import Column, add_dataset, create_table
from batchctl.emulator.clock import HOUR
from batchctl.emulator.lifecycle import Fate, Limits, State, Timeline, progress
from batchctl.emulator.row_outcomes import RowOutcome, RowRule
from batchctl.emulator.rules import Course
from batchctl.emulator.settings import Settings
from tests.support.vertex_calls import MODEL, TABLE, Vertex, asked, from_gcs, to_table

LIMITS = Limits(wait=1000, run=500)
NORMAL = Timeline(100, 10, 20, 5, limits=LIMITS)
STUCK = Timeline(100, 10, 20, 5, Fate.STUCK, limits=LIMITS)
LONG_WAIT = Timeline(100, 1001, 20, 5, limits=LIMITS)
LONG_RUN = Timeline(100, 10, 501, 5, limits=LIMITS)
PARTIAL = Timeline(100, 10, 20, 5, Fate.PARTIAL, limits=LIMITS)
CANCELLED = Timeline(100, 10, 20, 5, cancelled=125, limits=LIMITS, asked=115)
CANCELLED_EARLY = Timeline(100, 10, 20, 5, cancelled=115, limits=LIMITS, asked=105)
LOST = Timeline(100, 10, 20, 5, Fate.CANCEL_LOST, limits=LIMITS, asked=115)
PAUSED = Timeline(100, 0, 20, 5, limits=LIMITS, fixed_state=State.PAUSED)
QUEUED = Timeline(100, 0, 20, 5, limits=LIMITS, fixed_state=State.QUEUED)


@pytest.mark.parametrize(
    ("line", "now", "state", "started", "ended"),
    [
        (NORMAL, 129, State.RUNNING, 110, None),
        (NORMAL, 130, State.SUCCEEDED, 110, 130),
        (STUCK, 1099, State.PENDING, None, None),
        (STUCK, 1100, State.EXPIRED, None, 1100),
        (LONG_WAIT, 1100, State.EXPIRED, None, 1100),
        (LONG_RUN, 609, State.RUNNING, 110, None),
        (LONG_RUN, 610, State.FAILED, 110, 610),
        (PARTIAL, 130, State.PARTIALLY_SUCCEEDED, 110, 130),
        (CANCELLED, 114, State.RUNNING, 110, None),
        (CANCELLED, 115, State.CANCELLING, 110, None),
        (CANCELLED, 125, State.CANCELLED, 110, 125),
        (CANCELLED_EARLY, 104, State.PENDING, None, None),
        (CANCELLED_EARLY, 112, State.CANCELLING, None, None),
        (CANCELLED_EARLY, 500, State.CANCELLED, None, 115),
        (LOST, 120, State.CANCELLING, 110, None),
        (LOST, 130, State.SUCCEEDED, 110, 130),
        (PAUSED, 9999, State.PAUSED, 100, None),
        (QUEUED, 9999, State.QUEUED, None, None),
    ],
)
def test_the_state_of_a_job_over_time(
    line: Timeline, now: int, state: State, started: int | None, ended: int | None
) -> None:
    found = progress(line, now)
    assert (found.state, found.started, found.ended) == (state, started, ended)


def test_a_course_is_stored_completely() -> None:
    rule = RowRule("*", (RowOutcome("finishReason", '"STOP"'),))
    course = Course(1, 2, Fate.ROWS, (rule,), (3, "e"), LIMITS, State.PAUSED)
    assert Course.from_json(course.to_json()) == course
    assert Course.from_json(Course(1, 2).to_json()) == Course(1, 2)


@pytest.mark.parametrize(
    ("rule", "times", "states"),
    [
        ({"fate": "stuck"}, ["71h", "59m", "1m"], ["PENDING", "PENDING", "EXPIRED"]),
        ({"pending": "73h"}, ["72h"], ["EXPIRED"]),
        ({"pending": "72h"}, ["71h", "1h", "2s"], ["PENDING", "RUNNING", "SUCCEEDED"]),
        ({"fate": "fail"}, ["2s", "1s"], ["RUNNING", "FAILED"]),
        ({"fate": "expire"}, ["3s"], ["EXPIRED"]),
        ({"fate": "partial"}, ["2s", "1s"], ["RUNNING", "PARTIALLY_SUCCEEDED"]),
        ({"running": "24h"}, ["23h", "1h", "1s"], ["RUNNING", "RUNNING", "SUCCEEDED"]),
        ({"running": "48h"}, ["23h", "59m", "1m", "1s"], ["RUNNING", "RUNNING", "RUNNING", "FAILED"]),
        ({"match": {"model": "gemini-2.5-*"}, "fate": "fail"}, ["3s"], ["FAILED"]),
        ({"match": {"model": "publishers/google/*"}, "fate": "fail"}, ["3s"], ["FAILED"]),
        ({"match": {"displayName": "other"}, "fate": "fail"}, ["3s"], ["SUCCEEDED"]),
    ],
)
def test_rules_decide_the_course(vertex: Vertex, rule: dict[str, Any], times: list[str], states: list[str]) -> None:
    vertex.rules(rule)
    job = vertex.make()
    seen = []
    for time in times:
        vertex.pass_time(time)
        seen.append(vertex.state_of(job))
    assert seen == states


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ({"fate": "fail"}, {"code": 13, "message": "A rule of the emulator fails this job."}),
        ({"running": "48h"}, {"code": 4, "message": "The job did not finish within the maximum running time."}),
        ({"fate": "expire"}, None),
        ({"fate": "partial"}, None),
    ],
)
def test_only_failed_jobs_have_an_error(vertex: Vertex, rule: dict[str, Any], error: Any) -> None:
    vertex.rules(rule)
    job = vertex.make()
    vertex.pass_time("100h")
    assert vertex.see(job).get("error") == error


@pytest.mark.parametrize(
    ("settings", "state"),
    [(Settings(), "FAILED"), (Settings(overdue=State.PARTIALLY_SUCCEEDED), "PARTIALLY_SUCCEEDED")],
)
def test_an_overdue_job_keeps_its_processed_rows(tmp_path: Path, settings: Settings, state: str) -> None:
    vertex = Vertex(tmp_path / "overdue.db", settings)
    vertex.rules({"running": "48h"})
    job = vertex.make()
    vertex.pass_time("25h")
    done = vertex.see(job)
    assert done["state"] == f"JOB_STATE_{state}"
    assert done["completionStats"] == {"successfulCount": "2", "incompleteCount": "2"}
    assert [sorted(line) for line in vertex.output(job)] == [
        ["request"],
        ["request"],
        *[["processed_time", "request", "response", "status"]] * 2,
    ]
    vertex.http.close()


def test_a_job_may_partially_succeed(vertex: Vertex) -> None:
    vertex.rules({"fate": "partial"})
    vertex.put("three.jsonl", *map(asked, "abc"))
    job = vertex.make(inputConfig=from_gcs("gs://in/three.jsonl"))
    assert vertex.end(job)["completionStats"] == {"successfulCount": "2", "incompleteCount": "1"}
    assert ["response" in line for line in vertex.output(job)] == [False, True, True]


def test_a_cancelled_job_keeps_its_processed_rows(vertex: Vertex) -> None:
    job = vertex.make()
    vertex.pass_time("2s")
    vertex.cancel(job)
    asked_for = vertex.see(job)
    assert (asked_for["state"], asked_for["updateTime"]) == ("JOB_STATE_CANCELLING", "2026-03-01T12:00:02.000000Z")
    assert "endTime" not in asked_for
    vertex.cancel(job)
    vertex.pass_time("1s")
    done = vertex.see(job)
    assert (done["state"], done["endTime"]) == ("JOB_STATE_CANCELLED", "2026-03-01T12:00:03.000000Z")
    assert done["error"] == {"code": 1, "message": "The job was cancelled."}
    assert "completionStats" not in done
    lines = vertex.output(job)
    assert [line["request"]["contents"][0]["parts"][0]["text"] for line in lines] == ["c", "d", "a", "b"]
    assert ["response" in line for line in lines] == [False, False, True, True]
    assert lines[0] == asked("c")


def test_a_job_cancelled_while_it_waits_has_no_output(vertex: Vertex) -> None:
    job = vertex.make()
    vertex.cancel(job)
    assert vertex.state_of(job) == "CANCELLING"
    done = vertex.end(job)
    assert done["state"] == "JOB_STATE_CANCELLED"
    assert done.keys().isdisjoint({"outputInfo", "startTime", "completionStats"})
    assert vertex.outputs() == {}


@pytest.mark.parametrize(
    ("fate", "states"),
    [
        ("cancelSlow", ["CANCELLING", "CANCELLING", "CANCELLED"]),
        ("cancelLost", ["CANCELLING", "SUCCEEDED", "SUCCEEDED"]),
    ],
)
def test_a_cancel_may_be_slow_or_lost(vertex: Vertex, fate: str, states: list[str]) -> None:
    vertex.rules({"fate": fate, "running": "2m"})
    job = vertex.make()
    vertex.pass_time("61s")
    vertex.cancel(job)
    seen = []
    for time in ("1s", "1m", "1m"):
        vertex.pass_time(time)
        seen.append(vertex.state_of(job))
    assert seen == states


@pytest.mark.parametrize("refused", [True, False])
def test_cancelling_a_finished_job(tmp_path: Path, refused: bool) -> None:
    vertex = Vertex(tmp_path / "finished.db", Settings(cancel_finished_refused=refused))
    job = vertex.end(vertex.make())
    if refused:
        assert vertex.refused(400, "POST", f"/v1/{job['name']}:cancel")["status"] == "FAILED_PRECONDITION"
    else:
        assert vertex.ok("POST", f"/v1/{job['name']}:cancel", json={}) == {}
    assert vertex.see(job) == job
    vertex.http.close()


def test_a_rule_sets_the_error_of_a_failed_job(tmp_path: Path) -> None:
    vertex = Vertex(tmp_path / "failed.db")
    error = {"code": 7, "message": "Failed to export data."}
    vertex.rules({"fate": "fail", "error": error})
    assert vertex.end(vertex.make())["error"] == error
    vertex.http.close()


def test_a_failed_job_cannot_be_cancelled(tmp_path: Path) -> None:
    vertex = Vertex(tmp_path / "failed.db")
    failed, done = vertex.make(inputConfig=from_gcs("gs://none/x")), vertex.make()
    assert vertex.end(failed)["state"] == "JOB_STATE_FAILED"
    assert vertex.refused(400, "POST", f"/v1/{failed['name']}:cancel")["status"] == "FAILED_PRECONDITION"
    vertex.cancel(done)
    vertex.ok("PUT", "/_emulator/settings", json={"cancelFinished": "ignore"})
    vertex.cancel(failed)
    vertex.http.close()


BUCKET = "To create it in the emulator, write `buckets: {none: {}}` in .emulator.yaml."
DATASET = "To create it in the emulator, write `datasets: [p.none]` in .emulator.yaml."
BAD_INPUTS = [
    ({"inputConfig": from_gcs("gs://none/x")}, f"The bucket none of gs://none/x does not exist. {BUCKET}"),
    ({"inputConfig": from_gcs("gs://in/none")}, "The object gs://in/none does not exist."),
    ({"inputConfig": from_gcs("gs://in/rows.jsonl", "gs://in/none")}, "The object gs://in/none does not exist."),
    ({"inputConfig": from_gcs("gs://in/x*.jsonl")}, "No object matches gs://in/x*.jsonl."),
    ({"inputConfig": from_gcs("http://x")}, "'http://x' is not a Cloud Storage URI."),
    ({"inputConfig": from_gcs()}, "The input has no instances."),
    ({"inputConfig": from_gcs("gs://in/empty")}, "The input has no instances."),
    ({"inputConfig": from_gcs("gs://in/broken")}, "gs://in/broken, row 2 is not JSON: "),
    ({"inputConfig": from_gcs("gs://in/list")}, "gs://in/list, row 1 has no request."),
    ({"inputConfig": from_gcs("gs://in/text")}, "gs://in/text, row 1 has no request."),
    (
        {"inputConfig": from_gcs("gs://in/rows.jsonl"), "model": "publishers/google/models/text-embedding-005"},
        "gs://in/rows.jsonl, row 1 has no content.",
    ),
    ({"inputConfig": TABLE}, "The dataset p.d of bq://p.d.t was not found."),
    (
        {"inputConfig": {**TABLE, "bigquerySource": {"inputUri": "bq://p.e.none"}}},
        "The table bq://p.e.none was not found.",
    ),
    (
        {"inputConfig": {**TABLE, "bigquerySource": {"inputUri": "bq://p.e"}}},
        "'bq://p.e' does not name a BigQuery table.",
    ),
    ({"inputConfig": {**TABLE, "bigquerySource": {"inputUri": "p.e.t"}}}, "'p.e.t' is not a BigQuery URI."),
    (
        {"inputConfig": {**TABLE, "bigquerySource": {"inputUri": "bq://p.e.bare"}}},
        "The table bq://p.e.bare has no column request.",
    ),
    (
        {"inputConfig": {**TABLE, "bigquerySource": {"inputUri": "bq://p.e.taken"}}},
        "The table bq://p.e.taken has a column status, a name that is reserved.",
    ),
    (
        {
            "inputConfig": {
                "instancesFormat": "vertex-dataset",
                "vertexMultimodalDatasetSource": {"datasetName": "projects/p/locations/l/datasets/1"},
            }
        },
        "The dataset projects/p/locations/l/datasets/1 does not exist.",
    ),
    (
        {
            "inputConfig": {
                "instancesFormat": "vertex-dataset",
                "vertexMultimodalDatasetSource": {"datasetName": "mine"},
            }
        },
        "'mine' is not the name of a dataset.",
    ),
    (
        {"outputConfig": {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": "gs://none/x"}}},
        f"The bucket none of the destination gs://none/x does not exist. {BUCKET}",
    ),
    (
        {"outputConfig": to_table("bq://p.none.t")},
        f"The dataset p.none of the destination bq://p.none.t was not found. {DATASET}",
    ),
    (
        {"outputConfig": to_table("bq://p.none")},
        f"The dataset p.none of the destination bq://p.none was not found. {DATASET}",
    ),
    ({"outputConfig": to_table("bq://p.e.bare")}, "The destination table bq://p.e.bare already exists."),
    ({"outputConfig": to_table("gs://out/x")}, "'gs://out/x' is not a BigQuery URI."),
]


@pytest.mark.parametrize(("members", "text"), BAD_INPUTS)
def test_an_invalid_location_fails_the_job_and_not_the_call(vertex: Vertex, members: dict[str, Any], text: str) -> None:
    vertex.put("empty", b" \n\n")
    vertex.put("broken", asked("a"), b"{")
    vertex.put("list", [1])
    vertex.put("text", {"request": "x"})
    add_dataset(vertex.store, "p", "e", vertex.moment)
    create_table(vertex.store, "p", "e", "bare", [Column("text", "STRING")], vertex.moment)
    taken = [Column("request", "JSON"), Column("status", "STRING")]
    create_table(vertex.store, "p", "e", "taken", taken, vertex.moment)
    job = vertex.make(**members)
    assert job["state"] == "JOB_STATE_PENDING"
    vertex.pass_time("1s")
    assert vertex.state_of(job) == "RUNNING"
    vertex.pass_time("1s")
    failed = vertex.see(job)
    assert (failed["state"], failed["endTime"]) == ("JOB_STATE_FAILED", "2026-03-01T12:00:02.000000Z")
    assert failed["error"]["code"] == 3
    assert failed["error"]["message"].startswith(f"Failed to import data. {text}")
    assert failed["completionStats"] == {"incompleteCount": "-1"}
    assert "outputInfo" not in failed
    assert vertex.outputs() == {}


def test_too_many_rows_fail_the_job(tmp_path: Path) -> None:
    vertex = Vertex(tmp_path / "many.db", Settings(max_rows=3))
    assert vertex.end(vertex.make())["error"]["message"].endswith("The input has more than 3 instances.")
    vertex.put("three", *map(asked, "abc"))
    assert vertex.end(vertex.make(inputConfig=from_gcs("gs://in/three")))["state"] == "JOB_STATE_SUCCEEDED"
    vertex.http.close()


def test_a_job_reads_its_input_when_it_starts(vertex: Vertex) -> None:
    early, late = vertex.make(), None
    vertex.pass_time("2s")
    reply = vertex.http.delete("/storage/v1/b/in/o/rows.jsonl")
    assert reply.status_code == 204, reply.text
    late = vertex.make()
    assert vertex.end(early)["state"] == "JOB_STATE_SUCCEEDED"
    assert vertex.state_of(late) == "FAILED"


def test_an_input_created_before_the_start_is_read(vertex: Vertex) -> None:
    vertex.rules({"pending": "1h"})
    job = vertex.make(inputConfig=from_gcs("gs://in/later.jsonl"))
    vertex.pass_time("59m")
    vertex.put("later.jsonl", asked("late"))
    vertex.pass_time("2h")
    assert vertex.see(job)["completionStats"] == {"successfulCount": "1"}


@pytest.mark.parametrize("running", ["2s", "48h"])
def test_a_destination_deleted_during_the_run_fails_the_job(vertex: Vertex, running: str) -> None:
    vertex.rules({"running": running})
    job = vertex.make()
    vertex.pass_time("2s")
    assert vertex.state_of(job) == "RUNNING"
    assert vertex.http.delete("/storage/v1/b/out").status_code == 204
    vertex.pass_time("25h")
    failed = vertex.see(job)
    assert "The bucket out of the destination gs://out/here does not exist." in failed["error"]["message"]
    assert failed["completionStats"] == {"incompleteCount": "4"}


@pytest.mark.parametrize("reader_first", [True, False])
def test_a_job_can_read_the_output_of_another(vertex: Vertex, reader_first: bool) -> None:
    """Both jobs are read for the first time after their end."""
    vertex.rules({"match": {"displayName": "reader"}, "pending": "10s"})
    reader: dict[str, Any] = {"displayName": "reader", "inputConfig": from_gcs("gs://out/here/**/predictions.jsonl")}
    for members in (reader, {}) if reader_first else ({}, reader):
        vertex.make(**members)
    vertex.pass_time("1h")
    [job] = vertex.listed(filter="display_name=reader")
    assert job["completionStats"] == {"successfulCount": "4"}


def test_limits_are_fixed_at_creation(vertex: Vertex, tmp_path: Path) -> None:
    vertex.rules({"fate": "stuck"})
    old = vertex.make()
    vertex.seed(tmp_path, settings={"queueLimit": "1h"})
    new = vertex.make()
    vertex.pass_time("2h")
    assert (vertex.state_of(old), vertex.state_of(new)) == ("PENDING", "EXPIRED")
    assert Settings().queue_limit == 72 * HOUR
    assert old["model"] == MODEL
