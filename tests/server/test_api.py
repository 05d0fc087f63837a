"""The documents behind the page: the same as `-o json`, in pages."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchctl.cli.plan_options import PlanOptions
from batchctl.report.job_document import status_document
from tests.support.closed_schemas import check_closed
from tests.support.engine import job
from tests.support.values import replace
from tests.support.web import serving, snapshot_of

FATES = (
    {"match": {"displayName": "*/stuck@*"}, "fate": "stuck"},
    {"match": {"displayName": "*/bad@*"}, "fate": "fail"},
)


def shop():
    return (
        job("bad"),
        job("good", labels={"team": "search"}),
        replace(job("late"), depends_on=("good", "stuck")),
        job("stuck", labels={"team": "ads"}),
        job("free"),
    )


@pytest.fixture(scope="module")
def snapshot(still):
    still.here.rules(*FATES)
    still.watch(*shop(), timeout=timedelta(minutes=5))
    return snapshot_of(still, *shop(), job("new"))


@pytest.fixture(scope="module")
def site(still, snapshot):
    with serving(still, snapshot) as found:
        yield found
    assert found.warnings == []


def names(document):
    return [item["job"] for item in document["items"]]


def test_jobs_are_the_rows_of_status(site, snapshot):
    document = site.get("/api/jobs")
    rows = {row["job"]: row for row in status_document(snapshot.status)["jobs"]}
    for item in document["items"]:
        own = {name: item.pop(name) for name in ("labels", "timer", "attention")}
        assert item == rows[item["job"]]
        assert own["attention"] is (item["job"] == "bad")
    check_closed("status", {**status_document(snapshot.status), "jobs": document["items"]})
    assert names(document) == ["bad", "late", "new", "stuck", "free", "good"]
    assert document["phases"] == {"Failed": 1, "Waiting": 2, "Active": 1, "Succeeded": 2}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"phase": "Succeeded"}, ["free", "good"]),
        ({"phase": ["Active", "Failed"]}, ["bad", "stuck"]),
        ({"phase": "attention"}, ["bad"]),
        ({"q": "GOOD"}, ["good"]),
        ({"q": "team=search"}, ["good"]),
        ({"q": "stuck pending"}, ["stuck"]),
        ({"q": "nothing-like-it"}, []),
        ({"label": "team=ads"}, ["stuck"]),
        ({"model": "gemini-2.5-flash", "provider": "here", "phase": "Failed"}, ["bad"]),
        ({"model": "other"}, []),
        ({"sort": "job"}, ["bad", "free", "good", "late", "new", "stuck"]),
        ({"sort": "-job"}, ["stuck", "new", "late", "good", "free", "bad"]),
        ({"sort": "-attention"}, ["good", "free", "stuck", "new", "late", "bad"]),
    ],
)
def test_filter_search_and_order(site, query, expected):
    document = site.get("/api/jobs", **query)
    assert names(document) == expected
    assert (document["total"], document["matched"]) == (6, len(expected))


@pytest.mark.parametrize("path", ["/api/jobs", "/api/timeline"])
def test_pages_have_each_job_once(site, path):
    found, cursor = [], None
    while True:
        page = site.get(path, limit=4, sort="job", **({} if cursor is None else {"cursor": cursor}))
        found += names(page)
        assert len(page["items"]) <= 4
        cursor = page["next"]
        if cursor is None:
            break
    assert found == ["bad", "free", "good", "late", "new", "stuck"]


@pytest.mark.parametrize(
    "query",
    [
        {"phase": "Nope"},
        {"sort": "nope"},
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "x"},
        {"cursor": "-1"},
        {"cursor": "٣"},
        {"label": "team"},
        {"nope": "1"},
        {"q": ["a", "b"]},
    ],
)
def test_a_wrong_parameter_is_an_error(site, query):
    assert site.error("/api/jobs", **query) == (400, "Usage")


def test_the_summary_counts_all(site):
    summary = site.get("/api/summary")
    assert summary["tokens"] == summary["cost"]["actual"]["tokens"]["total"] > 0
    assert (summary["stack"], summary["source"], summary["jobs"]) == ("shop", "state", 6)
    assert summary["phases"] == {"Failed": 1, "Waiting": 2, "Active": 1, "Succeeded": 2}
    assert summary["needsAttention"] == 1
    assert (summary["attention"], summary["lock"], summary["pass"]) == (["bad"], None, None)
    assert summary["plan"]["summary"]["create"] == 1
    (model,) = summary["models"]
    assert (model["model"], model["jobs"], model["rows"]) == ("gemini-2.5-flash", 6, summary["rows"])
    assert summary["rows"]["verdicts"] == {"NO_RESULT": 2, "OK": 4}
    site.surroundings.holder = "ada@laptop"
    try:
        assert site.get("/api/summary")["lock"] == {"holder": "ada@laptop"}
    finally:
        site.surroundings.holder = None


def test_one_job_is_its_description(site, snapshot):
    document = site.get("/api/jobs/good")
    check_closed("describe", document["describe"])
    assert document["describe"]["results"].startswith("results/good/")
    assert document["status"] == next(one for one in site.get("/api/jobs")["items"] if one["job"] == "good")
    assert document["dependents"] == [{"job": "late", "phase": "Waiting"}]
    assert site.get("/api/jobs/late")["dependsOn"] == [
        {"job": "good", "phase": "Succeeded"},
        {"job": "stuck", "phase": "Active"},
    ]
    assert document["describe"]["events"][0]["kind"] == "Creating"
    assert site.error("/api/jobs/nope") == (404, "JobNotFound")


@pytest.mark.parametrize(
    ("name", "conditions", "following", "commands"),
    [
        (
            "bad",
            [],
            "nothing, until its manifest changes or `batchctl retry bad` is run",
            ["batchctl retry bad", "batchctl results bad --failed", "batchctl results bad", "batchctl explain bad"],
        ),
        ("good", [], "nothing: it is done", ["batchctl results good", "batchctl explain good"]),
        (
            "stuck",
            [],
            "when it ends, its results are collected",
            ["batchctl cancel stuck", "batchctl explain stuck"],
        ),
        ("late", ["Dependencies"], "it is created when stuck has succeeded", ["batchctl explain late"]),
        (
            "new",
            [],
            "nothing, until `batchctl apply` creates it",
            ["batchctl apply new", "batchctl explain new"],
        ),
    ],
)
def test_a_job_says_what_holds_it_and_what_leads_on(site, name, conditions, following, commands):
    found = site.get(f"/api/jobs/{name}")["explain"]
    assert [one["type"] for one in found["conditions"]] == conditions
    assert found["next"] == following
    assert [one["command"] for one in found["commands"]] == commands


def test_the_graph_has_jobs_that_were_not_created(site):
    graph = site.get("/api/graph")
    assert {node["job"]: (node["born"], node["rank"]) for node in graph["nodes"]} == {
        "good": (True, 0),
        "stuck": (True, 0),
        "late": (False, 1),
    }
    assert graph["edges"] == [
        {"from": "good", "to": "late", "kind": "dependsOn"},
        {"from": "stuck", "to": "late", "kind": "dependsOn"},
    ]
    assert (graph["alone"], graph["truncated"]) == (3, False)
    assert [node["job"] for node in site.get("/api/graph", job="free")["nodes"]] == ["free"]
    assert {node["job"] for node in site.get("/api/graph", job="stuck")["nodes"]} == {"good", "stuck", "late"}
    assert site.get("/api/graph", limit=2)["truncated"] is True
    assert site.error("/api/graph", job="nope") == (404, "JobNotFound")


def test_the_timeline_has_spans(site):
    timeline = site.get("/api/timeline", sort="job")
    spans = {item["job"]: item["spans"] for item in timeline["items"]}
    (good,) = spans["good"]
    assert good["queued"] <= good["started"] <= good["ended"]
    assert (good["attempt"], good["shard"], good["state"]) == (1, 0, "JOB_STATE_SUCCEEDED")
    (stuck,) = spans["stuck"]
    assert (stuck["started"], stuck["ended"], spans["new"], spans["late"]) == (None, None, [], [])
    assert (timeline["from"], timeline["to"]) == (good["queued"], good["ended"])
    assert site.get("/api/jobs/good")["spans"] == [good]


def test_rows_over_time_add_up(site):
    found = site.get("/api/rows-over-time")
    assert found["verdicts"][0] == "OK"
    assert found["points"][-1]["rows"] == site.get("/api/summary")["rows"]["verdicts"]
    assert [point["time"] for point in found["points"]] == sorted(point["time"] for point in found["points"])


def test_events_are_numbered(site):
    everything = site.get("/api/events", limit=1000)
    numbers = [item["number"] for item in everything["items"]]
    assert numbers == list(range(1, len(numbers) + 1)) == list(range(everything["first"], everything["last"] + 1))
    newest = site.get("/api/events", limit=3)
    assert [item["number"] for item in newest["items"]] == numbers[-3:]
    assert site.get("/api/events", after=numbers[-3])["items"] == everything["items"][-2:]
    assert site.get("/api/events", before=3)["items"] == everything["items"][:2]
    assert {item["job"] for item in site.get("/api/events", job="good")["items"]} == {"good"}
    without = [{name: value for name, value in item.items() if name != "number"} for item in everything["items"]]
    check_closed("events", {"format": "batchctl/events/v1", "stack": "shop", "events": without})


def test_new_events_get_further_numbers(world):
    world.apply(job("a"))
    with serving(world, snapshot_of(world, job("a"))) as site:
        before = site.get("/api/events")["last"]
        world.apply(job("a"), job("b"))
        assert site.get("/api/events")["last"] == before, "nothing was published"
        site.feed.publish(lambda: snapshot_of(world, job("a"), job("b")))
        after = site.get("/api/events", after=before)
        assert after["items"][0]["number"] == before + 1
        assert {item["job"] for item in after["items"]} == {"b"}
        assert site.surroundings.reads == [10_000, 200]


def test_the_plan_is_the_pending_one(site):
    plan = site.get("/api/plan")
    assert [(item["action"], item["job"]) for item in plan["items"]] == [("create", "new")]
    every = site.get("/api/plan", all="true")
    check_closed(
        "plan", {**every["plan"], "actions": every["items"], "options": PlanOptions("", (), None, (), {}).fields()}
    )
    assert (plan["matched"], plan["total"], len(every["items"])) == (1, 6, 6)
    assert site.error("/api/plan", all="yes") == (400, "Usage")


def test_every_document_has_the_same_change(site):
    paths = ("summary", "jobs", "jobs/good", "graph", "timeline", "rows-over-time", "events", "plan")
    assert {site.get(f"/api/{path}")["change"] for path in paths} == {f"{site.feed.epoch}-1"}


def test_an_address_that_is_not_there(site):
    assert site.error("/api/nope") == (404, "AddressNotFound")
    assert site.error("/api/jobs/good/nope") == (404, "AddressNotFound")


def test_before_the_first_snapshot(world):
    with serving(world) as site:
        assert site.error("/api/summary") == (503, "PageNotReady")
        assert site.client.get("/").status_code == 200


def test_the_page_is_not_sent_again(site):
    answer = site.client.get("/")
    again = site.client.get("/", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content, "static/" in answer.text) == (304, b"", True)
