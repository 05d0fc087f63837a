"""The examples, from the first apply to the last: what is bought, what is read, and that nothing is bought twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.support.command_line import Cli, Service, check_schema

ROWS = {
    "answer-questions": 4,
    "classify-tickets": 5,
    "describe-products": 22,
    "draft-replies": 5,
    "embed-articles": 12,
    "embed-manuals": 5,
    "embed-queries": 6,
    "summarise-reports": 3,
    "summarise-reviews": 3,
    "tag-calls": 5,
    "translate-products": 22,
}
UNORDERED = {"answer-questions"}
"""A table has no order, so its rows are known by their key column alone."""


@pytest.fixture
def applied(examples: Path, cli: Cli) -> Path:
    """The examples, applied and collected."""
    assert cli("plan", "--detailed-exitcode").code == 2
    ran = cli.ok("apply", "--yes", "--wait", "-o", "json")
    check_schema("apply", ran.json)
    assert set(ran.results().values()) == {"done"}
    return examples


def test_all_jobs_of_the_examples_succeed(applied: Path, cli: Cli) -> None:
    status = cli.ok("status", "-o", "json")
    check_schema("status", status.json)
    assert status.phases() == dict.fromkeys(ROWS, "Succeeded")
    assert {job["job"]: job["rows"]["ok"] for job in status.json["jobs"]} == ROWS
    assert {job["rows"]["failed"] for job in status.json["jobs"]} == {0}


def test_results_are_one_object_a_row_in_input_order_and_joined_by_key(applied: Path, cli: Cli) -> None:
    for job, count in ROWS.items():
        rows = cli.ok("results", job).rows
        for row in rows:
            check_schema("results-row", row)
        assert [row["index"] for row in rows] == ([None] * count if job in UNORDERED else list(range(count)))
        assert all("error" not in row for row in rows)
    keys = [json.loads(line)["key"] for line in (applied / "catalogue/data/products.jsonl").read_text().splitlines()]
    for job in ("translate-products", "describe-products"):
        rows = cli.ok("results", job).rows
        assert [row["key"] for row in rows] == keys
        assert "Kettle K2" in str(rows[0]["response"])
        assert "Desk lamp L7" in str(rows[1]["response"])
    calls = [str(row["response"]) for row in cli.ok("results", "tag-calls").rows]
    assert ["parcel" in calls[0], "address" in calls[1], "invoice" in calls[2], "bank" in calls[4]] == [True] * 4
    questions = {row["key"]: str(row["response"]) for row in cli.ok("results", "answer-questions").rows}
    assert "Norway" in questions["question-2"]


def test_a_second_apply_creates_nothing(applied: Path, cli: Cli, service: Service) -> None:
    before = service.creates
    again = cli.ok("apply", "--yes", "--wait", "-o", "json")
    assert set(again.actions().values()) == {"none"}
    assert service.creates == before == len(ROWS)
    assert cli.ok("plan", "--detailed-exitcode").code == 0


def test_a_removed_manifest_deletes_its_job_alone_and_keeps_its_results(
    applied: Path, cli: Cli, service: Service
) -> None:
    before = {job["name"]: job for job in service.jobs()}
    (removed,) = service.of("summarise-reviews")
    (applied / "support" / "summarise-reviews.yaml").unlink()
    plan = cli("plan", "--detailed-exitcode", "-o", "json")
    assert plan.code == 2
    assert plan.actions() == {**dict.fromkeys(ROWS, "none"), "summarise-reviews": "delete"}
    cli.ok("apply", "--yes")
    after = {job["name"]: job for job in service.jobs()}
    assert after == {**before, removed["name"]: {**removed, "deleted": True}}
    assert "summarise-reviews" not in cli.ok("status", "-o", "json").phases()
    assert [row["index"] for row in cli.ok("results", "summarise-reviews").rows] == [0, 1, 2]
    assert cli.ok("plan", "--detailed-exitcode").code == 0


def test_an_edited_model_replaces_its_job_alone(applied: Path, cli: Cli, service: Service) -> None:
    before = {job["name"]: job for job in service.jobs()}
    path = applied / "search" / "embed-queries.yaml"
    path.write_text(path.read_text().replace("gemini-embedding-001", "gemini-embedding-2"))
    plan = cli.ok("plan", "-o", "json")
    check_schema("plan", plan.json)
    assert plan.actions() == {**dict.fromkeys(ROWS, "none"), "embed-queries": "replace"}
    assert plan.changes("embed-queries") == ["spec.model"]
    (change,) = cli.ok("diff", "embed-queries", "-o", "json").json["changes"]
    assert change == {
        "path": "spec.model",
        "from": "gemini-embedding-001",
        "to": "gemini-embedding-2",
        "detail": None,
        "rows": None,
    }
    cli.ok("apply", "--yes", "--wait")
    old, new = service.of("embed-queries")
    assert old["deleted"]
    assert not new["deleted"]
    assert new["model"].endswith("gemini-embedding-2")
    others = {job["name"]: job for job in service.jobs() if job["name"] not in {old["name"], new["name"]}}
    assert others == {name: job for name, job in before.items() if name != old["name"]}


def test_changing_back_uses_the_kept_results_again(applied: Path, cli: Cli, service: Service) -> None:
    path = applied / "search" / "embed-queries.yaml"
    original = path.read_text()
    first = cli.ok("results", "embed-queries").rows
    path.write_text(original.replace("RETRIEVAL_QUERY", "SEMANTIC_SIMILARITY"))
    cli.ok("apply", "--yes", "--wait")
    second = cli.ok("results", "embed-queries").rows
    assert second != first
    creates = service.creates
    path.write_text(original)
    cli.ok("apply", "--yes", "--wait")
    assert service.creates == creates
    assert cli.ok("results", "embed-queries").rows == first
    assert cli.ok("results", "embed-queries", "--attempt", "2").rows == second
    assert cli.ok("plan", "--detailed-exitcode").code == 0


def test_setting_a_variable_runs_only_the_jobs_that_use_it(applied: Path, cli: Cli, service: Service) -> None:
    ran = cli.ok("apply", "--yes", "--wait", "--set", "night=2026-11-23", "-o", "json")
    assert ran.actions() == {**dict.fromkeys(ROWS, "none"), "classify-tickets": "replace"}
    assert ran.changes("classify-tickets") == ["spec.runId"]
    assert service.creates == len(ROWS) + 1


def test_the_examples_say_what_their_readme_says(examples: Path, cli: Cli) -> None:
    listed = cli.ok("validate", "-o", "json").json["jobs"]
    manifests = {path.relative_to(examples).as_posix() for path in examples.glob("*/*.yaml")}
    readme = (examples / "README.md").read_text()
    assert {job["job"] for job in listed} == set(ROWS)
    assert all(f"`{path}`" in readme for path in manifests)
    assert {yaml.safe_load((examples / path).read_text())["metadata"]["name"] for path in manifests} == set(ROWS)
