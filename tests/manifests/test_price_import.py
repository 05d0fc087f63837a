"""Price lists of published data: which rates count for a batch job, on which days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pytest

from batchctl.manifests.price_csv import from_csv
from batchctl.manifests.price_import import from_genai_prices
from batchctl.model.errors import ManifestError
from batchctl.model.json_value import Json

DAY = date(2026, 11, 30)
FACTS = {"source": "https://example.com/prices", "checked": "2026-11-30"}


def data(*models: Mapping[str, Json]) -> Json:
    google = {"id": "google", "pricing_urls": ["https://example.com/prices"], "models": list(models)}
    return [{"id": "openai", "models": [{"id": "gpt"}]}, google]


def model(prices: Json, **more: Json) -> dict[str, Json]:
    return {"id": "gemini-x", "match": {"equals": "gemini-x"}, "prices": prices, **more}


def batch(prices: Json, since: str | None = None) -> dict[str, Json]:
    constraint = {} if since is None else {"constraint": {"start_date": since}}
    return {"when": {"processing": "batch"}, "prices": prices, **constraint}


STANDARD = {"input_mtok": 0.3, "cache_read_mtok": 0.03, "output_mtok": 2.5, "web_searches_kcount": 35}
HALF = {"input_mtok": 0.15, "output_mtok": 1.25}


def taken(*models: Mapping[str, Json], discount: str | None = None) -> list[Json]:
    found = from_genai_prices(data(*models), DAY, None if discount is None else Decimal(discount))
    assert found.left_out == ()
    return [dict(price) for price in found.prices]


def test_rates_of_batch_jobs_replace_those_of_interactive_calls() -> None:
    rates = {"input": 0.15, "cached": 0.03, "output": 1.25}
    assert taken(model(STANDARD, price_variants=[batch(HALF)])) == [
        {"model": "gemini-x", "perMillionTokens": rates, **FACTS}
    ]


def test_before_the_first_batch_price_nothing_is_known() -> None:
    (price,) = taken(model(STANDARD, price_variants=[batch(HALF, "2026-10-14")]))
    assert price["since"] == "2026-10-14"
    assert "until" not in price


def test_a_change_of_price_ends_one_period_and_begins_another() -> None:
    periods = [{"prices": STANDARD}, {"constraint": {"start_date": "2026-12-01"}, "prices": {"input_mtok": 0.6}}]
    variants = [batch(HALF), batch({"input_mtok": 0.3}, "2027-01-01")]
    prices = taken(model(periods, price_variants=variants))
    assert [(one.get("since"), one.get("until"), one["perMillionTokens"]) for one in prices] == [
        (None, "2026-12-01", {"input": 0.15, "cached": 0.03, "output": 1.25}),
        ("2026-12-01", "2027-01-01", {"input": 0.15, "output": 1.25}),
        ("2027-01-01", None, {"input": 0.3}),
    ]


def test_a_discount_is_taken_off_input_and_output_alone() -> None:
    tiers = {"base": 1.25, "tiers": [{"start": 200_000, "price": 2.5}]}
    (price,) = taken(model({**STANDARD, "input_mtok": tiers}), discount="0.5")
    assert price["perMillionTokens"] == {"input": 0.625, "cached": 0.03, "output": 1.25}
    assert price["longPrompts"] == {"input": 1.25, "cached": 0.03, "output": 1.25}


def test_a_model_has_all_names_that_a_price_list_can_have() -> None:
    clauses = [
        {"equals": "gemini-x"},
        {"starts_with": "gemini-x-0"},
        {"contains": "gemini-x-exp"},
        {"ends_with": "gemini-y"},
        {"regex": "^gemini-x-.*"},
        {"equals": "gemini-x:thinking"},
    ]
    names = [one["model"] for one in taken(model(HALF, match={"or": clauses}), discount="0.5")]
    assert names == ["gemini-x", "gemini-x-0*", "gemini-x-exp*", "gemini-y"]


def test_the_day_of_the_check_is_that_of_the_data() -> None:
    (price,) = taken(model(HALF, prices_checked="2026-10-15", price_variants=[batch(HALF)]))
    assert price["checked"] == "2026-10-15"


@pytest.mark.parametrize(
    ("published", "reason"),
    [
        pytest.param(model(STANDARD), "no price for batch jobs (--batch-discount", id="no batch price"),
        pytest.param(model(None, price_variants=[]), "no price for batch jobs", id="no price at all"),
        pytest.param(model(STANDARD, match={"regex": "x"}), "its names are given by a rule", id="names"),
        pytest.param(
            model([{"constraint": {"start_time": "16:30", "end_time": "00:30"}, "prices": HALF}]),
            "its price depends on the time of the day",
            id="time of the day",
        ),
        pytest.param(
            model(STANDARD, price_variants=[batch({"cache_write_mtok": 1})]),
            "unknown rates: cache_write_mtok",
            id="a unit without a name",
        ),
        pytest.param(
            model({"input_mtok": {"base": 1, "tiers": [{"start": 128_000, "price": 2}]}}, price_variants=[batch({})]),
            "its rates change elsewhere than at 200,000 tokens of prompt",
            id="another tier",
        ),
    ],
)
def test_a_model_that_is_left_out(published: Mapping[str, Json], reason: str) -> None:
    found = from_genai_prices(data(published), DAY)
    assert found.prices == ()
    ((name, words),) = found.left_out
    assert name == "gemini-x"
    assert words.startswith(reason)


@pytest.mark.parametrize("published", [{}, [], {"providers": [{"id": "openai"}]}, "text", 3])
def test_data_of_another_form(published: Json) -> None:
    with pytest.raises(ValueError, match="no provider"):
        from_genai_prices(published, DAY)


@pytest.mark.parametrize(
    "models", [["text"], [{"match": {"or": 3}}], [model("dear", price_variants=[batch(HALF)])], 5], ids=repr
)
def test_models_of_another_form(models: Json) -> None:
    with pytest.raises(ValueError, match="another form"):
        from_genai_prices([{"id": "google", "models": models}], DAY)


def test_a_csv_file() -> None:
    text = (
        "model,api,since,source,checked,input,inputAudio,output,long.input\n"
        "gemini-x,vertex,2026-12-01,a page,2026-11-01,0.15,,1.25,0.3\n"
        "gemini-y,,,a page,,1, 2 ,,\n"
    )
    assert [dict(one) for one in from_csv(text, "p.csv", DAY)] == [
        {
            "checked": "2026-11-01",
            "model": "gemini-x",
            "api": "vertex",
            "since": "2026-12-01",
            "source": "a page",
            "perMillionTokens": {"input": 0.15, "output": 1.25},
            "longPrompts": {"input": 0.3},
        },
        {
            "checked": "2026-11-30",
            "model": "gemini-y",
            "source": "a page",
            "perMillionTokens": {"input": 1.0, "inputAudio": 2.0},
        },
    ]


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        pytest.param("model,prise\n", ['p.csv:1:7: InvalidValue unknown column "prise"'], id="column"),
        pytest.param("model,source,model\n", ['p.csv:1:14: InvalidValue a second column "model"'], id="columns"),
        pytest.param("model,input\nx,cheap\n", ['p.csv:2:3: InvalidValue input: "cheap" is no amount'], id="text"),
        pytest.param("model,input\nx,nan\n", ['p.csv:2:3: InvalidValue input: "nan" is no amount'], id="nan"),
        pytest.param(
            'model,source,input\nb,"x\ny",-1\n', ['p.csv:2:5: InvalidValue input: "-1" is no amount'], id="lines"
        ),
        pytest.param("model,input\nx,-1\n", ['p.csv:2:3: InvalidValue input: "-1" is no amount'], id="negative"),
        pytest.param(
            "model,source,input\n,s,1\ny,s,1,5\n",
            ["p.csv:3:1: InvalidValue 4 cells, and the header has 3"],
            id="cells",
        ),
        pytest.param('model\n"x\n', ["p.csv:2:1: InvalidValue it is no CSV"], id="quote"),
        pytest.param(
            'source,model,since,api,input\n"a, b",x,,,1\n\n"a ""b"", c",y,2026-99-01,,1\ns,z,,nope,1\n,,,,1\n',
            [
                "p.csv:4:16: InvalidValue 2026-99-01 is not a day",
                'p.csv:5:6: InvalidValue "api" cannot be "nope"',
                'p.csv:6:1: MissingField the field "model" is missing (',
                'p.csv:6:1: MissingField the field "source" is missing (',
            ],
            id="cell",
        ),
        pytest.param(
            "model,source,input,long.input\nx,s,1,2\ny,s,1,\nx,s,2,\n",
            ['p.csv:4:1: DuplicateName a second price for "x" on the same days (the first is in line 2;'],
            id="twice",
        ),
    ],
)
def test_the_errors_of_a_csv_file_are_at_its_cells(text: str, errors: list[str]) -> None:
    with pytest.raises(ManifestError) as failed:
        from_csv(text, "p.csv", DAY)
    found = [str(one) for one in failed.value.diagnostics]
    assert [one[: len(start)] for one, start in zip(found, errors, strict=True)] == errors
