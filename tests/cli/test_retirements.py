"""Models that are shut down: `validate` warns, `plan` and `status` say so, and answers of the model have the last word."""

from __future__ import annotations

from datetime import date

from tests.support.closed_schemas import check_closed
from tests.support.command_line import Cli, Service, StackFolder, price_list

PRICES = price_list(
    {
        "model": "gemini-2.5-flash",
        "source": "our contract",
        "checked": date(2020, 1, 1),
        "retires": date(2020, 2, 1),
        "perMillionTokens": {"input": 0.15},
    }
)
SAID = "gemini-2.5-flash was retired on 2020-02-01: 2 manifests"


def test_the_price_list_says_so(stack: StackFolder, cli: Cli, service: Service) -> None:
    (stack.path / "prices.yaml").write_text(PRICES)
    stack.write_stack(prices="prices.yaml")
    for name in "ba":
        stack.write_job(name)
    ran = cli.ok("validate")
    assert f"ModelRetires {SAID} (our contract) (change the model)" in ran.err
    (warning,) = cli.ok("validate", "-o", "json").json["warnings"]
    assert (warning["code"], warning["file"].endswith("a.yaml")) == ("ModelRetires", True)
    assert f"{SAID}." in cli.ok("plan").out
    assert f"{SAID}." in cli.ok("status").out
    document = cli.ok("plan", "-o", "json").json
    check_closed("plan", document)
    (one,) = document["retirements"]
    assert (one["model"], one["date"], one["source"], one["jobs"]) == (
        "gemini-2.5-flash",
        "2020-02-01",
        "our contract",
        ["a", "b"],
    )
    assert one["days"] < 0


def test_answers_of_the_model_say_so(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
    service.settings(models={"gemini-2.5-flash": {"stage": "LEGACY", "retirementTime": "2099-03-01T13:00:00Z"}})
    stack.write_job("a")
    assert cli.ok("plan", "-o", "json").json["retirements"] == []
    cli.ok("apply", "--yes", "--wait")
    document = cli.ok("status", "-o", "json").json
    check_closed("status", document)
    assert [(one["date"], one["source"]) for one in document["retirements"]] == [("2099-03-01", "modelStatus")]
    assert "retires" not in cli.ok("status").out
