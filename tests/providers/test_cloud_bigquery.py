from __future__ import annotations

import json
import math
from contextlib import suppress
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchctl.model import errors
from batchctl.providers.cloud.addresses import Table
from batchctl.providers.cloud.cells import read_columns, read_row
from tests.support.long_mode import effort
from tests.support.scripted_api import KEY, Script, reply, rpc_error
from tests.support.scripted_cloud import bigquery

TABLE = Table("example.com:p-1", "d", "my table")
FIELDS = [
    {"name": "request", "type": "JSON"},
    {"name": "status", "type": "STRING", "mode": "NULLABLE"},
    {"name": "n", "type": "INTEGER", "mode": "REQUIRED"},
]
PATH = "/bigquery/v2/projects/example.com%3Ap-1/datasets/d/tables/my%20table"


def cells(*values: Any) -> dict[str, Any]:
    return {"f": [{"v": value} for value in values]}


def row(number: int) -> dict[str, Any]:
    return cells(json.dumps({"n": number}), "", str(number))


def rows(*answers: Any) -> list[dict[str, Any]]:
    return list(bigquery(Script(*answers)).rows(TABLE, read_columns(FIELDS)))


def test_columns():
    script = Script(reply({"schema": {"fields": FIELDS}}))
    found = bigquery(script).columns(TABLE)
    assert [(one.name, one.type, one.repeated) for one in found] == [
        ("request", "JSON", False),
        ("status", "STRING", False),
        ("n", "INTEGER", False),
    ]
    [request] = script.requests
    assert (request.url.raw_path.decode(), request.headers["x-goog-api-key"]) == (f"{PATH}?fields=schema", KEY)


def test_a_table_without_columns_has_none():
    assert list(bigquery(Script(reply({}))).columns(TABLE)) == []


@pytest.mark.parametrize(
    "schema",
    [
        {"fields": {}},
        {"fields": [5]},
        {"fields": [{"name": "a"}]},
        {"fields": [{"name": 5, "type": "STRING"}]},
        {"fields": [{"name": "a", "type": "RECORD"}]},
    ],
)
def test_an_odd_schema(schema):
    with pytest.raises(errors.BadReply):
        bigquery(Script(reply({"schema": schema}))).columns(TABLE)


def test_a_schema_is_not_followed_for_ever():
    field: dict[str, Any] = {"name": "a", "type": "STRING"}
    for _ in range(100):
        field = {"name": "a", "type": "RECORD", "fields": [field]}
    with pytest.raises(errors.BadReply):
        bigquery(Script(reply({"schema": {"fields": [field]}}))).columns(TABLE)


def test_rows_are_read_to_their_end():
    script = Script(
        reply({"totalRows": "3", "rows": [row(0), row(1)], "pageToken": "t/1"}),
        reply({"totalRows": "3", "rows": [row(2)]}),
    )
    found = list(bigquery(script).rows(TABLE, read_columns(FIELDS)))
    assert found == [{"request": {"n": number}, "status": "", "n": number} for number in range(3)]
    assert [dict(one.url.params) for one in script.requests] == [
        {"maxResults": "1000"},
        {"maxResults": "1000", "pageToken": "t/1"},
    ]
    assert script.requests[0].url.raw_path.decode().startswith(f"{PATH}/data?")


def test_an_empty_table_has_no_list_of_rows():
    assert rows(reply({"totalRows": "0"})) == []
    assert rows(reply({})) == []


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ([reply({"totalRows": "2", "rows": [row(0)]})], errors.ReplyLost),
        ([reply({"totalRows": "5", "rows": [row(0)], "pageToken": "t"}), reply({})], errors.ReplyLost),
        ([reply({"rows": [row(0)], "pageToken": "t"}), rpc_error(503)], errors.ServerFailed),
        ([reply({"rows": [row(0)], "pageToken": "t"})], errors.BadReply),
        ([reply({"rows": {}})], errors.BadReply),
        ([reply({"rows": [cells("{}", "")]})], errors.BadReply),
        ([reply({"rows": [5]})], errors.BadReply),
        ([reply([])], errors.BadReply),
    ],
)
def test_rows_are_never_silently_short(answers, kind):
    with pytest.raises(kind) as caught:
        rows(*answers)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("refusal", "kind", "words"),
    [
        (
            rpc_error(403, "PERMISSION_DENIED"),
            errors.PermissionDenied,
            [f"{Table('example.com:p-1', 'd', 'my table')}"],
        ),
        (rpc_error(404, "NOT_FOUND"), errors.NotFound, ["my table"]),
        (rpc_error(429), errors.QuotaExceeded, []),
    ],
)
def test_refusals_name_the_table(refusal, kind, words):
    one = bigquery(lambda _: refusal)
    for call in (lambda: one.columns(TABLE), lambda: list(one.rows(TABLE, []))):
        with pytest.raises(kind) as caught:
            call()
        assert caught.value.hint
        assert all(word in caught.value.hint for word in words)


@pytest.mark.parametrize(
    ("kind", "wire", "value"),
    [
        ("STRING", "5", "5"),
        ("INTEGER", "-9223372036854775808", -(2**63)),
        ("INT64", "7", 7),
        ("INTEGER", "x", "x"),
        ("INTEGER", "9" * 5000, "9" * 5000),
        ("FLOAT", "0.5", 0.5),
        ("FLOAT64", "Infinity", math.inf),
        ("BOOLEAN", "true", True),
        ("BOOL", "False", False),
        ("BOOL", "maybe", "maybe"),
        ("NUMERIC", "1.10", "1.10"),
        ("TIMESTAMP", "1.7E9", "1.7E9"),
        ("BYTES", "aGk=", "aGk="),
        ("JSON", '{"a": [1, null]}', {"a": [1, None]}),
        ("JSON", "null", None),
        ("JSON", '"text"', "text"),
        ("JSON", "{broken", "{broken"),
        ("JSON", "[" * 100_000, "[" * 100_000),
        ("JSON", "\ud800", "\ud800"),
        ("JSON", None, None),
        ("JSON", {"already": "read"}, {"already": "read"}),
    ],
)
def test_values(kind, wire, value):
    columns = read_columns([{"name": "a", "type": kind}])
    assert read_row(cells(wire), columns) == {"a": value}
    repeated = read_columns([{"name": "a", "type": kind, "mode": "REPEATED"}])
    assert read_row(cells([{"v": wire}, {"v": wire}]), repeated) == {"a": [value, value]}


def test_records():
    inner = [{"name": "x", "type": "INT64"}, {"name": "ys", "type": "FLOAT64", "mode": "REPEATED"}]
    columns = read_columns([{"name": "r", "type": "STRUCT", "mode": "REPEATED", "fields": inner}])
    wire = cells([{"v": cells("1", [{"v": "0.5"}])}, {"v": cells(None, [])}])
    assert read_row(wire, columns) == {"r": [{"x": 1, "ys": [0.5]}, {"x": None, "ys": []}]}
    assert read_row(cells(None), columns) == {"r": []}


@pytest.mark.parametrize("wire", [cells("x"), cells({}), cells([{"v": "x"}]), {"f": 5}, 5, {}])
def test_a_row_of_another_shape(wire):
    columns = read_columns(
        [{"name": "r", "type": "RECORD", "mode": "REPEATED", "fields": [{"name": "x", "type": "STRING"}]}]
    )
    with pytest.raises(ValueError, match=r"column|list"):
        read_row(wire, columns)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["rows", "f", "v", "pageToken", "totalRows", "schema", "fields", "name", "type"]),
            inner,
            max_size=4,
        )
    ),
)


@settings(max_examples=effort(30, 1500))
@given(st.lists(ANYTHING, min_size=1, max_size=3), st.sampled_from(["JSON", "INTEGER", "RECORD", "STRING"]))
def test_any_answer_gives_rows_or_an_api_error(values, kind):
    answers = [lambda _, one=one: httpx.Response(200, content=json.dumps(one).encode()) for one in values]
    fields = [{"name": "f", "type": kind, "mode": "REPEATED", "fields": [{"name": "x", "type": "JSON"}]}]
    with suppress(errors.ApiError):
        bigquery(Script(*answers)).columns(TABLE)
    with suppress(errors.ApiError):
        list(bigquery(Script(*answers)).rows(TABLE, read_columns(fields)))
