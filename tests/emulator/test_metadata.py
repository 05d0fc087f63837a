"""The metadata server, from which SDKs get their credentials."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.vertex_calls import JOBS, Vertex

METADATA = "/computeMetadata/v1/"
ACCOUNT = f"{METADATA}instance/service-accounts/default/"
FLAVOR = {"metadata-flavor": "Google", "authorization": ""}
EMAIL = "emulator@emulator.iam.gserviceaccount.com"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
ACCOUNT_SAYS = {"aliases": ["default"], "email": EMAIL, "scopes": [SCOPE]}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "computeMetadata/\n"),
        ("/computeMetadata", "v1/\n"),
        (METADATA, "instance/\nproject/\nuniverse/\n"),
        ("/computeMetadata/v1/instance", "id\nname\nregion\nservice-accounts/\nzone\n"),
        ("/computeMetadata/v1/instance/", "id\nname\nregion\nservice-accounts/\nzone\n"),
        (f"{METADATA}instance/service-accounts", f"default/\n{EMAIL}/\n"),
        (f"{METADATA}instance/service-accounts/?recursive=true", {"default": ACCOUNT_SAYS, EMAIL: ACCOUNT_SAYS}),
        (f"{METADATA}universe/?recursive=true", {"universeDomain": "googleapis.com"}),
        (f"{METADATA}project/project-id?alt=json", "emulator"),
        (f"{METADATA}universe/universe_domain", "googleapis.com"),
        (f"{ACCOUNT}?recursive=true", ACCOUNT_SAYS),
        (ACCOUNT, "aliases\nemail\nscopes\ntoken\n"),
        (f"{METADATA}instance/service-accounts/{EMAIL}/email", EMAIL),
        (
            f"{ACCOUNT}token?scopes=x",
            {"access_token": "emulator-token-1", "expires_in": 3600, "token_type": "Bearer"},
        ),
        (f"{ACCOUNT}scopes", SCOPE),
        (f"{METADATA}project/project-id", "emulator"),
        (f"{METADATA}universe/universe-domain", "googleapis.com"),
    ],
)
def test_the_metadata_server_issues_credentials(vertex: Vertex, path: str, expected: Any) -> None:
    reply = vertex.http.get(path, headers=FLAVOR)
    assert (reply.status_code, reply.headers["metadata-flavor"]) == (200, "Google")
    as_json = reply.headers["content-type"] == "application/json"
    assert (reply.json() if as_json else reply.text) == expected
    for headers in ({}, {"metadata-flavor": "other"}, {**FLAVOR, "x-forwarded-for": "203.0.113.1"}):
        told = vertex.http.get(path, headers=headers)
        if path == "/" and headers != {**FLAVOR, "x-forwarded-for": "203.0.113.1"}:
            assert told.status_code == 404
        else:
            assert (told.status_code, told.text) == (403, "Missing Metadata-Flavor:Google header.\n")


@pytest.mark.parametrize(
    "path", ["nothing", "instance/nothing", "instance/id/more", "instance/service-accounts/other/token"]
)
def test_unknown_metadata_paths_are_not_found(vertex: Vertex, path: str) -> None:
    reply = vertex.http.get(f"{METADATA}{path}", headers=FLAVOR)
    assert (reply.status_code, reply.headers["metadata-flavor"]) == (404, "Google")
    assert vertex.http.get("/computeMetadataX", headers=FLAVOR).status_code == 404


def test_the_metadata_region_is_the_default_location(vertex: Vertex) -> None:
    number = vertex.http.get(f"{METADATA}project/numeric-project-id", headers=FLAVOR).text
    zone = vertex.http.get(f"{METADATA}instance/zone", headers=FLAVOR).text
    assert zone == f"projects/{number}/zones/us-central1-a"


def test_the_metadata_server_issues_a_new_token_each_time(vertex: Vertex) -> None:
    given = [vertex.http.get(f"{ACCOUNT}token", headers=FLAVOR).json()["access_token"] for _ in range(3)]
    assert given == [f"emulator-token-{number}" for number in (1, 2, 3)]


def test_the_metadata_project_has_a_number(vertex: Vertex) -> None:
    number = vertex.http.get(f"{METADATA}project/numeric-project-id", headers=FLAVOR).text
    assert vertex.make(JOBS.replace("demo", "emulator"))["name"].startswith(f"projects/{number}/")
