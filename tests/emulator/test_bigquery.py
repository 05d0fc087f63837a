from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batchctl.emulator.bigquery.tables import Column, add_dataset, append_rows, create_table, find_table, read_rows
from batchctl.emulator.core import METHODS
from tests.support.cloud_calls import JOBS, PROJECT, TABLES, Plane, column

NOW = 1_772_366_400_000_000_000
DATASETS = f"{PROJECT}/datasets"
EVERY = (
    column("s", "STRING"),
    column("i", "INT64"),
    column("f", "FLOAT64"),
    column("b", "BOOL"),
    column("t", "TIMESTAMP"),
    column("j", "JSON"),
    column("r", "STRUCT", "NULLABLE", column("x", "INTEGER", "REPEATED"), column("y", "STRING")),
    column("d", "DATE"),
)
FULL = {
    "s": "text ☃",
    "i": 9007199254740993,
    "f": 1.5,
    "b": True,
    "t": "2026-01-01T00:00:00.25Z",
    "j": '{"a": [1, null]}',
    "r": {"x": [1, 2], "y": None},
    "d": "2026-01-02",
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Plane]:
    world = Plane(tmp_path / "emulator.db")
    add_dataset(world.emulator.store, "p", "d", NOW)
    yield world
    world.http.close()


def test_a_table_resource_has_all_members_that_clients_read(world: Plane) -> None:
    made = world.table("t", column("a", "string"), column("n", "INT64", "required"))
    assert made == world.ok("GET", f"{TABLES}/t")
    assert made == {
        "kind": "bigquery#table",
        "etag": made["etag"],
        "id": "p:d.t",
        "selfLink": "http://emulator:1/bigquery/v2/projects/p/datasets/d/tables/t",
        "tableReference": {"projectId": "p", "datasetId": "d", "tableId": "t"},
        "schema": {"fields": [column("a", "STRING"), column("n", "INTEGER", "REQUIRED")]},
        "numRows": "0",
        "numBytes": "0",
        "numLongTermBytes": "0",
        "creationTime": "1772366400000",
        "lastModifiedTime": "1772366400000",
        "type": "TABLE",
        "location": "US",
    }
    world.pass_time("1s")
    assert world.insert("t", {"a": "x", "n": 1}) == {"kind": "bigquery#tableDataInsertAllResponse"}
    after = world.ok("GET", f"{TABLES}/t")
    assert (after["numRows"], after["lastModifiedTime"]) == ("1", "1772366401000")
    assert after["etag"] != made["etag"]
    assert int(after["numBytes"]) > 0


def test_values_are_formatted_as_by_the_service(world: Plane) -> None:
    world.table("t", *EVERY)
    world.insert("t", FULL, {})
    spelled = ["text ☃", "9007199254740993", "1.5", "true", "1767225600.25", '{"a":[1,null]}']
    record = {"f": [{"v": [{"v": "1"}, {"v": "2"}]}, {"v": None}]}
    assert world.data("t") == [[*spelled, record, "2026-01-02"], [None] * 8]
    times = world.data("t", selectedFields="t", **{"formatOptions.useInt64Timestamp": "true"})
    assert times == [["1767225600250000"], [None]]
    times = world.data("t", selectedFields="t", **{"formatOptions.timestampOutputFormat": "ISO8601_STRING"})
    assert times == [["2026-01-01T00:00:00.250000Z"], [None]]
    assert world.data("t", selectedFields="r.y,b") == [["true", {"f": [{"v": None}]}], [None, None]]


@pytest.mark.parametrize(
    ("kind", "given", "told"),
    [
        ("STRING", 5, "5"),
        ("STRING", True, "true"),
        ("STRING", "", ""),
        ("INTEGER", "-12", "-12"),
        ("INTEGER", 3.0, "3"),
        ("INTEGER", "1e3", "1000"),
        ("INTEGER", -(2**63), str(-(2**63))),
        ("FLOAT", 3, "3.0"),
        ("FLOAT", "1e-3", "0.001"),
        ("FLOAT", "nan", "NaN"),
        ("FLOAT", "-inf", "-Infinity"),
        ("FLOAT", "Infinity", "Infinity"),
        ("BOOLEAN", "FALSE", "false"),
        ("BOOLEAN", 1, "true"),
        ("TIMESTAMP", 1767225600.5, "1767225600.5"),
        ("TIMESTAMP", "1767225600", "1767225600.0"),
        ("TIMESTAMP", "2026-01-01 00:00:00 UTC", "1767225600.0"),
        ("TIMESTAMP", "2026-01-01T02:00:00+02:00", "1767225600.0"),
        ("TIMESTAMP", "2026-01-01", "1767225600.0"),
        ("TIMESTAMP", "1969-12-31T23:59:59.5Z", "-0.5"),
        ("JSON", "3", "3"),
        ("JSON", '"a"', '"a"'),
        ("JSON", "null", None),
        ("NUMERIC", "1.10", "1.10"),
    ],
)
def test_values_are_parsed_in_the_forms_that_callers_send(world: Plane, kind: str, given: Any, told: Any) -> None:
    world.table("t", column("A", kind))
    world.insert("t", {"a": given})
    assert world.data("t") == [[told]]


@pytest.mark.parametrize(
    ("kind", "mode", "given"),
    [
        ("STRING", "REQUIRED", None),
        ("STRING", "NULLABLE", {"a": 1}),
        ("STRING", "NULLABLE", ["a"]),
        ("STRING", "REPEATED", "a"),
        ("STRING", "REPEATED", [None]),
        ("INTEGER", "NULLABLE", "one"),
        ("INTEGER", "NULLABLE", 1.5),
        ("INTEGER", "NULLABLE", 2**63),
        ("INTEGER", "NULLABLE", "1e999"),
        ("INTEGER", "NULLABLE", True),
        ("FLOAT", "NULLABLE", "x"),
        ("BOOLEAN", "NULLABLE", "yes"),
        ("TIMESTAMP", "NULLABLE", "yesterday"),
        ("TIMESTAMP", "NULLABLE", "1e300"),
        ("TIMESTAMP", "NULLABLE", "nan"),
        ("JSON", "NULLABLE", {"a": 1}),
        ("JSON", "NULLABLE", "{"),
        ("RECORD", "NULLABLE", "x"),
        ("RECORD", "NULLABLE", {"no": 1}),
        ("RECORD", "NULLABLE", {"y": "x"}),
    ],
)
def test_values_of_a_wrong_type_are_refused(world: Plane, kind: str, mode: str, given: Any) -> None:
    below = [column("y", "INTEGER")] if kind == "RECORD" else []
    world.table("t", column("c", kind, mode, *below))
    (error,) = world.insert("t", {"c": given})["insertErrors"]
    assert error["index"] == 0
    assert error["errors"][0]["reason"] == "invalid"
    assert error["errors"][0]["location"].startswith("c")
    assert error["errors"][0]["message"]
    assert world.data("t") == []


def test_one_bad_row_prevents_the_whole_insert(world: Plane) -> None:
    world.table("t", column("a", "STRING"))
    rows: tuple[Any, ...] = ({"a": "1"}, {"b": "2"}, "no row", {"a": "4"})
    errors = world.insert("t", *rows)["insertErrors"]
    assert [(item["index"], item["errors"][0]["reason"]) for item in errors] == [
        (1, "invalid"),
        (2, "invalid"),
        (0, "stopped"),
        (3, "stopped"),
    ]
    assert world.data("t") == []
    errors = world.insert("t", *rows, skipInvalidRows=True)["insertErrors"]
    assert [item["index"] for item in errors] == [1, 2]
    assert world.data("t") == [["1"], ["4"]]
    assert "insertErrors" not in world.insert("t", {"a": "5", "b": "6"}, ignoreUnknownValues=True)
    assert world.data("t", startIndex=2) == [["5"]]
    for body in ({}, {"rows": []}, {"rows": 3}):
        assert world.refused(400, "POST", f"{TABLES}/t/insertAll", json=body)["errors"][0]["reason"] == "invalid"
    assert world.insert("t", *rows[:1], rows=["x"])["insertErrors"][0]["errors"][0]["reason"] == "invalid"


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pages_cover_the_table(world: Plane, size: int) -> None:
    world.table("t", column("n", "INTEGER"))
    world.insert("t", *({"n": number} for number in range(7)))
    found, token = [], None
    while token is not None or not found:
        params = {"maxResults": size, **({"startIndex": 1} if token is None else {"pageToken": token})}
        page = world.ok("GET", f"{TABLES}/t/data", params=params)
        assert page["totalRows"] == "7"
        found += [int(row["f"][0]["v"]) for row in page["rows"]]
        token = page.get("pageToken")
    assert found == [1, 2, 3, 4, 5, 6]


def test_pages_at_and_past_the_end(world: Plane) -> None:
    world.table("t", column("n", "INTEGER"))
    empty = world.ok("GET", f"{TABLES}/t/data")
    assert (empty["totalRows"], "rows" in empty, "pageToken" in empty) == ("0", False, False)
    world.insert("t", {"n": 1})
    for params in ({"maxResults": 0}, {"startIndex": 5}):
        page = world.ok("GET", f"{TABLES}/t/data", params=params)
        assert ("rows" in page, "pageToken" in page) == (False, False)
    for params in ({"pageToken": "eA=="}, {"startIndex": "x"}, {"maxResults": "-1"}, {"selectedFields": "no"}):
        assert world.refused(400, "GET", f"{TABLES}/t/data", params=params)["status"] == "INVALID_ARGUMENT"


def test_a_page_ends_at_its_size_limit(world: Plane) -> None:
    table = create_table(world.emulator.store, "p", "d", "t", [Column("a", "STRING")], NOW)
    append_rows(world.emulator.store, table, ({"a": "x" * 1_000_000} for _ in range(12)), NOW)
    first = world.ok("GET", f"{TABLES}/t/data")
    assert len(first["rows"]) == 11
    rest = world.ok("GET", f"{TABLES}/t/data", params={"pageToken": first["pageToken"]})
    assert (len(rest["rows"]), "pageToken" in rest) == (1, False)


def test_rows_by_column_name_without_a_call(world: Plane) -> None:
    store = world.emulator.store
    schema = [Column("request", "JSON"), Column("n", "INTEGER"), Column("t", "TIMESTAMP")]
    table = create_table(store, "p", "d", "t", schema, NOW)
    rows = [{"n": 1, "request": {"a": ["☃"]}, "t": 5, "other": "left out"}, {"request": "text"}]
    assert append_rows(store, table, rows) == 2
    assert append_rows(store, table, iter([{"n": index} for index in range(1500)]), NOW) == 1500
    found = list(read_rows(store, table))
    assert found[:2] == [{"request": {"a": ["☃"]}, "n": 1, "t": 5}, {"request": "text", "n": None, "t": None}]
    assert [row["n"] for row in found[2:]] == list(range(1500))
    assert find_table(store, "p", "d", "t").schema == tuple(schema)
    assert find_table(store, "p", "d", "none") is None


def test_datasets_are_created_listed_and_deleted(world: Plane) -> None:
    body = {"datasetReference": {"datasetId": "other", "projectId": "p"}, "location": "EU"}
    made = world.ok("POST", DATASETS, json=body)
    assert (made["id"], made["location"], made["creationTime"]) == ("p:other", "EU", "1772366400000")
    assert world.ok("GET", f"{DATASETS}/other") == made
    error = world.refused(409, "POST", DATASETS, json=body)
    assert (error["message"], error["errors"][0]["reason"]) == ("Already Exists: Dataset p:other", "duplicate")
    first = world.ok("GET", DATASETS, params={"maxResults": 1})
    assert [item["id"] for item in first["datasets"]] == ["p:d"]
    rest = world.ok("GET", DATASETS, params={"pageToken": first["nextPageToken"]})
    assert [item["datasetReference"]["datasetId"] for item in rest["datasets"]] == ["other"]
    assert "nextPageToken" not in rest
    assert world.ok("GET", "/bigquery/v2/projects/q/datasets") == {"kind": "bigquery#datasetList"}
    world.table("t", column("a", "STRING"))
    assert world.refused(400, "DELETE", f"{DATASETS}/d")["errors"][0]["reason"] == "resourceInUse"
    assert world.http.delete(f"{DATASETS}/d?deleteContents=true").status_code == 204
    world.refused(404, "GET", f"{TABLES}/t")
    assert world.refused(404, "GET", f"{DATASETS}/d")["message"] == "Not found: Dataset p:d"


def test_tables_are_created_listed_and_deleted(world: Plane) -> None:
    for name in "abc":
        world.table(name, column("a", "STRING"))
    world.insert("a", {"a": "old"})
    first = world.ok("GET", TABLES, params={"maxResults": 2})
    assert ([item["id"] for item in first["tables"]], first["totalItems"]) == (["p:d.a", "p:d.b"], 3)
    rest = world.ok("GET", TABLES, params={"pageToken": first["nextPageToken"]})
    assert [item["tableReference"]["tableId"] for item in rest["tables"]] == ["c"]
    assert world.http.delete(f"{TABLES}/a").status_code == 204
    error = world.refused(404, "GET", f"{TABLES}/a/data")
    assert (error["message"], error["errors"][0]["reason"]) == ("Not found: Table p:d.a", "notFound")
    assert error["status"] == "NOT_FOUND"
    world.table("a", column("a", "STRING"))
    assert world.data("a") == []
    reference = {"datasetId": "d", "tableId": "a"}
    error = world.refused(409, "POST", TABLES, json={"tableReference": reference})
    assert error["errors"][0]["reason"] == "duplicate"


def test_descriptions_of_a_table_are_kept(world: Plane) -> None:
    body = {
        "tableReference": {"tableId": "t"},
        "description": "rows",
        "labels": {"a": "b"},
        "friendlyName": None,
        "schema": {"fields": [{**column("a", "STRING"), "description": "first"}]},
    }
    world.ok("POST", TABLES, json=body)
    table = world.ok("GET", f"{TABLES}/t")
    assert (table["description"], table["labels"], "friendlyName" in table) == ("rows", {"a": "b"}, False)
    assert table["schema"]["fields"][0]["description"] == "first"


@pytest.mark.parametrize(
    "fields",
    [
        {"a": "STRING"},
        ["a"],
        [{"type": "STRING"}],
        [column("1a", "STRING")],
        [column("a", "TEXT")],
        [column("a", "STRING", "OPTIONAL")],
        [column("a", "RECORD")],
        [column("a", "RECORD", "NULLABLE", column("b c", "STRING"))],
        [column("a", "STRING"), column("A", "STRING")],
    ],
)
def test_invalid_schemas_are_refused(world: Plane, fields: Any) -> None:
    body = {"tableReference": {"tableId": "t"}, "schema": {"fields": fields}}
    assert world.refused(400, "POST", TABLES, json=body)["errors"][0]["reason"] == "invalid"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (TABLES, {}),
        (TABLES, {"tableReference": "t"}),
        (TABLES, {"tableReference": {"tableId": "a.b"}}),
        (TABLES, {"tableReference": {"tableId": "t"}, "view": {"query": "SELECT 1"}}),
        (TABLES, [1]),
        (DATASETS, {"datasetReference": {"datasetId": "a-b"}}),
    ],
)
def test_invalid_datasets_and_tables_are_refused(world: Plane, path: str, body: Any) -> None:
    world.refused(400, "POST", path, json=body)


def test_half_a_surrogate_pair_is_refused(world: Plane) -> None:
    body = json.dumps({"datasetReference": {"datasetId": "x"}, "location": "\ud800"})
    assert "surrogate" in world.refused(400, "POST", DATASETS, content=body)["message"]


def test_a_call_without_a_token_is_unauthorized(world: Plane) -> None:
    del world.http.headers["authorization"]
    for method, path in (("GET", DATASETS), ("POST", JOBS), ("POST", f"/upload{JOBS}"), ("GET", f"{TABLES}/t/data")):
        world.refused(401, method, path)


def test_calls_are_counted_by_their_names(world: Plane) -> None:
    world.table("t", column("a", "STRING"))
    world.insert("t", {"a": "x"})
    world.data("t")
    assert world.ok("GET", "/_emulator/requests")["byMethod"] == {
        "bigquery.tables.insert": 1,
        "bigquery.tabledata.insertAll": 1,
        "bigquery.tabledata.list": 1,
    }
    assert {name for name in METHODS if name.startswith("bigquery.")} == {
        *(f"bigquery.{kind}.{name}" for kind in ("datasets", "tables") for name in ("list", "insert", "get", "delete")),
        *("bigquery.tabledata.list", "bigquery.tabledata.insertAll"),
        *("bigquery.jobs.insert", "bigquery.jobs.upload", "bigquery.jobs.get"),
    }
    world.ok("POST", "/_emulator/reset")
    world.refused(404, "GET", f"{DATASETS}/d")
    assert world.emulator.store.rows("SELECT * FROM table_rows") == []
