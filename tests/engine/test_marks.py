"""A service that damages marks: nothing more is created where a lost create call could not be found again."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.support.engine import job, made, phases


def cut_names(world, length: int) -> None:
    """Let the service keep so many characters of each display name."""
    inner = world.here.wire._inner

    class Cutting(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith(":batchGenerateContent"):
                body = json.loads(request.content)
                body["batch"]["displayName"] = body["batch"]["displayName"][:length]
                headers = {name: value for name, value in request.headers.items() if name != "content-length"}
                request = httpx.Request(request.method, request.url, headers=headers, content=json.dumps(body))
                request.read()
            return inner.handle_request(request)

    world.here.wire._inner = Cutting()


@pytest.mark.parametrize("length", [20, 40])
def test_a_name_that_the_service_cuts_holds_further_creates(world, length):
    cut_names(world, length)
    world.apply(job("a"))
    assert any("another name was sent" in warning for warning in world.progress.warnings)
    report = world.apply(job("a"), job("b"))
    assert phases(report) == {"a": "Active", "b": "Waiting"}
    assert len(world.here.jobs()) == 1
    assert "shows a damaged mark" in next(one.reason for one in report.last.jobs if one.job == "b")


def test_a_lost_call_is_not_sent_again_under_a_damaged_mark(world):
    world.apply(job("a"))
    cut_names(world, 25)
    world.here.faults({"method": "batches.create", "kind": "cut", "when": "after", "count": 1})
    world.one_pass(job("a"), job("b"))
    world.time.sleep(600)
    world.apply(job("a"), job("b"))
    assert len(world.here.jobs()) == 2


def test_a_name_that_is_spaced_otherwise_is_known_again(world):
    world.here.faults({"method": "batches.create", "kind": "cut", "when": "after", "count": 1})
    world.one_pass(job("a"))
    (lost,) = world.here.jobs()
    name = lost["displayName"].replace(" ", "\u00a0 ").rstrip("]")
    body = {"displayName": name, "model": lost["model"]}
    world.here.api("PATCH", f"{lost['name']}:updateGenerateContentBatch?updateMask=displayName", body)
    world.apply(job("a"))
    assert world.attempt("a").remote == lost["name"]
    assert made(world.here) == {"a@1.0": 1}


def test_a_job_renamed_by_hand_and_put_back_lets_creates_go_on(world):
    world.apply(job("a"))
    (one,) = world.here.jobs()
    path = f"{one['name']}:updateGenerateContentBatch?updateMask=displayName"
    world.here.api("PATCH", path, {"displayName": one["displayName"] + " (copy)", "model": one["model"]})
    assert phases(world.apply(job("a"), job("b")))["b"] == "Waiting"
    world.here.api("PATCH", path, {"displayName": one["displayName"], "model": one["model"]})
    world.apply(job("a"), job("b"))
    assert made(world.here) == {"a@1.0": 1, "b@1.0": 1}
