"""Google's own client of BigQuery against the served emulator."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from google.api_core.exceptions import BadRequest, Conflict, NotFound, Unauthorized
from google.cloud import bigquery
from google.cloud.bigquery import LoadJobConfig, SchemaField
from google.oauth2.credentials import Credentials

from batchctl.emulator.storage.objects import add_bucket, put_object
from tests.support.sdk_clients import NoToken, Service

SCHEMA = [
    SchemaField("s", "STRING", "REQUIRED"),
    SchemaField("i", "INTEGER"),
    SchemaField("f", "FLOAT"),
    SchemaField("b", "BOOLEAN"),
    SchemaField("t", "TIMESTAMP"),
    SchemaField("j", "JSON"),
    SchemaField("r", "RECORD", fields=[SchemaField("x", "INTEGER", "REPEATED")]),
]
JSONL = "NEWLINE_DELIMITED_JSON"


@pytest.fixture
def client(service: Service) -> Iterator[bigquery.Client]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIGQUERY_EMULATOR_HOST", service.url)
        client = bigquery.Client("p", Credentials("token"))
        client.create_dataset("d")
        yield client
        client.close()


@pytest.fixture
def table(client: bigquery.Client) -> bigquery.Table:
    return client.create_table(bigquery.Table("p.d.t", SCHEMA))


def values(client: bigquery.Client, name: str, column: str) -> list[object]:
    return [row[column] for row in client.list_rows(name)]


def test_a_caller_without_a_token(service: Service) -> None:
    client = bigquery.Client("p", NoToken(), client_options={"api_endpoint": service.url})
    with pytest.raises(Unauthorized):
        client.get_dataset("d")
    client.close()


def test_datasets_and_tables(client: bigquery.Client, table: bigquery.Table) -> None:
    assert client.get_dataset("d").location == "US"
    assert [item.dataset_id for item in client.list_datasets()] == ["d"]
    found = client.get_table("p.d.t")
    assert (found.schema, found.num_rows, found.created) == (SCHEMA, 0, table.created)
    assert [item.table_id for item in client.list_tables("d")] == ["t"]
    client.create_table(table, exists_ok=True)
    client.create_dataset("d", exists_ok=True)
    for again in (lambda: client.create_table(table), lambda: client.create_dataset("d")):
        with pytest.raises(Conflict):
            again()
    with pytest.raises(BadRequest):
        client.delete_dataset("d")
    client.delete_table("p.d.t")
    client.delete_table("p.d.t", not_found_ok=True)
    client.delete_dataset("d", delete_contents=True)


def test_what_is_not_there(client: bigquery.Client) -> None:
    with pytest.raises(NotFound, match=r"Not found: Table p:d\.none"):
        client.get_table("p.d.none")
    with pytest.raises(NotFound, match="Not found: Dataset p:none"):
        client.get_table("p.none.t")
    with pytest.raises(NotFound):
        client.load_table_from_json([{"a": 1}], "p.none.t")
    with pytest.raises(NotFound):
        client.get_job("none")
    with pytest.raises(NotFound):
        list(client.list_rows("p.d.none", selected_fields=SCHEMA))


def test_rows_go_in_and_come_out(client: bigquery.Client, table: bigquery.Table) -> None:
    full = {
        "s": "☃",
        "i": 2**60,
        "f": 0.5,
        "b": False,
        "t": "2026-01-01T00:00:00.5Z",
        "j": '{"a":[1]}',
        "r": {"x": [1]},
    }
    assert client.insert_rows_json("p.d.t", [full, {"s": "bare"}]) == []
    assert client.insert_rows(table, [{"s": "by schema", "i": 3, "t": datetime(2026, 1, 1, tzinfo=UTC)}]) == []
    rows = [dict(row) for row in client.list_rows("p.d.t")]
    moment = datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    assert rows[0] == {**full, "t": moment, "j": {"a": [1]}}
    assert rows[1] == {"s": "bare", "i": None, "f": None, "b": None, "t": None, "j": None, "r": None}
    assert (rows[2]["i"], rows[2]["t"]) == (3, datetime(2026, 1, 1, tzinfo=UTC))
    errors = client.insert_rows_json("p.d.t", [{"s": "good"}, {"i": 1}])
    assert {item["index"]: item["errors"][0]["reason"] for item in errors} == {0: "stopped", 1: "invalid"}
    assert client.get_table("p.d.t").num_rows == 3


def test_pages(client: bigquery.Client, table: bigquery.Table) -> None:
    client.insert_rows_json(table, [{"s": str(number)} for number in range(5)])
    iterator = client.list_rows("p.d.t", page_size=2)
    assert [[row["s"] for row in page] for page in iterator.pages] == [["0", "1"], ["2", "3"], ["4"]]
    assert iterator.total_rows == 5
    some = client.list_rows("p.d.t", start_index=1, max_results=3, selected_fields=[SCHEMA[0]])
    assert [tuple(row.values()) for row in some] == [("1",), ("2",), ("3",)]


def test_loading_rows(client: bigquery.Client, table: bigquery.Table) -> None:
    job = client.load_table_from_json([{"s": "a", "j": {"k": [1]}}, {"s": "b"}], "p.d.t")
    assert (job.result().state, job.output_rows, client.get_job(job.job_id).state) == ("DONE", 2, "DONE")
    assert values(client, "p.d.t", "j") == [{"k": [1]}, None]
    client.load_table_from_json([{"key": "x", "n": 1}], "p.d.new").result()
    made = client.get_table("p.d.new").schema
    assert [(column.name, column.field_type) for column in made] == [("key", "STRING"), ("n", "INTEGER")]
    given = LoadJobConfig(schema=[SchemaField("request", "JSON")], write_disposition="WRITE_TRUNCATE")
    client.load_table_from_json([{"request": {"contents": []}}], "p.d.new", job_config=given).result()
    assert values(client, "p.d.new", "request") == [{"contents": []}]


@pytest.mark.parametrize("sized", [True, False])
def test_loading_a_file(service: Service, client: bigquery.Client, table: bigquery.Table, sized: bool) -> None:
    rows = b'{"s":"a"}\n{"s":"b"}\n'
    config = LoadJobConfig(source_format=JSONL)
    size = len(rows) if sized else None
    job = client.load_table_from_file(io.BytesIO(rows), "p.d.t", size=size, job_config=config)
    assert job.result().output_rows == 2
    assert values(client, "p.d.t", "s") == ["a", "b"]
    assert service.calls("bigquery.jobs.upload") == (0 if sized else 1)


def test_loading_objects(service: Service, client: bigquery.Client, table: bigquery.Table) -> None:
    store = service.emulator.store
    add_bucket(store, "demo", "p", store.now())
    for name in ("in/1.jsonl", "in/2.jsonl"):
        put_object(store, "demo", name, [b'{"s":"' + name.encode() + b'"}'], "x/y", store.now())
    config = LoadJobConfig(source_format=JSONL)
    client.load_table_from_uri("gs://demo/in/*.jsonl", "p.d.t", job_config=config).result()
    assert values(client, "p.d.t", "s") == ["in/1.jsonl", "in/2.jsonl"]
    with pytest.raises(NotFound, match="gs://demo/none"):
        client.load_table_from_uri("gs://demo/none", "p.d.t", job_config=config).result()


def test_a_load_that_fails(client: bigquery.Client, table: bigquery.Table) -> None:
    job = client.load_table_from_json([{"s": "a"}, {"i": 1}], "p.d.t")
    with pytest.raises(BadRequest, match="Missing required field: s"):
        job.result()
    assert [error["message"] for error in job.errors] == ["Row 2: Missing required field: s."]
    assert client.get_table("p.d.t").num_rows == 0
