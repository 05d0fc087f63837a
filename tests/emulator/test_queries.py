"""Query parameters: those of a method, those of all methods, and unknown ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cloud_calls import Plane
from tests.support.embedded_emulator import World
from tests.support.vertex_calls import JOBS, Vertex


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1beta/batches", "pagesize"),
        ("/v1beta/batches", "orderBy"),
        ("/v1/files", "readMask"),
        ("/v1beta/models/gemini-2.5-flash", "pageSize"),
        ("/v1beta/batches/none", "filter"),
        ("/v1beta/files/none", "$pageSize"),
        ("/v1beta/files/batch-none:download", "altmedia"),
    ],
)
def test_an_unknown_query_parameter_is_refused(world: World, path: str, name: str) -> None:
    error = world.refused(400, "GET", path, params={name: "1"})
    assert error["message"] == (
        f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter.'
        f" Field '{name}' could not be found in request message."
    )
    assert error["details"][0]["fieldViolations"]


def test_an_unknown_query_parameter_is_refused_on_vertex(vertex: Vertex) -> None:
    vertex.refused(400, "GET", JOBS, params={"orderBy": "create_time"})
    vertex.refused(400, "POST", JOBS, params={"requestId": "1"}, json={})
    vertex.refused(400, "GET", f"{JOBS}/1", params={"readMask": "name"})
    vertex.ok("GET", "/v1/publishers/google/models/gemini-2.5-flash", params={"view": "BASIC", "languageCode": "en"})


@pytest.mark.parametrize("spelling", [("pageSize", "pageToken"), ("page_size", "page_token")])
def test_parameters_have_two_spellings(world: World, vertex: Vertex, spelling: tuple[str, str]) -> None:
    size, token = spelling
    for asked, path in ((world, "/v1beta/batches"), (world, "/v1beta/files"), (world, "/v1/models"), (vertex, JOBS)):
        assert asked.http.get(path, params={size: "1", token: ""}).status_code == 200


def test_parameters_of_all_methods_are_accepted(world: World) -> None:
    names = ("alt", "callback", "fields", "key", "prettyPrint", "quotaUser", "userProject", "uploadType", "$.xgafv")
    query = dict.fromkeys((*names, "$alt", "$fields", "$prettyPrint", "oauth_token", "upload_protocol"), "")
    world.ok("GET", "/v1beta/batches", params={**query, "key": "k", "returnPartialSuccess": "true"})


def test_older_apis_accept_any_parameter(tmp_path: Path) -> None:
    plane = Plane(tmp_path / "e.db")
    plane.ok("GET", "/storage/v1/b", params={"project": "p", "nothing": "1"})
    plane.ok("GET", "/bigquery/v2/projects/p/datasets", params={"nothing": "1"})


def test_credentials_are_checked_before_parameters(world: World) -> None:
    world.refused(403, "GET", "/v1beta/batches", params={"nothing": "1"}, headers={"x-goog-api-key": ""})


@pytest.mark.parametrize("name", ["prettyPrint", "$prettyPrint"])
def test_a_reply_can_be_indented(world: World, name: str) -> None:
    world.create(name="d")
    assert '\n  "operations": [\n' in world.http.get("/v1beta/batches", params={name: "true"}).text
    for query in ({}, {name: "false"}):
        assert "\n" not in world.http.get("/v1beta/batches", params=query).text


@pytest.mark.parametrize("name", ["alt", "$alt"])
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("zzz", "Invalid value \"zzz\" for query parameter 'alt'"),
        ("JSON", "Invalid value \"JSON\" for query parameter 'alt'"),
        ("json;zzz", "Invalid value \"json;zzz\" for query parameter 'alt'"),
        ("media", 'Unsupported alt type "media" for non byte stream request.'),
        ("proto", 'Unsupported alt type "proto": the emulator answers in JSON.'),
    ],
)
def test_an_unknown_alt_is_refused(world: World, vertex: Vertex, name: str, value: str, words: str) -> None:
    for asked, verb, path in (
        (world, "GET", "/v1beta/batches"),
        (world, "POST", "/upload/v1beta/files"),
        (vertex, "GET", JOBS),
    ):
        assert asked.refused(400, verb, path, params={name: value})["message"] == words


def test_an_unknown_alt_is_refused_before_authentication(world: World) -> None:
    reply = world.http.get("/v1beta/batches", params={"alt": "zzz"}, headers={"x-goog-api-key": ""})
    assert reply.status_code == 400


@pytest.mark.parametrize("path", ["/storage/v1/b?project=p&", "/bigquery/v2/projects/p/datasets?"])
def test_older_apis_refuse_an_unknown_alt_in_their_format(tmp_path: Path, path: str) -> None:
    plane = Plane(tmp_path / "e.db")
    error = plane.http.get(f"{path}alt=zzz").json()["error"]
    assert (error["code"], error["errors"][0]["location"]) == (400, "alt")
    assert plane.http.get(f"{path}alt=json").status_code == 200
    plane.http.close()


def test_known_forms_of_the_reply_are_accepted(world: World) -> None:
    for value in ("json", "", "json;enum-encoding=int"):
        world.ok("GET", "/v1beta/batches", params={"alt": value})
