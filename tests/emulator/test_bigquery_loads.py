from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batchctl.emulator.bigquery.tables import add_dataset
from batchctl.emulator.storage.objects import add_bucket, put_object
from tests.support.cloud_calls import BUCKET, JOBS, TABLES, Plane, column, related

NOW = 1_772_366_400_000_000_000
JSONL = "NEWLINE_DELIMITED_JSON"
ROWS = b'{"a":"x","n":1}\n\n{"a":"y"}'


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Plane]:
    world = Plane(tmp_path / "emulator.db")
    add_dataset(world.emulator.store, "p", "d", NOW, "EU")
    add_bucket(world.emulator.store, BUCKET, "p", NOW)
    yield world
    world.http.close()


def job(name: str | None = None, **load: Any) -> dict[str, Any]:
    table = {"projectId": "p", "datasetId": "d", "tableId": "t"}
    configuration = {"load": {"sourceFormat": JSONL, "destinationTable": table, **load}}
    return {"configuration": configuration, **({"jobReference": {"projectId": "p", "jobId": name}} if name else {})}


def upload(world: Plane, content: bytes, **load: Any) -> dict[str, Any]:
    return world.ok("POST", f"/upload{JOBS}", **related(job(**load), content))


@pytest.fixture
def filled(world: Plane) -> Plane:
    world.table("t", column("a", "STRING"), column("n", "INTEGER"))
    world.insert("t", {"a": "old"})
    return world


def test_rows_in_the_request_are_loaded(filled: Plane) -> None:
    done = filled.ok("POST", f"/upload{JOBS}", **related(job("j1"), ROWS))
    assert done["status"] == {"state": "DONE"}
    assert done["id"] == "p:EU.j1"
    assert done["jobReference"] == {"projectId": "p", "jobId": "j1", "location": "EU"}
    assert done["configuration"]["jobType"] == "LOAD"
    assert done["statistics"]["endTime"] == "1772366400000"
    assert done["statistics"]["load"] == {
        "inputFiles": "1",
        "inputFileBytes": str(len(ROWS)),
        "outputRows": "2",
        "outputBytes": str(len(ROWS)),
        "badRecords": "0",
    }
    assert filled.ok("GET", f"{JOBS}/j1", params={"location": "EU"}) == done
    assert filled.data("t") == [["old", None], ["x", "1"], ["y", None]]


def test_rows_uploaded_by_a_session_are_loaded(filled: Plane) -> None:
    url = filled.session(f"/upload{JOBS}", job("j2"))
    rows = b'{"a":"' + b"x" * 300_000 + b'"}\n{"a":"last"}\n'
    assert filled.piece(url, rows[: 256 * 1024], f"bytes 0-{256 * 1024 - 1}/*").status_code == 308
    assert len(filled.data("t")) == 1
    last = filled.piece(url, rows[256 * 1024 :], f"bytes {256 * 1024}-{len(rows) - 1}/{len(rows)}")
    assert (last.status_code, last.json()["status"]) == (200, {"state": "DONE"})
    assert [len(row[0]) for row in filled.data("t")] == [3, 300_000, 4]
    assert filled.piece(url, b"", "bytes */*").json() == last.json() == filled.ok("GET", f"{JOBS}/j2")
    assert filled.emulator.store.rows("SELECT * FROM pieces") == []
    assert filled.ok("GET", "/_emulator/requests")["byMethod"]["bigquery.jobs.upload"] == 3


def test_rows_in_objects_are_loaded(filled: Plane) -> None:
    for name, content in (("in/2", b'{"a":"two"}'), ("in/1", b'{"a":"one"}'), ("in/x/3", b"no JSON")):
        put_object(filled.emulator.store, BUCKET, name, [content], "x/y", NOW)
    done = filled.ok("POST", JOBS, json=job(sourceUris=["gs://demo/in/*", "gs://demo/in/1"]))
    assert done["statistics"]["load"]["inputFiles"] == "3"
    assert [row[0] for row in filled.data("t")] == ["old", "one", "two", "one"]
    failed = filled.ok("POST", JOBS, json=job(sourceUris=["gs://demo/in/1", "gs://demo/none*"]))
    assert failed["status"]["errorResult"] == {"reason": "notFound", "message": "Not found: URI gs://demo/none*"}
    assert failed["jobReference"]["jobId"] != done["jobReference"]["jobId"]
    assert len(filled.data("t")) == 4
    for uris in (None, [], "gs://demo/in/1", [3]):
        filled.refused(400, "POST", JOBS, json=job(sourceUris=uris))


@pytest.mark.parametrize(
    ("load", "content", "rows"),
    [
        ({}, ROWS, [["old", None], ["x", "1"], ["y", None]]),
        ({"writeDisposition": "WRITE_TRUNCATE"}, ROWS, [["x", "1"], ["y", None]]),
        ({"writeDisposition": "WRITE_TRUNCATE", "autodetect": True}, b'{"z":true}', [["true"]]),
        (
            {"writeDisposition": "WRITE_TRUNCATE", "schema": {"fields": [column("q", "JSON")]}},
            b'{"q":{"a":1}}\n{"q":"text"}',
            [['{"a":1}'], ['"text"']],
        ),
        ({"schema": {"fields": [column("a", "STRING")]}}, b'{"a":"x"}', [["old", None], ["x", None]]),
        ({"autodetect": True}, b'{"a":"x"}', [["old", None], ["x", None]]),
        ({"ignoreUnknownValues": True}, b'{"a":"x","z":1}', [["old", None], ["x", None]]),
        ({"maxBadRecords": 2}, b'{"a":"x"}\n[1]\n{"z":1}', [["old", None], ["x", None]]),
        ({}, b"", [["old", None]]),
    ],
)
def test_the_disposition_of_a_load(filled: Plane, load: dict[str, Any], content: bytes, rows: list[Any]) -> None:
    done = upload(filled, content, **load)
    assert done["status"] == {"state": "DONE"}
    assert filled.data("t") == rows


@pytest.mark.parametrize(
    ("load", "content", "reason", "message"),
    [
        ({"writeDisposition": "WRITE_EMPTY"}, ROWS, "duplicate", "Already Exists: Table p:d.t"),
        ({}, b'{"a":"x"}\n{"z":1}', "invalid", "Row 2: no such field: z."),
        ({}, b'{"a":"x"}\n{', "invalid", "Row 2: The row is not an object."),
        ({"maxBadRecords": "1"}, b'[1]\n{"z":1}', "invalid", "bad rows: 2"),
        ({"schema": {"fields": [column("a", "INTEGER")]}}, ROWS, "invalid", "Field a differs"),
    ],
)
def test_a_load_that_fails_changes_nothing(
    filled: Plane, load: dict[str, Any], content: bytes, reason: str, message: str
) -> None:
    before = filled.ok("GET", f"{TABLES}/t")
    status = upload(filled, content, **load)["status"]
    assert status["state"] == "DONE"
    assert status["errorResult"]["reason"] == reason
    assert message in status["errorResult"]["message"]
    assert status["errors"]
    assert filled.ok("GET", f"{TABLES}/t") == before


def test_the_first_bad_rows_are_listed(filled: Plane) -> None:
    status = upload(filled, b'{"z":1}\n' * 9)["status"]
    assert "bad rows: 9" in status["errorResult"]["message"]
    assert [error["message"][:6] for error in status["errors"]] == [f"Row {number}:" for number in range(1, 6)]


@pytest.mark.parametrize(
    ("load", "rows", "schema"),
    [
        ({"schema": {"fields": [column("a", "STRING")]}}, b'{"a":"x"}', [column("a", "STRING")]),
        (
            {"autodetect": True},
            b'{"s":"x","i":1,"f":1,"b":true,"n":null,"m":1}\n{"f":1.5,"s":null,"m":"x"}',
            [
                column("s", "STRING"),
                column("i", "INTEGER"),
                column("f", "FLOAT"),
                column("b", "BOOLEAN"),
                column("n", "STRING"),
                column("m", "STRING"),
            ],
        ),
        (
            {"autodetect": True},
            b'{"r":{"x":1,"e":null},"l":[],"k":[{"y":1}]}\n{"r":{"z":[1,2.5]},"l":["a"],"k":[{"w":true}]}',
            [
                column("r", "RECORD", "NULLABLE", column("x", "INTEGER"), column("e", "STRING"), column("z", "FLOAT", "REPEATED")),
                column("l", "STRING", "REPEATED"),
                column("k", "RECORD", "REPEATED", column("y", "INTEGER"), column("w", "BOOLEAN")),
            ],
        ),
    ],
)  # fmt: skip
def test_a_load_creates_the_table(world: Plane, load: dict[str, Any], rows: bytes, schema: list[Any]) -> None:
    assert upload(world, rows, **load)["status"] == {"state": "DONE"}
    assert world.ok("GET", f"{TABLES}/t")["schema"]["fields"] == schema


@pytest.mark.parametrize(
    ("load", "content", "reason"),
    [
        ({"createDisposition": "CREATE_NEVER", "autodetect": True}, ROWS, "notFound"),
        ({}, ROWS, "invalid"),
        ({"autodetect": True}, b"", "invalid"),
        ({"autodetect": True}, b'{"a b":1}', "invalid"),
        ({"autodetect": True}, b'{"a":1}\n{"a":{"b":1}}', "invalid"),
    ],
)
def test_a_load_fails_without_a_usable_schema(world: Plane, load: dict[str, Any], content: bytes, reason: str) -> None:
    assert upload(world, content, **load)["status"]["errorResult"]["reason"] == reason
    world.refused(404, "GET", f"{TABLES}/t")


def test_a_table_without_columns_gets_those_of_the_load(world: Plane) -> None:
    world.table("t")
    assert upload(world, ROWS)["status"]["errorResult"]["message"] == "No schema specified on job or table."
    upload(world, ROWS, autodetect=True)
    assert world.data("t") == [["x", "1"], ["y", None]]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({}, 400, "required"),
        ({"configuration": {"query": {"query": "SELECT 1"}}}, 400, "required"),
        (job(sourceFormat=None), 400, "invalid"),
        (job(sourceFormat="CSV"), 400, "invalid"),
        (job(destinationTable=None), 400, "required"),
        (job(destinationTable={"datasetId": "d", "tableId": "a.b"}), 400, "required"),
        (job(destinationTable={"projectId": "p", "datasetId": "none", "tableId": "t"}), 404, "notFound"),
        (job(writeDisposition="WRITE_TWICE"), 400, "invalid"),
        (job(createDisposition=["CREATE_NEVER"]), 400, "invalid"),
        (job(maxBadRecords=-1), 400, "invalid"),
        (job(schema={"fields": [column("a", "TEXT")]}), 400, "invalid"),
        (job("a b"), 400, "invalid"),
        ({**job(), "jobReference": [1]}, 400, "invalid"),
        (job("taken"), 409, "duplicate"),
    ],
)
def test_invalid_load_jobs_are_refused(filled: Plane, body: Any, status: int, reason: str) -> None:
    filled.ok("POST", f"/upload{JOBS}", **related(job("taken"), ROWS))
    paths = (JOBS, f"/upload{JOBS}?uploadType=resumable")
    for path in paths:
        assert filled.refused(status, "POST", path, json=body)["errors"][0]["reason"] == reason
    reply = filled.http.post(f"/upload{JOBS}", **related(body, ROWS))
    assert reply.status_code == status
    assert len(filled.data("t")) == 3


def test_missing_load_jobs_are_not_found(world: Plane) -> None:
    error = world.refused(404, "GET", f"{JOBS}/none", params={"location": "EU"})
    assert (error["message"], error["errors"][0]["reason"]) == ("Not found: Job p:EU.none", "notFound")
    world.refused(400, "POST", f"/upload{JOBS}?uploadType=media", json=job())


def test_two_sessions_with_one_job_id(filled: Plane) -> None:
    one, other = (filled.session(f"/upload{JOBS}", job("same")) for _ in range(2))
    assert filled.http.put(one, content=b'{"a":"x"}').status_code == 200
    assert filled.http.put(other, content=b'{"a":"x"}').status_code == 409
    assert len(filled.data("t")) == 2
