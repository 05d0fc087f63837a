"""`countTokens` before work is bought, over HTTP: who calls it, and what the estimate is worth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_costs import PRICES
from tests.support.command_line import Cli, Service, StackFolder

COUNT = "models.countTokens"
SECRET = "prompt-of-a-customer"


def rows(*texts: str) -> list[dict[str, Any]]:
    return [{"key": f"k{index}", "text": f"{index:02}{text}"} for index, text in enumerate(texts)]


def priced(stack: StackFolder, **limits: Any) -> None:
    (stack.path / "prices.yaml").write_text(PRICES)
    stack.write_stack(prices="prices.yaml", limits=limits)


def planned_cost(cli: Cli, *options: str) -> dict[str, Any]:
    tokens: dict[str, Any] = cli.ok("plan", "-o", "json", *options).json["actions"][0]["cost"]["tokens"]
    return tokens


@pytest.mark.parametrize(
    "texts",
    [
        ["word " * 40] * 12,
        ["short", "a much longer row of text than the others are " * 6] * 8,
        ["каждое слово по-русски занимает вдвое больше байтов " * 4] * 10,
    ],
    ids=["even", "uneven", "other-script"],
)
def test_an_estimate_by_a_sample_is_closer_than_one_by_bytes(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float], texts: list[str]
) -> None:
    priced(stack, countTokens=False)
    stack.write_job("a", src=rows(*texts))
    by_bytes = planned_cost(cli)
    assert (by_bytes["inputBasis"], service.calls(COUNT)) == ("bytes", 0)
    priced(stack)
    by_sample = planned_cost(cli)
    assert (by_sample["inputBasis"], service.calls(COUNT)) == ("countTokens", 5)
    cli.ok("apply", "--yes", "--wait")
    actual = cli.ok("status", "-o", "json").json["jobs"][0]["cost"]["actual"]["tokens"]["input"]
    off = {name: abs(found["input"] - actual) / actual for name, found in (("b", by_bytes), ("s", by_sample))}
    assert off["s"] < off["b"] / 2
    assert off["s"] < 0.25


def test_the_sample_is_named_in_text(stack: StackFolder, cli: Cli, service: Service) -> None:
    priced(stack)
    stack.write_job("a")
    assert "tokens (countTokens of 3 rows)" in cli.ok("plan").out
    cli.ok("apply", "--yes")
    assert "tokens of input (countTokens of 3 rows)" in cli.ok("describe", "a").out


def test_only_plan_and_apply_count(stack: StackFolder, cli: Cli, service: Service) -> None:
    priced(stack)
    stack.write_job("a")
    for command in ("validate", "status", "drift", "explain a", "watch --yes --once"):
        cli(*command.split())
        assert service.calls(COUNT) == 0, command
    assert service.creates == 1
    stack.write_job("b")
    cli.ok("apply", "--dry-run")
    assert service.calls(COUNT) == 3
    cli.ok("apply", "--yes")
    assert service.calls(COUNT) == 6


@pytest.mark.parametrize(
    ("spec", "calls"),
    [({}, 0), ({"limits": {"tokens": 1000000}}, 3), ({"limits": {"tokens": 1000000, "countTokens": False}}, 0)],
)
def test_a_stack_without_prices_and_budget_counts_nothing(
    stack: StackFolder, cli: Cli, service: Service, spec: dict[str, Any], calls: int
) -> None:
    stack.write_stack(**spec)
    stack.write_job("a")
    cli("plan", "--allow-unknown-cost")
    assert service.calls(COUNT) == calls


def test_a_count_that_fails_changes_the_estimate_alone(stack: StackFolder, cli: Cli, service: Service) -> None:
    priced(stack)
    stack.write_job("a")
    service.faults({"method": COUNT, "kind": "status", "status": 403})
    ran = cli.ok("plan", "-o", "json")
    assert ran.json["actions"][0]["cost"]["tokens"]["inputBasis"] == "bytes"
    assert "countTokens" not in ran.err
    verbose = cli.ok("plan", "-v").err
    assert "a: its tokens are estimated without countTokens: " in verbose
    cli.ok("apply", "--yes")
    assert service.creates == 1


def test_a_recorded_plan_is_decided_again_without_a_call(
    stack: StackFolder, cli: Cli, service: Service, tmp_path: Path
) -> None:
    priced(stack)
    stack.write_job("a", src=rows(SECRET * 3, SECRET))
    cli.ok("plan", "--record", str(tmp_path / "box"))
    [bundle] = (tmp_path / "box").rglob("*.json")
    assert SECRET not in bundle.read_text()
    asked = json.loads(bundle.read_text())["desired"]["jobs"][0]["sample"]
    assert asked["rows"] == 2
    before = service.calls(COUNT)
    assert cli.ok("replay", str(bundle)).out.startswith("The same plan: ")
    assert service.calls(COUNT) == before == 2


def test_the_rows_of_a_file_are_counted_with_the_defaults(stack: StackFolder, cli: Cli, service: Service) -> None:
    priced(stack)
    lines = [
        {"key": f"k{n}", "request": {"contents": [{"role": "user", "parts": [{"text": "x" * 40}]}]}} for n in range(9)
    ]
    (stack.path / "jobs" / "rows.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    stack.write_job("a", src={"file": "rows.jsonl"}, request={"systemInstruction": "y" * 80})
    # 40 and 80 characters are 30 tokens, in each of nine rows.
    found = planned_cost(cli)
    assert found["inputBasis"] == "countTokens"
    assert abs(found["input"] - 270) < 27
