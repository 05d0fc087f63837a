from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from batchctl.emulator.bigquery.tables import Column, find_table
from batchctl.emulator.vertex.uris import BadPlace, read_bq
from tests.support.vertex_calls import TABLE, TO_GCS, Vertex, asked, from_gcs, to_table

LEGACY = "publishers/google/models/text-embedding-005"
REQUEST = Column("request", "JSON")
END = 1_772_366_403


COLUMNS = (
    Column("id", "INTEGER"),
    REQUEST,
    Column("seen", "TIMESTAMP"),
    Column("tags", "STRING", "REPEATED"),
    Column("deep", "RECORD", fields=(Column("x", "STRING"),)),
    Column("local", "DATETIME"),
    Column("spot", "GEOGRAPHY"),
    Column("span", "RANGE"),
)
ROWS = [
    {"id": 1, "request": asked("a")["request"], "seen": 5, "tags": ["t"], "deep": {"x": "y"}, "local": "l"},
    {"id": 2, "request": asked("b")["request"]},
    {"id": 3, "request": {"contents": [{"parts": [{"text": "x"}]}]}},
]


@pytest.mark.parametrize(
    ("uri", "dataset", "table"),
    [
        ("bq://p", "prediction_model_2026_03_01T12_00_03", "predictions_2026_03_01T12_00_03"),
        ("bq://p.d", "d", "predictions_2026_03_01T12_00_03"),
        ("bq://p.d.results", "d", "results"),
    ],
)
def test_a_table_is_written_to_a_table(vertex: Vertex, uri: str, dataset: str, table: str) -> None:
    vertex.fill(ROWS, *COLUMNS)
    job = vertex.end(vertex.make(inputConfig=TABLE, outputConfig=to_table(uri)))
    assert job["outputInfo"] == {"bigqueryOutputDataset": f"bq://p.{dataset}", "bigqueryOutputTable": table}
    assert job["completionStats"] == {"successfulCount": "2", "failedCount": "1"}
    made = find_table(vertex.store, "p", dataset, table)
    assert made is not None
    columns = [("id", "INTEGER"), ("request", "JSON"), ("seen", "TIMESTAMP"), ("response", "JSON")]
    columns += [("status", "STRING"), ("processed_time", "TIMESTAMP")]
    assert [(column.name, column.type) for column in made.schema] == columns
    rows = vertex.table_rows(dataset, table)
    assert [row["id"] for row in rows] == [3, 1, 2]
    assert "Please use a valid role" in rows[0]["status"]
    assert (rows[1]["seen"], rows[1]["status"], rows[1]["request"]) == (5, "", ROWS[0]["request"])
    assert rows[1]["response"]["modelVersion"] == "gemini-2.5-flash"
    assert rows[0]["processed_time"] == END * 1_000_000


OLD = "example.com:p"


@pytest.mark.parametrize(
    ("uri", "parts"),
    [
        ("bq://p.d.t", ("p", "d", "t")),
        (f"bq://{OLD}", (OLD, None, None)),
        (f"bq://{OLD}.d", (OLD, "d", None)),
        (f"bq://{OLD}.d.t", (OLD, "d", "t")),
        ("bq://a.b.example.com:p.d.t", ("a.b.example.com:p", "d", "t")),
        ("bq://a:b:p.d.t", None),
        ("bq://example.com:p.d.t.u", None),
        ("bq://example.com:", None),
        ("bq://", None),
    ],
)
def test_the_parts_of_a_table(uri: str, parts: tuple[str | None, ...] | None) -> None:
    if parts is None:
        with pytest.raises(BadPlace, match="is not a BigQuery URI"):
            read_bq(uri)
    else:
        assert read_bq(uri) == parts


def test_two_jobs_create_two_tables(vertex: Vertex) -> None:
    vertex.fill(ROWS, *COLUMNS)
    jobs = [vertex.make(inputConfig=TABLE, outputConfig=to_table(uri)) for uri in ("bq://p", "bq://p.d", "bq://p.d")]
    vertex.pass_time("3s")
    infos = [vertex.see(job)["outputInfo"] for job in jobs]
    name = "predictions_2026_03_01T12_00_03"
    assert [info["bigqueryOutputTable"] for info in infos] == [name, name, f"{name}_1"]


def test_a_row_of_text_is_read_as_json(vertex: Vertex) -> None:
    vertex.fill([{"request": json.dumps(asked("a")["request"])}], Column("request", "STRING"))
    job = vertex.make(inputConfig=TABLE)
    vertex.end(job)
    [line] = vertex.output(job)
    assert line["request"] == asked("a")["request"]


@pytest.mark.parametrize(
    ("value", "text"), [("{", "bq://p.d.t, row 1 is not JSON"), (None, "bq://p.d.t, row 1 has no request")]
)
def test_a_cell_without_a_valid_request_fails_the_job(vertex: Vertex, value: Any, text: str) -> None:
    vertex.fill([{"request": value}], Column("request", "STRING"))
    assert text in vertex.end(vertex.make(inputConfig=TABLE))["error"]["message"]


def test_a_table_is_written_to_objects_with_its_columns(vertex: Vertex) -> None:
    vertex.fill(ROWS, *COLUMNS)
    job = vertex.make(inputConfig=TABLE, outputConfig=TO_GCS)
    vertex.end(job)
    assert [line["id"] for line in vertex.output(job)] == [3, 1, 2]
    assert all(line.keys() >= {"request", "response", "status", "seen"} for line in vertex.output(job))
    assert all("tags" not in line for line in vertex.output(job))


@pytest.mark.parametrize(
    ("model", "line", "columns"),
    [
        (None, asked("a"), ["request", "response", "status", "processed_time"]),
        (LEGACY, {"content": "a"}, ["content", "predictions", "status", "processed_time"]),
    ],
)
def test_objects_are_written_to_a_table(vertex: Vertex, model: str | None, line: Any, columns: list[str]) -> None:
    vertex.put("mine.jsonl", line)
    members = {} if model is None else {"model": model}
    job = vertex.make(inputConfig=from_gcs("gs://in/mine.jsonl"), outputConfig=to_table("bq://p"), **members)
    info = vertex.end(job)["outputInfo"]
    [row] = vertex.table_rows(info["bigqueryOutputDataset"].rpartition(".")[2], info["bigqueryOutputTable"])
    assert list(row) == columns
    assert {name: row[name] for name in line} == line
    assert row["status"] == ""


def test_an_unprocessed_row_of_a_table_has_no_status(vertex: Vertex) -> None:
    vertex.fill(ROWS, *COLUMNS)
    job = vertex.make(inputConfig=TABLE, outputConfig=to_table("bq://p.d.results"))
    vertex.pass_time("1s")
    vertex.cancel(job)
    vertex.end(job)
    rows = vertex.table_rows("d", "results")
    assert [(row["id"], row["response"], row["status"], row["processed_time"]) for row in rows] == [
        (number, None, None, None) for number in (3, 1, 2)
    ]


def test_a_multimodal_dataset_of_a_seed_is_read(vertex: Vertex, tmp_path: Path) -> None:
    vertex.fill(ROWS, *COLUMNS)
    name = "projects/demo/locations/us-central1/datasets/7"
    uris = ["gs://in/rows.jsonl", "bq://p.d.t"]
    for _ in range(2):
        vertex.seed(tmp_path, multimodalDatasets=[{"name": name, "uris": uris}])
    source = {"instancesFormat": "vertex-dataset", "vertexMultimodalDatasetSource": {"datasetName": name}}
    assert vertex.end(vertex.make(inputConfig=source))["completionStats"] == {
        "successfulCount": "6",
        "failedCount": "1",
    }


@pytest.mark.parametrize(
    ("given", "project"), [({"bigqueryDestination": {"outputUri": "bq://p.d.r"}}, "p"), ({}, None)]
)
def test_a_multimodal_dataset_can_be_created_and_read(
    vertex: Vertex, given: dict[str, Any], project: str | None
) -> None:
    vertex.fill(ROWS, *COLUMNS)
    job = vertex.make(
        inputConfig=TABLE,
        outputConfig={"predictionsFormat": "vertex-dataset", "vertexMultimodalDatasetDestination": given},
    )
    info = vertex.end(job)["outputInfo"]
    number = job["name"].split("/")[1]
    assert info["bigqueryOutputDataset"].startswith(f"bq://{project or number}.")
    assert info["vertexMultimodalDatasetName"].startswith(f"{job['name'].partition('/batch')[0]}/datasets/")


def test_a_rule_with_output_skips_jobs_that_write_a_table(vertex: Vertex) -> None:
    vertex.rules({"output": {"early": 1}}, {"fate": "fail"})
    vertex.fill([])
    assert vertex.end(vertex.make())["state"] == "JOB_STATE_SUCCEEDED"
    assert vertex.end(vertex.make(outputConfig=to_table("bq://p.d.out")))["state"] == "JOB_STATE_FAILED"
