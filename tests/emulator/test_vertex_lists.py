from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batchctl.emulator.job_store import Job, add_job
from batchctl.emulator.rules import Course
from batchctl.emulator.vertex.filters import parse_filter
from batchctl.emulator.vertex.masks import parse_read_mask
from batchctl.emulator.vertex.resource_names import parent_of
from batchctl.emulator.wire import Refused
from tests.support.vertex_calls import JOBS, MODEL, Vertex

OTHER = "publishers/google/models/gemini-2.5-pro"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vertex]:
    """Four jobs: `my_job_1` runs, `my_job_2` has succeeded, `other?` failed, `[x] "q"` waits."""
    world = Vertex(tmp_path_factory.mktemp("lists") / "emulator.db")
    world.make(displayName="my_job_2", labels={"team": "search", "key-a": "1"})
    world.rules({"match": {"displayName": "other*"}, "fate": "fail"}, {"running": "20h"})
    world.pass_time("1h")
    world.make(displayName="other?", model=OTHER, labels={"team": "ads"})
    world.pass_time("1h")
    world.make(displayName="my_job_1", labels={"team": "search", "empty": ""})
    world.pass_time("2s")
    world.make(displayName='[x] "q"')
    yield world
    world.http.close()


ALL = ['[x] "q"', "my_job_1", "other?", "my_job_2"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ALL),
        ("  ", ALL),
        ('display_name="my_job_1"', ["my_job_1"]),
        ("display_name='my_job_1'", ["my_job_1"]),
        ("display_name = my_job_1", ["my_job_1"]),
        ('display_name="MY_JOB_1"', []),
        ('display_name="my_job_*"', []),
        (r'display_name="[x] \"q\""', ['[x] "q"']),
        ('display_name!="my_job_1"', ['[x] "q"', "other?", "my_job_2"]),
        ('NOT display_name="my_job_1"', ['[x] "q"', "other?", "my_job_2"]),
        ('display_name:"my_job_*"', ["my_job_1", "my_job_2"]),
        ("display_name:*job*1", ["my_job_1"]),
        ('display_name:"other?"', ["other?"]),
        ('display_name:"my_job_?"', []),
        ('display_name:"[x]*"', ['[x] "q"']),
        ('display_name:"x*"', []),
        ('model_display_name="gemini-2.5-pro"', ["other?"]),
        ("model_display_name!=gemini-2.5-pro", ['[x] "q"', "my_job_1", "my_job_2"]),
        ("model_display_name=pro", []),
        ('state="JOB_STATE_RUNNING"', ["my_job_1"]),
        ("state=JOB_STATE_FAILED OR state=JOB_STATE_PENDING", ['[x] "q"', "other?"]),
        ("state!=JOB_STATE_SUCCEEDED", ['[x] "q"', "my_job_1", "other?"]),
        ("state=JOB_STATE_UNSPECIFIED", []),
        ('create_time>"2026-03-01T13:00:00Z"', ['[x] "q"', "my_job_1"]),
        ("create_time>=2026-03-01T13:00:00Z", ['[x] "q"', "my_job_1", "other?"]),
        ('create_time="2026-03-01T13:00:00.000000Z"', ["other?"]),
        ('create_time!="2026-03-01T14:00:00+01:00"', ['[x] "q"', "my_job_1", "my_job_2"]),
        ('create_time<"2026-03-01T13:00:00Z"', ["my_job_2"]),
        ('create_time<="2026-03-01T13:00:00Z"', ["other?", "my_job_2"]),
        ("labels.team=search", ["my_job_1", "my_job_2"]),
        ('labels.team="search" AND labels.key-a=1', ["my_job_2"]),
        ("labels.team:*", ["my_job_1", "other?", "my_job_2"]),
        ("labels.empty:*", ["my_job_1"]),
        ('labels.empty=""', ["my_job_1"]),
        ("NOT labels.team=search", ['[x] "q"', "other?"]),
        ("NOT labels.keyA:*", ALL),
        ('state="JOB_STATE_SUCCEEDED" AND display_name:"my_job_*"', ["my_job_2"]),
        ("labels.team=ads OR labels.team=search AND display_name=my_job_1", ["my_job_1"]),
        ("(labels.team=search AND display_name=my_job_1) OR labels.team=ads", ["my_job_1", "other?"]),
        ("NOT (labels.team:* OR display_name=x)AND(labels.team=x OR NOT labels.key-a:*)", ['[x] "q"']),
        ("display_name=AND", []),
    ],
)
def test_a_list_can_be_filtered(world: Vertex, text: str, expected: list[str]) -> None:
    assert [job["displayName"] for job in world.listed(filter=text)] == expected


@pytest.mark.parametrize(
    ("text", "message", "at"),
    [
        ("size>3", "unknown field 'size'", 0),
        ("displayName=x", "unknown field 'displayName'", 0),
        ("labels=x", "unknown field 'labels'", 0),
        ("display_name", "expected a comparison after 'display_name'", 0),
        ("display_name=", "expected a value, not the end", 13),
        ("display_name=(x)", "expected a value, not '('", 13),
        ("display_name>x", "'display_name' does not support >", 0),
        ("model_display_name:x", "'model_display_name' does not support :", 0),
        ("state:JOB_STATE_FAILED", "'state' does not support :", 0),
        ("state=FAILED", "'FAILED' is not a state", 6),
        ("create_time:2026-03-01T13:00:00Z", "'create_time' does not support :", 0),
        ("create_time>today", "'today' is not an RFC 3339 time", 12),
        ("create_time>2026-03-01T13:00:00", "'2026-03-01T13:00:00' is not an RFC 3339 time", 12),
        ("labels.a!=b", "'labels.a' does not support !=", 0),
        ("labels.a:b", "'labels.a': only the value * is allowed", 9),
        ('labels.a:"*"', "'labels.a': only the value * is allowed", 9),
        ("(state=JOB_STATE_FAILED", "expected a closing parenthesis, not the end", 23),
        ("state=JOB_STATE_FAILED)", "expected AND, OR or the end, not ')'", 22),
        ("display_name=a display_name=b", "expected AND, OR or the end, not 'display_name'", 15),
        ("display_name=a and display_name=b", "expected AND, OR or the end, not 'and'", 15),
        ("display_name=a AND", "expected a field, not the end", 18),
        ("AND display_name=a", "expected a field, not 'AND'", 0),
        ('"display_name"=a', "expected a field, not 'display_name'", 0),
        ('display_name="a', "cannot parse '\"a'", 13),
        ("!display_name=a", "cannot parse '!display_name=a'", 0),
        ("NOT NOT display_name=a", "expected a comparison after 'NOT'", 4),
        (" OR ".join(["state=JOB_STATE_FAILED"] * 201), "more than 200 signs", 5222),
    ],
)
def test_an_invalid_filter_is_refused_with_its_position(world: Vertex, text: str, message: str, at: int) -> None:
    error = world.refused(400, "GET", JOBS, params={"filter": text})
    assert error["status"] == "INVALID_ARGUMENT"
    assert f"invalid filter: {message}" in error["message"]
    assert error["message"].endswith(f", at position {at}.")


def test_a_filter_of_the_maximum_size_is_accepted(world: Vertex) -> None:
    text = " OR ".join(f"state=JOB_STATE_FAILED AND labels.l{number}=x" for number in range(99))
    assert [job["displayName"] for job in world.listed(filter=f"{text} OR display_name:*")] == ["other?"]
    assert world.listed(filter=f"{'(' * 90}labels.team:*{')' * 90}") == world.listed(filter="labels.team:*")


def test_label_keys_are_not_interpreted_as_json_paths() -> None:
    with pytest.raises(Refused):
        parse_filter('labels.a"]=x')
    with pytest.raises(Refused):
        parse_filter("labels.a.b=x")


@pytest.mark.parametrize(
    ("mask", "members"),
    [
        ("name", {"name"}),
        ("name,displayName,display_name", {"name", "displayName"}),
        ("labels.team, state", {"labels", "state"}),
        ("labels,labels.team", {"labels"}),
        ("input_config.gcs_source,create_time", {"inputConfig", "createTime"}),
        ("error", set()),
    ],
)
def test_a_read_mask_removes_members(world: Vertex, mask: str, members: set[str]) -> None:
    [whole] = world.listed(filter="display_name=my_job_2")
    [job] = world.listed(filter="display_name=my_job_2", readMask=mask)
    assert job.keys() == members
    wanted = {
        **whole,
        "labels": {"team": "search"} if "labels.team," in mask else whole["labels"],
        "inputConfig": {"gcsSource": whole["inputConfig"]["gcsSource"]},
    }
    assert job == {name: wanted[name] for name in members}


@pytest.mark.parametrize("mask", [None, "", "*"])
def test_an_empty_mask_removes_nothing(world: Vertex, mask: str | None) -> None:
    assert parse_read_mask(mask).keep({"name": "x"}) == {"name": "x"}


@pytest.mark.parametrize("mask", ["size", "name,", "name,display_name.", "labels.a/b", "name display_name"])
def test_a_wrong_read_mask_is_refused(world: Vertex, mask: str) -> None:
    assert "invalid read mask path" in world.refused(400, "GET", JOBS, params={"readMask": mask})["message"]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("text", ["", "display_name:*o*"])
def test_pages_follow_each_other(world: Vertex, size: int, text: str) -> None:
    found: list[str] = []
    params: dict[str, Any] = {"pageSize": size, "filter": text}
    while True:
        page = world.ok("GET", JOBS, params=params)
        jobs = page.get("batchPredictionJobs", [])
        found += [job["displayName"] for job in jobs]
        if "nextPageToken" not in page:
            break
        assert len(jobs) == size
        params["pageToken"] = page["nextPageToken"]
    assert found == (ALL[1:] if text else ALL)


@pytest.mark.parametrize(
    ("params", "text"),
    [({"pageSize": "many"}, "page_size"), ({"pageToken": "x"}, "Invalid page token.")],
)
def test_wrong_paging_is_refused(world: Vertex, params: dict[str, str], text: str) -> None:
    assert text in world.refused(400, "GET", JOBS, params=params)["message"]


def test_an_empty_list_is_an_empty_object(world: Vertex) -> None:
    assert world.ok("GET", JOBS, params={"filter": "labels.none:*"}) == {}


def test_a_label_is_found_quickly_among_many_jobs(tmp_path: Path) -> None:
    """Reading them all would take seconds."""
    world = Vertex(tmp_path / "many.db")
    parent = parent_of(world.store, "demo", "us-central1")
    with world.store.transaction():
        for number in range(10_000):
            add_job(
                world.store,
                Job(
                    api="vertex",
                    name=f"{parent}/batchPredictionJobs/{number}",
                    kind="generate",
                    model=MODEL,
                    display_name=f"job {number}",
                    input_file=None,
                    input_blob="",
                    request_count=0,
                    failed_count=0,
                    created=world.moment,
                    updated=world.moment,
                    course=Course(10**18, 0),
                    labels={"batchctl-stack": "s", "batchctl-token": str(number)},
                    parent=parent,
                ),
            )

    def seconds() -> float:
        began = time.process_time()
        assert [job["displayName"] for job in world.listed(filter="labels.batchctl-token=77")] == ["job 77"]
        assert world.listed(filter="labels.batchctl-stack=other AND state=JOB_STATE_PENDING") == []
        return time.process_time() - began

    # What else the machine does makes a measurement longer, and not each of them.
    assert any(seconds() < 1 for _ in range(10))
    world.http.close()
