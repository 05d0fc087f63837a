"""The price list of a stack: which file it is, and that it is no manifest."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from batchctl.model.cost.spending import Money, SpendingLimits
from batchctl.model.errors import ManifestError
from tests.support.manifest_files import JOB, load_in, with_stack, write

PRICES = "apiVersion: batchctl.dev/v1\nkind: PriceList\ncurrency: EUR\nprices: []\n"


def test_the_price_list_is_read_and_is_no_manifest(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": with_stack("prices: prices.yaml"), "prices.yaml": PRICES, "job.yaml": JOB})
    found = load_in(tmp_path)
    assert found.stack.prices is not None
    assert found.stack.prices.currency == "EUR"
    assert len(found.jobs) == 1


def test_without_one_there_are_no_prices(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": with_stack("prices: null"), "job.yaml": JOB})
    assert load_in(tmp_path).stack.prices is None


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        pytest.param(
            "gone.yaml", None, 'FileNotFound there is no file "gone.yaml" (`batchctl prices import`', id="gone"
        ),
        pytest.param("../p.yaml", PRICES, 'the price list "../p.yaml" is outside the stack\'s folder', id="outside"),
        pytest.param("p.yaml", "kind: PriceList", 'MissingField the field "currency" is missing', id="wrong"),
    ],
)
def test_faults_of_the_price_list(tmp_path: Path, name: str, content: str | None, fault: str) -> None:
    folder = tmp_path / "stack"
    write(folder, {"batchctl.yaml": with_stack(f"prices: {name}"), "job.yaml": JOB})
    if content is not None:
        (folder / name).write_text(content)
    with pytest.raises(ManifestError) as found:
        load_in(folder)
    assert any(fault in str(one) for one in found.value.diagnostics), found.value.diagnostics


LIST = PRICES.replace("EUR", "USD")


def test_limits_of_money_and_tokens(tmp_path: Path) -> None:
    limits = "{budget: 100 USD, budgetPerRun: 20.50USD, tokens: 9000000, tokensPerRun: 1000, budgetPeriod: 7d}"
    write(tmp_path, {"batchctl.yaml": with_stack(f"prices: p.yaml\nlimits: {limits}"), "p.yaml": LIST, "job.yaml": JOB})

    assert load_in(tmp_path).stack.limits.spending == SpendingLimits(
        Money(Decimal(100), "USD"), Money(Decimal("20.50"), "USD"), 9_000_000, 1000, timedelta(days=7)
    )


def test_without_them_there_are_no_limits(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": with_stack("prices: p.yaml"), "p.yaml": LIST, "job.yaml": JOB})
    spending = load_in(tmp_path).stack.limits.spending

    assert (spending.is_set, spending.currency) == (False, None)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ("prices: p.yaml\nlimits: {budget: 20}", 'WrongType "budget" must be'),
        (
            "prices: p.yaml\nlimits: {budget: 20 $}",
            '"budget" cannot be "20 $" (it must be an amount with its currency, such as 20 USD)',
        ),
        ("prices: p.yaml\nlimits: {budget: 20 EUR}", '"budget" is in EUR, and the price list in USD (write the amount'),
        ("prices: p.yaml\nlimits: {budget: 2 USD, budgetPerRun: 20 EUR}", '"budgetPerRun" is in EUR, and the price'),
        (
            "limits: {budgetPerRun: 20 EUR}",
            '"budgetPerRun" is an amount of money, and the stack has no price list (name one with spec.prices',
        ),
        ("limits: {tokens: 0}", '"tokens" must be at least 1'),
        ("limits: {tokens: 5, budgetPeriod: 0s}", '"budgetPeriod" must be longer than 0s'),
    ],
)
def test_faults_of_limits(tmp_path: Path, fields: str, fault: str) -> None:
    prices = {"p.yaml": LIST} if "prices" in fields else {}
    write(tmp_path, {"batchctl.yaml": with_stack(fields), "job.yaml": JOB, **prices})
    with pytest.raises(ManifestError) as caught:
        load_in(tmp_path)
    assert len(caught.value.diagnostics) == 1
    assert fault in str(caught.value.diagnostics[0])


def test_a_faulty_price_list_is_one_error(tmp_path: Path) -> None:
    fields = "prices: p.yaml\nlimits: {budget: 20 EUR}"
    write(tmp_path, {"batchctl.yaml": with_stack(fields), "p.yaml": "kind: PriceList", "job.yaml": JOB})
    with pytest.raises(ManifestError) as caught:
        load_in(tmp_path)
    assert "budget" not in str(caught.value.diagnostics[0])
