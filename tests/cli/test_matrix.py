"""A manifest with a matrix, from `validate` to the results: its jobs are jobs like others."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.support.command_line import Cli, Service, StackFolder, check_schema

MATRIX = {"axes": {"lang": ["fr", "zh_TW"], "team": ["ads", "search"]}, "exclude": [{"lang": "fr", "team": "ads"}]}
FROM = {"path": "jobs/t.yaml", "line": 1}


@pytest.fixture
def matrix(stack: StackFolder) -> StackFolder:
    stack.write_job("t", labels={"team": "${matrix.team}"}, runId="${matrix.lang}", matrix=MATRIX)
    return stack


NAMES = ["t-fr-search", "t-zh-tw-ads", "t-zh-tw-search"]


def test_validate_counts_the_jobs(matrix: StackFolder, cli: Cli) -> None:
    matrix.write_job("other")
    assert cli.ok("validate").out == "ok: 4 jobs in stack shop, 3 of them from 1 matrix\n"
    assert "jobs/t.yaml:1:1 with lang=zh_TW, team=ads\n" in cli.ok("validate", "-v").out
    document = cli.ok("validate", "-o", "json").json
    check_schema("validate", document)
    found = {job["job"]: job.get("matrix") for job in document["jobs"]}
    assert found == {
        "other": None,
        "t-fr-search": {**FROM, "values": {"lang": "fr", "team": "search"}},
        "t-zh-tw-ads": {**FROM, "values": {"lang": "zh_TW", "team": "ads"}},
        "t-zh-tw-search": {**FROM, "values": {"lang": "zh_TW", "team": "search"}},
    }


def test_plan_describe_and_explain_say_where_a_job_comes_from(matrix: StackFolder, cli: Cli) -> None:
    plan = cli.ok("plan", "-o", "json").json
    check_schema("plan", plan)
    assert [action["matrix"]["values"]["team"] for action in plan["actions"]] == ["search", "ads", "search"]
    assert "from  jobs/t.yaml:1 with lang=fr, team=search" in cli.ok("plan", "-v").out
    assert "from  " not in cli.ok("plan").out
    assert "Matrix:  " in cli.ok("describe", "t-zh-tw-ads").out
    described = cli.ok("describe", "t-zh-tw-ads", "-o", "json").json
    check_schema("describe", described)
    assert described["desired"]["matrix"] == {"lang": "zh_TW", "team": "ads"}
    assert "jobs/t.yaml:1 with lang=zh_TW, team=ads" in cli.ok("explain", "t-zh-tw-ads").out
    explained = cli.ok("explain", "t-zh-tw-ads", "-o", "json").json
    check_schema("explain", explained)
    assert explained["matrix"] == {**FROM, "values": {"lang": "zh_TW", "team": "ads"}}


def test_its_jobs_run_and_one_may_leave_it(matrix: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
    cli.ok("apply", "--yes", "--wait")
    assert cli.ok("status", "-o", "json").phases() == dict.fromkeys(NAMES, "Succeeded")
    assert cli.ok("status", "-l", "team=ads", "-o", "name").out.split() == ["t-zh-tw-ads"]
    manifest = yaml.safe_load(matrix.job_path("t").read_text())
    manifest["spec"]["matrix"]["exclude"].append({"lang": "zh_TW", "team": "ads"})
    matrix.job_path("t").write_text(yaml.safe_dump(manifest, sort_keys=False))
    matrix.write_job("t-zh-tw-ads", labels={"team": "ads"}, runId="zh_TW")
    plan = cli("plan", "-o", "json", "--detailed-exitcode")
    assert (plan.code, plan.actions()) == (0, dict.fromkeys(NAMES, "none"))
    assert service.creates == 3


def test_a_value_that_is_renamed_writes_its_moves(matrix: StackFolder, cli: Cli, service: Service) -> None:
    cli.ok("apply", "--yes")
    text = matrix.job_path("t").read_text()
    matrix.job_path("t").write_text(text.replace("- search", "- find"))
    refused = cli("apply", "--yes", "-o", "json")
    assert (refused.code, service.creates) == (6, 3)
    moves = refused.json["renames"]
    assert moves == [{"from": f"t-{lang}-search", "to": f"t-{lang}-find"} for lang in ("fr", "zh-tw")]
    matrix.write_stack(moved=moves)
    assert set(cli.ok("apply", "--yes", "-o", "json").actions().values()) <= {"wait", "update"}
    assert service.creates == 3


def test_a_value_of_the_work_that_is_renamed_names_its_moves(matrix: StackFolder, cli: Cli, service: Service) -> None:
    cli.ok("apply", "--yes")
    text = matrix.job_path("t").read_text()
    matrix.job_path("t").write_text(text.replace("fr", "french"))
    plan = cli.ok("plan", "-o", "json").json
    (new,) = [action for action in plan["actions"] if action["job"] == "t-french-search"]
    assert new["action"] == "create"
    assert "add `- {from: t-fr-search, to: t-french-search}` to spec.moved" in new["reason"]
    matrix.write_stack(moved=[{"from": "t-fr-search", "to": "t-french-search"}])
    assert cli.ok("plan", "-o", "json").actions()["t-french-search"] == "replace"


def test_shards_and_a_canary_of_a_matrix(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
    lines = "".join(json.dumps({"key": f"k{number}", "text": f"x{number}"}) + "\n" for number in range(6))
    (stack.path / "jobs" / "rows-a.jsonl").write_text(lines)
    stack.write_job(
        "t",
        src={"file": "rows-${matrix.rows}.jsonl"},
        sharding={"maxRows": "${matrix.most}"},
        canary={"rows": 1},
        matrix={"axes": {"rows": ["a"], "most": [3, 2]}},
    )
    cli.ok("apply", "--yes", "--wait")
    for name in ("t-a-3", "t-a-2"):
        assert len(cli.ok("results", name).rows) == 6
    shards = {name: len(service.of(name)) for name in ("t-a-3", "t-a-2")}
    assert shards == {"t-a-3": 3, "t-a-2": 4}
