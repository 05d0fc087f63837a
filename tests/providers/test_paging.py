"""Empty lists: every list that batchctl reads is empty only if the API's reply has its own form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from batchctl.model import errors
from batchctl.providers.cloud.addresses import ObjectPath, Table
from tests.support import scripted_vertex as vertex_kit
from tests.support.scripted_api import Script, provider, reply
from tests.support.scripted_cloud import bigquery, storage

List = Callable[[Script], list[Any]]
LISTS: dict[str, tuple[str, str, List]] = {
    "batches": ("operations", "nextPageToken", lambda script: list(provider(script).list_jobs())),
    "jobs": ("batchPredictionJobs", "nextPageToken", lambda script: list(vertex_kit.provider(script).list_jobs())),
    "objects": ("items", "nextPageToken", lambda script: list(storage(script).list(ObjectPath("bucket", "p/")))),
    "files": ("files", "nextPageToken", lambda script: [None] * provider(script).uploads().files),
    "rows": ("rows", "pageToken", lambda script: list(bigquery(script).rows(Table("p", "d", "t"), []))),
}
"""Each list with the member of its entries, that of its next page token, and how it is read."""


def each_list() -> Any:
    return pytest.mark.parametrize(("member", "token", "read"), LISTS.values(), ids=LISTS.keys())


@each_list()
def test_an_empty_list_has_the_apis_form(member: str, token: str, read: List) -> None:
    for body in ({}, {member: []}, {token: ""}, {token: None}, {"unreachable": []}, {"unreachable": [], token: ""}):
        assert read(Script(reply(body))) == [], body
    script = Script(reply({token: "next"}), reply({}))
    assert read(script) == []
    assert len(script.requests) == 2


@each_list()
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            {"error": {"code": 503, "message": "come back later", "status": "UNAVAILABLE"}},
            "UNAVAILABLE come back later",
        ),
        ({"error": "quota is used up"}, "quota is used up"),
        ({"error": {}}, "error instead of the list"),
        ({"error": None}, "error instead of the list"),
        ({"message": "Service Unavailable"}, "it has message: Service Unavailable"),
        ({"kind": "something#else"}, "it has kind"),
        ({"kind": 5}, "it has kind"),
        ({"status": "ok"}, "it has status"),
        ({"code": 0, "data": [], "success": True}, "it has code, data, success"),
        ({"caf\u00e9\x1b[2J": 1}, "it has caf"),
    ],
)
def test_a_reply_of_another_server_is_not_a_list(
    body: dict[str, Any], words: str, member: str, token: str, read: List
) -> None:
    # An error object alone is the call's own failure, for every call: see test_error_rules.
    alone = [] if isinstance(body.get("error"), dict) and body["error"] else [body]
    for shown in (*alone, {**body, token: ""}, {**body, token: "next"}, {**body, "unreachable": []}):
        script = Script(reply(shown), reply({}))
        with pytest.raises(errors.BadReply) as caught:
            read(script)
        assert len(script.requests) == 1, f"{shown} was taken for a page of {member}"
        assert caught.value.message.isprintable()
        assert words in caught.value.message


@each_list()
@pytest.mark.parametrize("value", [None, {}, "", "x", 0, 5, False, True])
def test_a_list_of_another_type_is_none(value: Any, member: str, token: str, read: List) -> None:
    for body in ({member: value}, {member: value, token: "next"}):
        script = Script(reply(body), reply({}))
        with pytest.raises(errors.BadReply):
            read(script)
        assert len(script.requests) == 1


@each_list()
@pytest.mark.parametrize("value", [0, 5, False, True, [], {}, ["next"]])
def test_a_token_of_another_type_does_not_end_a_list(value: Any, member: str, token: str, read: List) -> None:
    with pytest.raises(errors.BadReply):
        read(Script(reply({member: [], token: value})))


@each_list()
@pytest.mark.parametrize("value", [["us-central1"], {}, "", "us-central1", 0, True])
def test_what_could_not_be_reached_may_hold_anything(value: Any, member: str, token: str, read: List) -> None:
    with pytest.raises(errors.BadReply):
        read(Script(reply({member: [], token: "", "unreachable": value})))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("objects", {"kind": "storage#objects"}),
        ("rows", {"kind": "bigquery#tableDataList", "etag": "abc", "totalRows": "0"}),
    ],
)
def test_a_service_may_name_its_own_empty_list(name: str, body: dict[str, Any]) -> None:
    assert LISTS[name][2](Script(reply(body))) == []


@pytest.mark.parametrize("total", [{}, {"totalRows": None}, {"totalRows": "many"}, {"totalRows": -1}])
def test_rows_without_their_number_are_no_table(total: dict[str, Any]) -> None:
    with pytest.raises(errors.BadReply, match="number of rows"):
        LISTS["rows"][2](Script(reply({"kind": "bigquery#tableDataList", "etag": "abc", **total})))


def test_an_error_beside_entries_spoils_the_page() -> None:
    error = {"code": 13, "message": "one shard did not answer"}
    with pytest.raises(errors.BadReply, match="one shard did not answer"):
        list(provider(Script(reply({"operations": [], "error": error}))).list_jobs())
