"""The price list of a stack: which file it is, and that it is no manifest."""

from __future__ import annotations

from pathlib import Path

import pytest

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
