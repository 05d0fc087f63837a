"""Traps of the reference in lists, jobs and limits: three jobs pass each of them from create to results, unharmed."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.support.engine import job, phases
from tests.support.trap_stories import Asked, Trap, on_operations, operations, page, tell_unharmed, told

OBJECT_DETAILS = [{"@type": "type.googleapis.com/google.rpc.DebugInfo", "detail": {"deep": [1, None]}}]


def every(number: int):
    """Counts calls; true for each `number`th of them, the first one included."""
    count = iter(range(10**6))
    return lambda: next(count) % number == 0


def empty_now_and_then(what: str):
    due = every(2)
    return lambda asked: told({}) if asked.what == what and due() else None


def needs_page_size(asked: Asked) -> httpx.Response | None:
    if asked.what != "list":
        return None
    return asked.answer() if asked.request.url.params.get("pageSize") else told({})


def in_pages_of_one():
    """Each job on a page of its own, an empty page with a token before each, and the first one empty too."""
    entries: list = []

    def twist(asked: Asked) -> httpx.Response | None:
        if asked.what != "list":
            return None
        place = int(asked.request.url.params.get("pageToken", "0"))
        if place == 0:
            entries[:] = operations(asked.json())
        shown = {"operations": [entries[place // 2]]} if place % 2 else {}
        return told({**shown, "nextPageToken": str(place + 1) if place < 2 * len(entries) - 1 else ""})

    return twist


def unordered(asked: Asked) -> httpx.Response | None:
    return (
        told({"operations": sorted(operations(asked.json()), key=lambda one: one["name"][::-1])})
        if (asked.what == "list")
        else None
    )


def bare_done(operation):
    if operation.get("done"):
        operation["metadata"].pop("output", None)
        operation.pop("response", None)


def with_types(operation):
    v1main = "type.googleapis.com/google.ai.generativelanguage.v1main."
    operation["metadata"]["@type"] = f"{v1main}GenerateContentBatch"
    operation["response"] = {"@type": f"{v1main}EmbedContentBatch"}


def without(*names: str):
    def change(operation):
        for name in names:
            operation["metadata"].pop(name, None)

    return change


def nine_digits(operation):
    for name in ("createTime", "endTime", "updateTime"):
        if name in operation["metadata"]:
            operation["metadata"][name] = re.sub(r"(\.[0-9]+)?Z$", ".407650525Z", operation["metadata"][name])


def counts_as(kind):
    def change(operation):
        stats = operation["metadata"].get("batchStats", {})
        operation["metadata"]["batchStats"] = {name: kind(count) for name, count in stats.items()}

    return change


def more_fields(operation):
    operation["metadata"] |= {"newField": {"deep": []}, "priority": "-3", "webhookConfig": None}
    operation["newToo"] = "x"


def sdk_states(operation):
    operation["metadata"]["state"] = operation["metadata"]["state"].replace("BATCH_", "JOB_")


def new_state_while_running(operation):
    state = operation["metadata"]["state"]
    operation["metadata"]["state"] = "BATCH_STATE_WARMING_UP" if state == "BATCH_STATE_RUNNING" else state


def with_error_objects(operation):
    operation["error"] = {"code": 13, "message": "m", "details": OBJECT_DETAILS}


def pages_of_a_proxy(status: int):
    due = every(3)
    due()  # a first look at nothing but such a page is a wrong endpoint, and ends the command
    return lambda asked: page(status) if asked.what in {"list", "get"} and due() else None


shown = on_operations("list", "get", "create")
listed = on_operations("list")
READS = "batches.[lg]*"
SOME = {"probability": 0.4, "seed": 5}


def fault(method: str, kind: str, **more) -> dict:
    return {"method": method, "kind": kind, **more}


LOST = fault("batches.create", "cut", when="after", count=3)
"""Every job has to be found by its mark, in the very list that is the trap."""
TRAPS = [
    Trap("empty list now and then", "1.5", empty_now_and_then("list")),
    Trap("empty page in the middle", "1.5, 6.5", faults=(fault("batches.list", "emptyPage"), LOST)),
    Trap("a token after every page, empty first page", "6.5", in_pages_of_one(), (LOST,)),
    Trap("list empty without page size", "1.5, 13", needs_page_size, (LOST,)),
    Trap("stale stats", "1.5", faults=(fault("batches.list", "staleStats"),)),
    Trap("unordered list", "1.5", unordered, (LOST,)),
    Trap("done without response", "1.5", listed(bare_done)),
    Trap("list lags behind create", "15", faults=(fault("batches.list", "listLag", delay="30s", count=20), LOST)),
    Trap("@type of v1main, or of another message", "1.4", shown(with_types)),
    Trap("no updateTime, endTime and batchStats", "1.2", shown(without("updateTime", "endTime", "batchStats"))),
    Trap("no createTime and updateTime either", "1.2", shown(without("createTime", "updateTime", "model"))),
    Trap("times with nine digits", "1.2", shown(nine_digits)),
    Trap("counts as strings", "1.2", shown(counts_as(str))),
    Trap("counts as numbers", "1.2", shown(counts_as(int))),
    Trap("unknown fields", "6.6", shown(more_fields)),
    Trap("states by the SDK's names", "5", shown(sdk_states)),
    Trap("a state that nobody knows", "5", shown(new_state_while_running)),
    Trap("error details that are objects", "6.6", shown(with_error_objects)),
    Trap("429 on reads", "9", faults=(fault("batches.list", "status", status=429, **SOME),)),
    Trap(
        "429 on reads with RetryInfo", "9", faults=(fault("batches.*", "status", status=429, retryInfo="7s", **SOME),)
    ),
    Trap("429 on create although usage is low", "13", faults=(fault("batches.create", "status", status=429, count=4),)),
    Trap("create answered and lost", "1.2, 6.5", faults=(LOST,)),
    Trap(
        "create done, then 503", "6.5", faults=(fault("batches.create", "status", status=503, when="after", count=3),)
    ),
    Trap("a proxy's page in place of a read", "9", pages_of_a_proxy(502)),
    Trap("a proxy's page that says 404", "9", pages_of_a_proxy(404)),
    Trap("a proxy's page that says 200", "9", pages_of_a_proxy(200)),
]


@pytest.mark.parametrize("trap", TRAPS, ids=str)
def test_three_jobs_come_through(make_world, trap):
    tell_unharmed(make_world(settings=trap.settings), trap)


@pytest.mark.parametrize("status", [200, 404])
def test_nothing_but_a_proxys_pages_ends_a_watch(world, status):
    """9: one such page ends no watch of a day, three passes of nothing else do; and nothing is done meanwhile."""
    world.here.rules({"running": "10m"})
    world.apply(job("a"))
    looks = []

    def twist(asked):
        looks.append(asked.what)
        return page(status) if asked.what == "list" and len(looks) > 2 else None

    world.line.twist = twist
    report = world.watch(job("a"))
    assert (phases(report), looks, report.stopped) == ({"a": "Unknown"}, ["list"] * 5, None)
    assert world.writes() == {"create a@1.0": 1}


def test_a_list_that_is_not_whole_by_its_own_word_is_none(world):
    """1.5: `unreachable` was never seen here, but it is proto's word for a list that lacks some."""
    world.apply(job("a"))
    world.line.twist = lambda asked: told({**asked.json(), "operations": [], "unreachable": ["x"]})
    report = world.one_pass(job("a"), job("b"))
    assert ({str(one.phase) for one in report.plan.jobs}, len(report.errors)) == ({"Unknown"}, 1)
    assert world.writes() == {"create a@1.0": 1}


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": 503, "message": "come back later"}},
        {"message": "Service Unavailable"},
        {"kind": "something#else"},
        {"operations": None},
    ],
)
def test_what_a_proxy_says_with_200_is_no_empty_list(world, body):
    """16: with the state lost, an empty list would buy every job again."""
    world.apply(job("a"))
    for path in world.folder.glob("state.db*"):
        path.unlink()
    world.line.twist = lambda asked: told(body)
    report = world.one_pass(job("a"))
    assert ([str(one.phase) for one in report.plan.jobs], len(report.errors)) == (["Unknown"], 1)
    assert world.writes() == {"create a@1.0": 1}
