"""How many jobs a page of a list may have, and what a service does with a call that asks for more."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.embedded_emulator import World
from tests.support.vertex_calls import JOBS, Vertex

BATCHES = "/v1beta/batches"


def fill(world: World, count: int) -> None:
    for number in range(count):
        world.make(displayName=str(number)) if isinstance(world, Vertex) else world.create(name=str(number))


def page(world: World, **params: Any) -> tuple[list[str], str | None]:
    """The display names on a page, and the token."""
    if isinstance(world, Vertex):
        found = world.ok("GET", JOBS, params=params)
        return [job["displayName"] for job in found.get("batchPredictionJobs", [])], found.get("nextPageToken")
    found = world.ok("GET", BATCHES, params=params)
    return [job["metadata"]["displayName"] for job in found.get("operations", [])], found.get("nextPageToken")


def settings(world: World, **given: Any) -> None:
    world.ok("PUT", "/_emulator/settings", json=given)


@pytest.fixture(params=["gemini", "vertex"])
def service(request: pytest.FixtureRequest) -> World:
    world: World = request.getfixturevalue("world" if request.param == "gemini" else "vertex")
    fill(world, 5)
    return world


def test_a_page_has_as_many_as_it_may(service: World) -> None:
    settings(service, pageLimit=3)
    names, token = page(service, pageSize=100)
    assert names == ["4", "3", "2"]
    assert page(service, pageSize=100, pageToken=token) == (["1", "0"], None)
    assert page(service)[0] == names, "without a size, too"


def test_a_larger_page_is_refused(service: World) -> None:
    settings(service, pageLimit=3, pagesOverLimit="refuse")
    path = JOBS if isinstance(service, Vertex) else BATCHES
    error = service.refused(400, "GET", path, params={"pageSize": 4})
    assert (error["status"], error["message"]) == ("INVALID_ARGUMENT", "The page size must be at most 3.")
    names, token = page(service, pageSize=3)
    assert names == ["4", "3", "2"]
    service.refused(400, "GET", path, params={"pageSize": 4, "pageToken": token})
    assert page(service, pageSize=2, pageToken=token) == (["1", "0"], None)


def test_a_larger_page_is_empty(service: World) -> None:
    settings(service, pageLimit=3, pagesOverLimit="empty")
    assert page(service, pageSize=4) == ([], None)
    names, token = page(service, pageSize=3)
    assert names == ["4", "3", "2"]
    assert page(service, pageSize=4, pageToken=token) == ([], None)
    assert page(service, pageSize=3, pageToken=token) == (["1", "0"], None)


def test_a_larger_page_seems_to_be_the_last(service: World) -> None:
    settings(service, pageLimit=3, pagesOverLimit="end")
    assert page(service, pageSize=4) == (["4", "3", "2"], None)
    assert page(service, pageSize=3)[1] is not None


def test_a_limit_is_no_reason_to_refuse_a_call_without_a_size(service: World) -> None:
    settings(service, pageLimit=3, pagesOverLimit="refuse")
    path = JOBS if isinstance(service, Vertex) else BATCHES
    assert service.ok("GET", path)
