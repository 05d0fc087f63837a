"""`batchctl prices`: importing a list, and what the stack's models cost."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from tests.support.closed_schemas import check_closed
from tests.support.command_line import Cli, StackFolder

PUBLISHED = [
    {
        "id": "google",
        "pricing_urls": ["https://example.com/prices"],
        "models": [
            {
                "id": "gemini-2.5-flash",
                "match": {"equals": "gemini-2.5-flash"},
                "prices": {"input_mtok": 0.3, "cache_read_mtok": 0.03, "output_mtok": 2.5},
                "price_variants": [
                    {
                        "when": {"processing": "batch"},
                        "prices": {"input_mtok": 0.15, "output_mtok": 1.25},
                        "constraint": {"start_date": "2026-10-14"},
                    }
                ],
            },
            {"id": "gemini-x", "match": {"equals": "gemini-x"}, "prices": {"input_mtok": 1}},
        ],
    }
]


def published(tmp_path: Path) -> str:
    path = tmp_path / "data.json"
    path.write_text(json.dumps(PUBLISHED))
    return str(path)


def test_published_prices_become_the_list_of_a_stack(cli: Cli, stack: StackFolder, tmp_path: Path) -> None:
    stack.write_stack(prices="prices.yaml")
    stack.write_job("a")
    stack.write_job("b", model="gemini-x")
    ran = cli.ok("prices", "import", published(tmp_path), "--out", str(stack.path / "prices.yaml"))
    assert ran.err.splitlines()[0] == "1 price; 1 model left out"
    assert "gemini-x: no price for batch jobs" in ran.err
    document = cli.ok("prices", "list", "--day", "2026-11-30", "-o", "json").json
    check_closed("prices", document)
    found = {one["model"]: one["price"] for one in document["models"]}
    assert found["gemini-2.5-flash"]["perMillionTokens"] == {"input": "0.15", "cached": "0.03", "output": "1.25"}
    assert found["gemini-x"] is None
    lines = cli.ok("prices", "list", "--day", "2026-11-30").out.splitlines()
    assert lines[1].split()[:5] == ["gemini-2.5-flash", "gemini", "0.15", "0.03", "1.25"]
    assert lines[-1] == "USD per million tokens of text on 2026-11-30, for batch jobs; 1 model without a price."
    assert cli.ok("prices", "list", "--day", "2026-10-13", "-o", "json").json["models"][0]["price"] is None


def test_without_a_file_the_list_goes_to_standard_output(cli: Cli, tmp_path: Path) -> None:
    found = yaml.safe_load(cli.ok("prices", "import", published(tmp_path), "--batch-discount", "50").out)
    assert [one["model"] for one in found["prices"]] == ["gemini-2.5-flash", "gemini-2.5-flash", "gemini-x"]
    assert cli.ok("prices", "import", published(tmp_path), "-q").err == ""


def test_a_csv_file_is_checked_as_a_price_list(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("model,source,input\ngemini-2.5-flash,our contract,0.1\n")
    assert "perMillionTokens:\n    input: 0.1\n" in cli.ok("prices", "import", str(path), "--currency", "EUR").out
    path.write_text("model,input\ngemini-2.5-flash,0.1\n")
    ran = cli("prices", "import", str(path))
    assert ran.code == 65, ran
    assert 'prices.csv:2:1: MissingField the field "source" is missing (' in ran.err


def test_what_is_no_price_data(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xff")
    ran = cli("prices", "import", str(tmp_path / "x"))
    assert ran.code == 64
    assert f"{tmp_path / 'x'} has no prices" in ran.err
    assert "genai-prices" in ran.err


def test_a_list_that_would_be_empty_replaces_nothing(cli: Cli, tmp_path: Path) -> None:
    data, out = tmp_path / "data.csv", tmp_path / "prices.yaml"
    data.write_text("model,source,input\n")
    out.write_text("the present list")
    ran = cli("prices", "import", str(data), "--out", str(out))
    assert (ran.code, out.read_text()) == (64, "the present list")
    assert "has no prices for batch jobs" in ran.err


def test_a_discount_is_not_for_amounts_of_batch_jobs(cli: Cli, tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text("model,source,input\ngemini-2.5-flash,our contract,0.1\n")
    ran = cli("prices", "import", str(data), "--batch-discount", "50")
    assert ran.code == 64
    assert "--batch-discount is for data.json" in ran.err


def test_a_stack_without_a_price_list(cli: Cli, stack: StackFolder) -> None:
    stack.write_stack()
    stack.write_job("a")
    ran = cli("prices", "list")
    assert ran.code == 64
    assert "the stack shop has no price list" in ran.err
    assert "spec.prices" in ran.err
    assert "is not a day such as 2026-12-01" in cli("prices", "list", "--day", "soon").err


def test_the_currency_of_an_import_is_checked(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("model,source,input\ngemini-2.5-flash,our contract,0.1\n")
    ran = cli("prices", "import", str(path), "--currency", "eur")
    assert (ran.code, "--currency: 'eur' is no currency" in ran.err) == (64, True), ran.err
