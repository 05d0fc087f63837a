"""Costs over HTTP: the report agrees with what the service itself counted, to the last digit."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from tests.support.closed_schemas import check_closed
from tests.support.command_line import Cli, Service, StackFolder, price_list

PRICES = price_list(
    {"model": "gemini-2.5-flash", "perMillionTokens": {"input": 0.15, "output": 1.25}},
    {"model": "gemini-2.5-pro", "perMillionTokens": {"input": 0.625, "output": 5}},
)


def usages(results: Path) -> list[dict[str, int]]:
    """The counts in the service's own answers."""
    rows = [json.loads(line) for line in (results / "current" / "results.jsonl").read_text("utf-8").splitlines()]
    return [row["response"]["usageMetadata"] for row in rows]


def test_the_report_agrees_with_the_counts_of_the_service(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    (stack.path / "prices.yaml").write_text(PRICES)
    stack.write_stack(prices="prices.yaml")
    stack.write_job("a")
    stack.write_job("b", model="gemini-2.5-pro")
    cli.ok("apply", "--yes", "--wait")
    document = cli.ok("status", "-o", "json").json
    check_closed("status", document)
    total = Decimal(0)
    for job in document["jobs"]:
        counted = usages(stack.path / "results" / job["job"])
        given = sum(usage["promptTokenCount"] for usage in counted)
        back = sum(usage["candidatesTokenCount"] for usage in counted)
        actual = job["cost"]["actual"]
        assert (actual["tokens"]["input"], actual["tokens"]["output"]) == (given, back)
        assert actual["tokens"]["total"] == sum(usage["totalTokenCount"] for usage in counted)
        rates = ("0.15", "1.25") if job["job"] == "a" else ("0.625", "5")
        money = (Decimal(rates[0]) * given + Decimal(rates[1]) * back) / 1_000_000
        assert Decimal(actual["money"]) == money
        total += money
    assert Decimal(document["cost"]["actual"]["money"]) == total


def test_what_the_results_folder_knows_survives_the_state(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    stack.write_job("a")
    cli.ok("apply", "--yes", "--wait")
    before = cli.ok("status", "-o", "json").json["jobs"][0]["cost"]["actual"]
    (stack.path / ".batchctl" / "state.db").unlink()
    cli.ok("state", "rebuild")

    assert cli.ok("status", "-o", "json").json["jobs"][0]["cost"]["actual"] == before
    assert before["tokens"]["total"] > 0


def test_the_second_time_the_output_is_known_by_the_answers(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    (stack.path / "prices.yaml").write_text(PRICES)
    stack.write_stack(prices="prices.yaml")
    stack.write_job("a")
    first = cli.ok("plan", "-o", "json").json["actions"][0]["cost"]
    assert (first["tokens"]["outputLow"], first["estimate"]["low"]) == (None, None)
    assert "USD and its output" in cli.ok("plan").out
    cli.ok("apply", "--yes", "--wait")
    stack.write_job("a", runId="2")
    ran = cli("plan", "-o", "json")
    again = next(one for one in ran.json["actions"] if one["job"] == "a")["cost"]
    counted = cli.ok("status", "-o", "json").json["jobs"][0]["cost"]["actual"]["tokens"]

    assert (again["tokens"]["outputLow"], again["tokens"]["outputBasis"]) == (counted["output"], "job")
    assert cli("status", "-o", "wide").out.splitlines()[0].split()[7] == "COST"
    assert "Cost so far" in cli("status", "-o", "markdown").out
    assert "| Cost |" in cli("plan", "-o", "markdown").out
