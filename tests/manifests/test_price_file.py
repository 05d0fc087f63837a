"""Price lists: what is read, and what is wrong at which place."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from batchctl.manifests.price_file import parse_prices, read_prices
from batchctl.model.cost.tokens import Modality
from batchctl.model.errors import ManifestError
from batchctl.model.keys import Api
from tests.support.manifest_files import JOB, load_in, with_stack, write

HEAD = "apiVersion: batchctl.dev/v1\nkind: PriceList\ncurrency: USD\n"
ONE = "model: gemini-2.5-flash, source: a page, checked: 2026-10-14, perMillionTokens: {input: 0.15}"


def faults(text: str) -> list[str]:
    with pytest.raises(ManifestError) as found:
        parse_prices(text.encode(), "prices.yaml")
    return [str(fault) for fault in found.value.diagnostics]


def test_a_price_list() -> None:
    text = f"""{HEAD}prices:
  - model: gemini-2.5-pro*
    api: vertex
    since: 2026-10-14
    until: 2026-12-01
    source: https://example.com/prices
    checked: 2026-10-15
    perMillionTokens: {{input: 0.625, inputAudio: 1, cached: 0.125, output: 5}}
    longPrompts: {{input: 1.25, output: 7.5}}
  - {{{ONE}, api: null}}
"""
    prices = parse_prices(text.encode(), "prices.yaml")
    pro, flash = prices.prices
    assert prices.currency == "USD"
    assert (pro.model, pro.api, pro.since, pro.until) == (
        "gemini-2.5-pro*",
        Api.VERTEX,
        date(2026, 10, 14),
        date(2026, 12, 1),
    )
    assert (pro.source, pro.checked) == ("https://example.com/prices", date(2026, 10, 15))
    assert pro.rates.input == {Modality.TEXT: Decimal("0.625"), Modality.AUDIO: Decimal(1)}
    assert (pro.rates.cached, pro.rates.output) == ({Modality.TEXT: Decimal("0.125")}, {Modality.TEXT: Decimal(5)})
    assert pro.long_rates is not None
    assert pro.long_rates.output == {Modality.TEXT: Decimal("7.5")}
    assert (flash.api, flash.since, flash.until, flash.long_rates) == (None, None, None, None)
    assert flash.rates.input == {Modality.TEXT: Decimal("0.15")}, "exactly as written"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(
            f"{HEAD}prices: [{{{ONE}, api: azure}}]", '"api" cannot be "azure" (one of: gemini, vertex)', id="api"
        ),
        pytest.param(f"{HEAD}prices: [{{{ONE}, until: soon}}]", "(it is a day such as 2026-12-01)", id="no date"),
        pytest.param("", "prices.yaml:1:1: WrongType a price list is one mapping", id="nothing"),
        pytest.param("[]", "prices.yaml:1:1: WrongType a price list is one mapping", id="a list"),
        pytest.param("a: [", "prices.yaml:1:5: InvalidYaml", id="no YAML"),
        pytest.param(
            f"{HEAD}prices: [{{{ONE}, prise: 1}}]",
            'prices.yaml:4:106: UnknownField there is no field "prise" in an item of "prices"',
            id="name",
        ),
        pytest.param(
            f"{HEAD}prices: [{{{ONE}, since: 2026-02-30}}]", "InvalidValue 2026-02-30 is not a day (such as", id="day"
        ),
        pytest.param(
            f"{HEAD}prices: [{{{ONE}, since: 2026-02-03, until: 2026-02-03}}]",
            'InvalidValue "until" is not after "since" (`until` is the day after the last one)',
            id="no day",
        ),
        pytest.param(
            f"{HEAD}prices:\n- {{{ONE}, until: 2026-12-02}}\n- {{{ONE}, since: 2026-12-01}}",
            'prices.yaml:6:3: DuplicateName a second price for "gemini-2.5-flash" on the same days'
            " (the first is at prices.yaml:5:3; give them days that do not overlap)",
            id="two prices for a day",
        ),
    ],
)
def test_what_is_wrong(text: str, found: str) -> None:
    assert any(found in one for one in faults(text)), faults(text)


def test_a_price_that_is_wrong_itself_clashes_with_none() -> None:
    text = f"{HEAD}prices:\n- {{{ONE}}}\n- {{{ONE}, since: 2026-02-30}}"
    assert len(faults(text)) == 1


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(
        ManifestError, match=r"prices\.yaml:1:1: UnreadableFile the price list cannot be read: Is a dir"
    ):
        read_prices(tmp_path, "prices.yaml")


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(f"{HEAD}prices: []")
    assert read_prices(tmp_path / "p.yaml", "p.yaml").prices == ()


def test_the_day_on_which_a_model_is_shut_down() -> None:
    (price,) = parse_prices(f"{HEAD}prices:\n  - {{{ONE}, retires: 2027-02-01}}\n".encode(), "p.yaml").prices
    assert price.retires == date(2027, 2, 1)
    assert faults(f"{HEAD}prices:\n  - {{{ONE}, retires: 2027-02-31}}\n")[0].endswith(
        "InvalidValue 2027-02-31 is not a day (such as 2026-12-01)"
    )


def test_a_stack_whose_price_list_is_null_has_none(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": with_stack("prices: null"), "a.yaml": JOB})
    assert load_in(tmp_path).stack.prices is None


@pytest.mark.parametrize("prices", ["5", "[a.yaml]", "{a: b}", "true"])
def test_a_price_list_that_is_no_path(tmp_path: Path, prices: str) -> None:
    write(tmp_path, {"batchctl.yaml": with_stack(f"prices: {prices}"), "a.yaml": JOB})
    with pytest.raises(ManifestError, match=r'WrongType "prices" must be a string'):
        load_in(tmp_path)
