"""Limits of money and tokens from the command line: exit 6 names the flag, and `watch` admits no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.closed_schemas import check_closed
from tests.support.command_line import SOON, Cli, Service, StackFolder, price_list

PRICES = price_list({"model": "gemini-2.5-flash", "perMillionTokens": {"input": 100000, "output": 1000000}})
"""A tenth of a dollar for a token of input, a dollar for one of output."""
BOUND = {"generationConfig": {"maxOutputTokens": 30}}


@pytest.fixture(autouse=True)
def prices(stack: StackFolder) -> Path:
    path = stack.path / "prices.yaml"
    path.write_text(PRICES)
    return path


def estimated(cli: Cli) -> tuple[float, float]:
    """The dollars of the input and of all, in the plan."""
    found = cli("plan", "-o", "json").json["cost"]["estimate"]
    return float(found["input"]), float(found["high"])


def test_beyond_the_budget_nothing_is_bought_and_the_flag_is_named(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    stack.write_stack(prices="prices.yaml", limits={"budget": "20 USD"})
    stack.write_job("a", request=BOUND)
    ran = cli("apply", "--yes")

    assert (ran.code, service.creates) == (6, 0)
    assert "OverBudget" in ran.err + ran.out
    document = cli("plan", "-o", "json").json
    check_closed("plan", document)
    (guard,) = document["guards"]
    assert guard["code"] == "OverBudget"
    option, _, amount = guard["flag"].partition(" ")
    assert (option, document["budget"]["money"]["limit"]) == ("--budget-increase", "20")
    cli.ok("apply", "--yes", "--wait", option, amount.strip("'"))
    assert service.creates == 1
    spent = cli.ok("status", "-o", "json").json
    check_closed("status", spent)
    assert spent["budget"]["money"]["spent"] == spent["cost"]["actual"]["money"]


def test_a_saved_plan_carries_the_increase(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_stack(prices="prices.yaml", limits={"tokens": 2})
    stack.write_job("a", request=BOUND)
    cli.ok("plan", "--out", "p.json", "--budget-increase", "1000 tokens", "--budget-increase", "1 tokens")
    cli.ok("apply", "p.json")

    assert service.creates == 1


def test_watch_buys_what_fits_and_the_rest_waits(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    stack.write_stack(prices="prices.yaml")
    for name in "ab":
        stack.write_job(name, request=BOUND)
    _, both = estimated(cli)
    stack.write_stack(prices="prices.yaml", limits={"budget": f"{both - 1:.2f} USD"})
    ran = cli("watch", "--yes", "--once", "-o", "json")

    assert (ran.code, service.creates) == (7, 1)
    waiting = {one["job"]: one for one in cli("plan", "-o", "json").json["actions"]}["b"]
    assert waiting["guard"] == "OverBudget"
    assert "of the budget," in next(one["reason"] for one in ran.json["actions"] if one["job"] == "b")
    # The first one needs less than its limit of output allows, so there is enough for the other one then.
    cli.ok("watch", "--yes")
    assert service.creates == 2


def test_an_unknown_price_refuses_and_says_the_ways_out(
    stack: StackFolder, cli: Cli, service: Service, prices: Path
) -> None:
    prices.write_text(PRICES.replace("gemini-2.5-flash", "gemini-2.5-pro"))
    stack.write_stack(prices="prices.yaml", limits={"budget": "20 USD"})
    stack.write_job("a", request=BOUND)
    ran = cli("apply", "--yes")

    assert (ran.code, service.creates) == (6, 0)
    assert "the price list has no price for the model of a" in ran.err + ran.out
    cli.ok("apply", "--yes", "--allow-unknown-cost")
    assert service.creates == 1


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("5", "not an amount"),
        ("5 EUR", "the budget of the stack is in USD"),
        ("-5 USD", "not an amount"),
    ],
)
def test_wrong_increases(stack: StackFolder, cli: Cli, amount: str, words: str) -> None:
    stack.write_stack(prices="prices.yaml", limits={"budget": "20 USD"})
    stack.write_job("a")
    ran = cli("plan", f"--budget-increase={amount}")

    assert (ran.code, words in ran.err) == (64, True), ran


def test_an_increase_of_money_without_a_budget(stack: StackFolder, cli: Cli) -> None:
    stack.write_stack(limits={"tokens": 5})
    stack.write_job("a")
    ran = cli("plan", "--budget-increase", "5 USD")

    assert (ran.code, "the stack has no limit of money" in ran.err) == (64, True), ran


def test_a_retry_is_work_to_buy(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
    service.rules({"match": {}, "fate": "fail", "pending": "1s", "running": "1s"})
    stack.write_stack(limits={"tokensPerRun": 5000})
    stack.write_job("a", request=BOUND)
    cli("apply", "--yes", "--wait")
    stack.write_stack(limits={"tokensPerRun": 5})
    ran = cli("retry", "a", "--yes")

    assert (ran.code, service.creates) == (6, 1), ran
    cli("retry", "a", "--yes", "--budget-increase", "5000 tokens")
    assert service.creates == 2


def test_what_a_removed_job_did_cost_stays_spent(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    stack.write_stack(prices="prices.yaml", limits={"budget": "100 USD"})
    stack.write_job("a", request=BOUND)
    cli.ok("apply", "--yes", "--wait")
    spent = cli.ok("status", "-o", "json").json["budget"]["money"]["spent"]
    stack.job_path("a").unlink()
    cli.ok("apply", "--yes", "--allow-empty", "--wait")
    after = cli.ok("status", "-o", "json").json

    assert after["jobs"] == []
    assert (after["budget"]["money"]["spent"], float(spent) > 0) == (spent, True)


def test_all_passes_of_a_run_share_its_limit(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    """What waits for another job needs no budget yet, so it is not among the work to buy of the first pass."""
    service.rules(SOON)
    stack.write_stack(prices="prices.yaml")
    stack.write_job("a", request=BOUND)
    limit = f"{1.1 * estimated(cli)[1]:.2f} USD"
    stack.write_job("b", request=BOUND, dependsOn=["a"])
    stack.write_stack(prices="prices.yaml", limits={"budgetPerRun": limit})
    ran = cli("watch", "--yes", "--timeout", "1h")
    assert (ran.code, service.creates) == (7, 1), ran
    assert "of the budget" in ran.out
    cli.ok("watch", "--yes", "--timeout", "1h")
    assert service.creates == 2, "the next run has a limit of its own"
