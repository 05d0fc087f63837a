from __future__ import annotations

from collections.abc import Iterator
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


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Vertex]:
    world = Vertex(tmp_path / "emulator.db")
    yield world
    world.http.close()


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
def test_rules_decide_the_course(world: Vertex, rule: dict[str, Any], times: list[str], states: list[str]) -> None:
    world.rules(rule)
    job = world.make()
    seen = []
    for time in times:
        world.pass_time(time)
        seen.append(world.state_of(job))
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
def test_only_failed_jobs_have_an_error(world: Vertex, rule: dict[str, Any], error: Any) -> None:
    world.rules(rule)
    job = world.make()
    world.pass_time("100h")
    assert world.see(job).get("error") == error


@pytest.mark.parametrize(
    ("settings", "state"),
    [(Settings(), "FAILED"), (Settings(overdue=State.PARTIALLY_SUCCEEDED), "PARTIALLY_SUCCEEDED")],
)
def test_an_overdue_job_keeps_its_processed_rows(tmp_path: Path, settings: Settings, state: str) -> None:
    world = Vertex(tmp_path / "overdue.db", settings)
    world.rules({"running": "48h"})
    job = world.make()
    world.pass_time("25h")
    done = world.see(job)
    assert done["state"] == f"JOB_STATE_{state}"
    assert done["completionStats"] == {"successfulCount": "2", "incompleteCount": "2"}
    assert [sorted(line) for line in world.output(job)] == [
        ["request"],
        ["request"],
        *[["processed_time", "request", "response", "status"]] * 2,
    ]
    world.http.close()


def test_a_job_may_partially_succeed(world: Vertex) -> None:
    world.rules({"fate": "partial"})
    world.put("three.jsonl", *map(asked, "abc"))
    job = world.make(inputConfig=from_gcs("gs://in/three.jsonl"))
    assert world.end(job)["completionStats"] == {"successfulCount": "2", "incompleteCount": "1"}
    assert ["response" in line for line in world.output(job)] == [False, True, True]


def test_a_cancelled_job_keeps_its_processed_rows(world: Vertex) -> None:
    job = world.make()
    world.pass_time("2s")
    world.cancel(job)
    asked_for = world.see(job)
    assert (asked_for["state"], asked_for["updateTime"]) == ("JOB_STATE_CANCELLING", "2026-03-01T12:00:02.000000Z")
    assert "endTime" not in asked_for
    world.cancel(job)
    world.pass_time("1s")
    done = world.see(job)
    assert (done["state"], done["endTime"]) == ("JOB_STATE_CANCELLED", "2026-03-01T12:00:03.000000Z")
    assert done["error"] == {"code": 1, "message": "The job was cancelled."}
    assert "completionStats" not in done
    lines = world.output(job)
    assert [line["request"]["contents"][0]["parts"][0]["text"] for line in lines] == ["c", "d", "a", "b"]
    assert ["response" in line for line in lines] == [False, False, True, True]
    assert lines[0] == asked("c")


def test_a_job_cancelled_while_it_waits_has_no_output(world: Vertex) -> None:
    job = world.make()
    world.cancel(job)
    assert world.state_of(job) == "CANCELLING"
    done = world.end(job)
    assert done["state"] == "JOB_STATE_CANCELLED"
    assert done.keys().isdisjoint({"outputInfo", "startTime", "completionStats"})
    assert world.outputs() == {}


@pytest.mark.parametrize(
    ("fate", "states"),
    [
        ("cancelSlow", ["CANCELLING", "CANCELLING", "CANCELLED"]),
        ("cancelLost", ["CANCELLING", "SUCCEEDED", "SUCCEEDED"]),
    ],
)
def test_a_cancel_may_be_slow_or_lost(world: Vertex, fate: str, states: list[str]) -> None:
    world.rules({"fate": fate, "running": "2m"})
    job = world.make()
    world.pass_time("61s")
    world.cancel(job)
    seen = []
    for time in ("1s", "1m", "1m"):
        world.pass_time(time)
        seen.append(world.state_of(job))
    assert seen == states


@pytest.mark.parametrize("refused", [True, False])
def test_cancelling_a_finished_job(tmp_path: Path, refused: bool) -> None:
    world = Vertex(tmp_path / "finished.db", Settings(cancel_finished_refused=refused))
    job = world.end(world.make())
    if refused:
        assert world.refused(400, "POST", f"/v1/{job['name']}:cancel")["status"] == "FAILED_PRECONDITION"
    else:
        assert world.ok("POST", f"/v1/{job['name']}:cancel", json={}) == {}
    assert world.see(job) == job
    world.http.close()


def test_a_rule_sets_the_error_of_a_failed_job(tmp_path: Path) -> None:
    world = Vertex(tmp_path / "failed.db")
    error = {"code": 7, "message": "Failed to export data."}
    world.rules({"fate": "fail", "error": error})
    assert world.end(world.make())["error"] == error
    world.http.close()


def test_a_failed_job_cannot_be_cancelled(tmp_path: Path) -> None:
    world = Vertex(tmp_path / "failed.db")
    failed, done = world.make(inputConfig=from_gcs("gs://none/x")), world.make()
    assert world.end(failed)["state"] == "JOB_STATE_FAILED"
    assert world.refused(400, "POST", f"/v1/{failed['name']}:cancel")["status"] == "FAILED_PRECONDITION"
    world.cancel(done)
    world.ok("PUT", "/_emulator/settings", json={"cancelFinished": "ignore"})
    world.cancel(failed)
    world.http.close()


BAD_INPUTS = [
    ({"inputConfig": from_gcs("gs://none/x")}, "The bucket none of gs://none/x does not exist."),
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
        "The bucket none of the destination gs://none/x does not exist.",
    ),
    ({"outputConfig": to_table("bq://p.none.t")}, "The dataset p.none of the destination bq://p.none.t was not found."),
    ({"outputConfig": to_table("bq://p.none")}, "The dataset p.none of the destination bq://p.none was not found."),
    ({"outputConfig": to_table("bq://p.e.bare")}, "The destination table bq://p.e.bare already exists."),
    ({"outputConfig": to_table("gs://out/x")}, "'gs://out/x' is not a BigQuery URI."),
]


@pytest.mark.parametrize(("members", "text"), BAD_INPUTS)
def test_an_invalid_location_fails_the_job_and_not_the_call(world: Vertex, members: dict[str, Any], text: str) -> None:
    world.put("empty", b" \n\n")
    world.put("broken", asked("a"), b"{")
    world.put("list", [1])
    world.put("text", {"request": "x"})
    add_dataset(world.store, "p", "e", world.moment)
    create_table(world.store, "p", "e", "bare", [Column("text", "STRING")], world.moment)
    taken = [Column("request", "JSON"), Column("status", "STRING")]
    create_table(world.store, "p", "e", "taken", taken, world.moment)
    job = world.make(**members)
    assert job["state"] == "JOB_STATE_PENDING"
    world.pass_time("1s")
    assert world.state_of(job) == "RUNNING"
    world.pass_time("1s")
    failed = world.see(job)
    assert (failed["state"], failed["endTime"]) == ("JOB_STATE_FAILED", "2026-03-01T12:00:02.000000Z")
    assert failed["error"]["code"] == 3
    assert failed["error"]["message"].startswith(f"Failed to import data. {text}")
    assert failed["completionStats"] == {"incompleteCount": "-1"}
    assert "outputInfo" not in failed
    assert world.outputs() == {}


def test_too_many_rows_fail_the_job(tmp_path: Path) -> None:
    world = Vertex(tmp_path / "many.db", Settings(max_rows=3))
    assert world.end(world.make())["error"]["message"].endswith("The input has more than 3 instances.")
    world.put("three", *map(asked, "abc"))
    assert world.end(world.make(inputConfig=from_gcs("gs://in/three")))["state"] == "JOB_STATE_SUCCEEDED"
    world.http.close()


def test_a_job_reads_its_input_when_it_starts(world: Vertex) -> None:
    early, late = world.make(), None
    world.pass_time("2s")
    reply = world.http.delete("/storage/v1/b/in/o/rows.jsonl")
    assert reply.status_code == 204, reply.text
    late = world.make()
    assert world.end(early)["state"] == "JOB_STATE_SUCCEEDED"
    assert world.state_of(late) == "FAILED"


def test_an_input_created_before_the_start_is_read(world: Vertex) -> None:
    world.rules({"pending": "1h"})
    job = world.make(inputConfig=from_gcs("gs://in/later.jsonl"))
    world.pass_time("59m")
    world.put("later.jsonl", asked("late"))
    world.pass_time("2h")
    assert world.see(job)["completionStats"] == {"successfulCount": "1"}


@pytest.mark.parametrize("running", ["2s", "48h"])
def test_a_destination_deleted_during_the_run_fails_the_job(world: Vertex, running: str) -> None:
    world.rules({"running": running})
    job = world.make()
    world.pass_time("2s")
    assert world.state_of(job) == "RUNNING"
    assert world.http.delete("/storage/v1/b/out").status_code == 204
    world.pass_time("25h")
    failed = world.see(job)
    assert failed["error"]["message"].endswith("The bucket out of the destination gs://out/here does not exist.")
    assert failed["completionStats"] == {"incompleteCount": "4"}


@pytest.mark.parametrize("reader_first", [True, False])
def test_a_job_can_read_the_output_of_another(world: Vertex, reader_first: bool) -> None:
    """Both jobs are read for the first time after their end."""
    world.rules({"match": {"displayName": "reader"}, "pending": "10s"})
    reader: dict[str, Any] = {"displayName": "reader", "inputConfig": from_gcs("gs://out/here/**/predictions.jsonl")}
    for members in (reader, {}) if reader_first else ({}, reader):
        world.make(**members)
    world.pass_time("1h")
    [job] = world.listed(filter="display_name=reader")
    assert job["completionStats"] == {"successfulCount": "4"}


def test_limits_are_fixed_at_creation(world: Vertex, tmp_path: Path) -> None:
    world.rules({"fate": "stuck"})
    old = world.make()
    world.seed(tmp_path, settings={"queueLimit": "1h"})
    new = world.make()
    world.pass_time("2h")
    assert (world.state_of(old), world.state_of(new)) == ("PENDING", "EXPIRED")
    assert Settings().queue_limit == 72 * HOUR
    assert old["model"] == MODEL
