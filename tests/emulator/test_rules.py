from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest

from batchctl.emulator.globs import matches
from batchctl.emulator.row_outcomes import RowOutcome, RowRule
from batchctl.emulator.rules import Course
from tests.support.embedded_emulator import World


@pytest.mark.parametrize(
    ("glob", "text", "expected"),
    [
        ("*", "", True),
        ("a*c", "abbc", True),
        ("a*c", "abcd", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("[bc1 s/j@1.0*]", "[bc1 s/j@1.0 x]", True),
        ("[ab]", "a", False),
        ("ABC", "abc", False),
        ("a.c", "abc", False),
        ("a*", "a\nb", True),
    ],
)
def test_globs_have_two_wildcards(glob: str, text: str, expected: bool) -> None:
    assert matches(glob, text) is expected


@pytest.mark.parametrize(("share", "expected"), [("0", 0), ("0.05", 1), ("0.3", 3), ("0.5", 5), ("1", 10)])
def test_a_share_is_spread_evenly_from_the_first_row_on(share: str, expected: int) -> None:
    rule = RowOutcome("error", "{}", Fraction(share))
    hits = [rule.hits(position) for position in range(10)]
    assert sum(hits) == expected
    assert hits[0] is (expected > 0)


def test_a_course_is_stored_and_loaded() -> None:
    for course in (
        Course(1, 2),
        Course(0, 5, rows=(RowRule("k*", (RowOutcome("error", "{}", Fraction(1, 3)),)),), error=(3, "e")),
    ):
        assert Course.from_json(course.to_json()) == course


def outcome(world: World, **job: Any) -> str:
    created = world.create(**job)
    world.pass_time("3s")
    return world.state(created)


def test_the_first_matching_rule_applies(world: World) -> None:
    world.rules(
        {"match": {"displayName": "bad [*"}, "fate": "fail"},
        {"match": {"model": "gemini-2.5-*", "displayName": "bad*"}, "fate": "expire"},
        {"match": {"model": "models/gemini-3-*"}, "fate": "stuck"},
    )
    assert outcome(world, name="bad [x]") == "FAILED"
    assert outcome(world, name="bad x") == "EXPIRED"
    assert outcome(world, name="good") == "SUCCEEDED"
    assert outcome(world) == "SUCCEEDED"
    assert outcome(world, name="bad x", model="models/gemini-3-pro") == "PENDING"


def test_a_failed_job_has_an_error(world: World) -> None:
    world.rules({"fate": "fail"})
    reply = world.finish(world.create())
    assert (reply["done"], reply["error"]["code"]) == (True, 13)
    assert "failed without error" in reply["error"]["message"]
    assert reply["metadata"]["batchStats"] == {"requestCount": "1", "failedRequestCount": "1"}
    assert "response" not in reply
    assert "output" not in reply["metadata"]


def test_a_rule_sets_the_error_of_a_failed_job(world: World) -> None:
    quota = {"code": 8, "message": "Enqueued token quota exceeded for the model."}
    world.rules({"fate": "fail", "error": quota})
    assert world.finish(world.create())["error"] == quota


def test_a_stuck_job_expires_and_can_be_cancelled(world: World) -> None:
    world.rules({"fate": "stuck"})
    waits, cancelled = world.create("a", "b"), world.create("a", "b")
    world.pass_time("47h")
    assert world.state(waits) == "PENDING"
    world.ok("POST", f"/v1beta/{cancelled['name']}:cancel")
    assert world.state(cancelled) == "CANCELLED"
    assert "output" not in world.get(cancelled)["metadata"]
    world.pass_time("1h")
    assert world.state(waits) == "EXPIRED"


def test_times_may_be_set_with_and_without_a_fate(world: World) -> None:
    world.rules({"match": {"displayName": "now"}, "pending": "0s", "running": "0s"}, {"pending": "1h", "fate": "fail"})
    assert world.state(world.create(name="now")) == "SUCCEEDED"
    job = world.create()
    world.pass_time("1h1s")
    assert world.state(job) == "RUNNING"
    world.pass_time("1s")
    assert world.state(job) == "FAILED"


def test_a_slow_cancel_takes_the_running_time(world: World) -> None:
    world.rules({"fate": "cancelSlow", "running": "1h"})
    job = world.create("a", "b")
    world.pass_time("1s")
    world.pass_time("30m")
    world.ok("POST", f"/v1beta/{job['name']}:cancel")
    world.pass_time("59m")
    assert world.state(job) == "RUNNING"
    world.ok("POST", f"/v1beta/{job['name']}:cancel")
    world.pass_time("1m")
    assert world.state(job) == "CANCELLED"
    assert len(world.inline_results(job)) == 2


def test_without_a_cancel_a_slow_job_succeeds(world: World) -> None:
    world.rules({"fate": "cancelSlow"})
    assert outcome(world) == "SUCCEEDED"


def errors(world: World, job: dict[str, Any]) -> list[Any]:
    return [item.get("error", {}).get("message") for item in world.inline_results(job)]


def test_rows_take_the_first_matching_rule(world: World) -> None:
    world.rules(
        {"match": {"row": "k1"}, "fate": "rows", "rowError": {"code": 8, "message": "quota"}},
        {"match": {"displayName": "other"}, "fate": "rows", "rowError": {"message": "other job"}},
        {"match": {"displayName": ""}, "fate": "stuck"},
        {"fate": "rows", "rowError": {"message": "half", "share": 0.5}},
        {"match": {"row": "*"}, "fate": "rows", "rowError": {"message": "never reached"}},
    )
    job = world.create(*"abcde")
    reply = world.finish(job)
    assert errors(world, job) == ["half", "quota", None, "half", None]
    assert world.inline_results(job)[1]["error"]["code"] == 8
    assert world.inline_results(job)[0]["error"]["code"] == 13
    assert reply["metadata"]["batchStats"] == {
        "requestCount": "5",
        "successfulRequestCount": "2",
        "failedRequestCount": "3",
    }


def test_a_job_fate_before_row_rules_leaves_rows_alone(world: World) -> None:
    world.rules({"pending": "0s"}, {"fate": "rows"})
    job = world.create("a")
    world.finish(job)
    assert errors(world, job) == [None]


def test_row_rules_reach_rows_of_files_by_key(world: World) -> None:
    world.rules({"match": {"row": "b*"}, "fate": "rows"})
    request = {"contents": [{"parts": [{"text": "x"}]}]}
    content = "\n".join(json.dumps({"key": key, "request": request}) for key in ("a1", "b1", "b2"))
    job = world.create_from_file(world.upload(content.encode())["name"])
    world.pass_time("2s")
    stats = world.get(job)["metadata"]["batchStats"]
    assert stats == {"requestCount": "3", "failedRequestCount": "1", "pendingRequestCount": "2"}
    world.ok("POST", f"/v1beta/{job['name']}:cancel")
    stats = world.get(job)["metadata"]["batchStats"]
    assert stats == {"requestCount": "3", "successfulRequestCount": "1", "pendingRequestCount": "2"}


def test_a_metadata_key_that_is_not_a_string_is_ignored(world: World) -> None:
    world.rules({"match": {"row": ""}, "fate": "rows"})
    request = {"contents": [{"parts": [{"text": "x"}]}]}
    items = [{"request": request, "metadata": {}}, {"request": request, "metadata": {"key": 5}}]
    job = world.post_batch("models/gemini-2.5-flash", {"inputConfig": {"requests": {"requests": items}}})
    world.finish(job)
    assert None not in errors(world, job)


@pytest.mark.parametrize(
    "rule", [{"fate": "partial"}, {"fate": "failExport"}, {"output": {"early": 1}}, {"match": {"api": "vertex"}}]
)
def test_a_rule_for_vertex_skips_other_jobs(world: World, rule: dict[str, Any]) -> None:
    world.rules(rule, {"match": {"api": "gemini"}, "fate": "fail"})
    job = world.create()
    world.pass_time("3s")
    assert world.state(job) == "FAILED"


def test_rules_are_fixed_when_a_job_is_created(world: World) -> None:
    world.rules({"fate": "stuck"})
    job = world.create()
    world.rules()
    world.pass_time("10s")
    assert world.state(job) == "PENDING"


def test_rules_can_be_read(world: World) -> None:
    assert world.http.get("/_emulator/rules").json() == []
    rule = {"match": {"model": "*"}, "fate": "stuck"}
    assert world.http.put("/_emulator/rules", json=[rule]).json() == [rule]
    assert world.http.get("/_emulator/rules").json() == [rule]


@pytest.mark.parametrize(
    ("rules", "place"),
    [
        ({}, "rules:"),
        ([{"fate": "explode"}], "rules[0].fate:"),
        ([{}, {"match": {"modle": "x"}}], "rules[1].match:"),
        ([{"pending": "1x"}], "rules[0].pending:"),
        ([{"running": 5}], "rules[0].running:"),
        ([{"fate": "rows", "rowError": {"share": 2}}], "rules[0].rowError.share:"),
        ([{"fate": "rows", "rowError": {"code": 0}}], "rules[0].rowError.code:"),
        ([{"fate": "fail", "rowError": {"code": 3}}], "rules[0].rowError:"),
        ([{"match": {"row": "x"}}], "rules[0].match.row:"),
        ([{"match": {"row": "x"}, "fate": "stuck"}], "rules[0].match.row:"),
        *[([{"fate": fate, "output": {"early": 1}}], "rules[0].output:") for fate in ("stuck", "fail", "expire")],
        ([{"match": {"api": "both"}}], "rules[0].match.api:"),
        *[
            ([{"error": {"code": 8, "message": "quota"}, **fate}], "rules[0].error:")
            for fate in ({}, {"fate": "expire"}, {"fate": "rows"}, {"fate": "partial"})
        ],
        *[([{"fate": "stuck", time: "1s"}], f"rules[0].{time}:") for time in ("pending", "running")],
        *[
            ([{"match": match, **rule}], "rules[0]: matches no job, because ")
            for match in ({"api": "gemini"}, {"model": "models/x"}, {"model": "tunedModels/*"})
            for rule in ({"fate": "partial"}, {"output": {"asNumbers": True}})
        ],
        ([{"match": {"api": "vertex", "model": "models/*"}}], "rules[0]: matches no job, because "),
        ([{"match": {"api": "gemini", "model": "publishers/google/*"}}], "rules[0]: matches no job, because "),
    ],
)
def test_wrong_rules_are_refused_with_their_place(world: World, rules: Any, place: str) -> None:
    world.rules({"fate": "stuck"})
    assert world.refused(400, "PUT", "/_emulator/rules", json=rules)["message"].startswith(place)
    assert world.http.get("/_emulator/rules").json() == [{"fate": "stuck"}]
