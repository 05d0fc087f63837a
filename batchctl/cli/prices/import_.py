"""`batchctl prices import FILE`: published price data as a price list."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

import click

from batchctl.cli.common import Common, common_options
from batchctl.cli.notes import note
from batchctl.cli.out_file import open_out
from batchctl.cli.prices.day import Day
from batchctl.manifests.price_csv import from_csv
from batchctl.manifests.price_file import parse_prices
from batchctl.manifests.price_import import Imported, from_genai_prices
from batchctl.model.errors import UsageError
from batchctl.report.documents import to_yaml
from batchctl.report.layout import count

_MOST_BYTES = 32 * 1024**2
_CURRENCY = re.compile(r"[A-Z]{3}")
_HINT = "it takes data.json of pydantic/genai-prices, or a CSV file with the columns of a price list"


@click.command("import")
@click.argument("source", metavar="FILE", type=click.File("rb"))
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path), help="Write to this file (default: stdout).")
@click.option(
    "--batch-discount",
    metavar="PERCENT",
    type=click.IntRange(1, 99),
    help="Take this off standard prices where none for batch jobs is published; cached tokens cost the same.",
)
@click.option("--checked", type=Day(), help="The day on which prices without that day were checked (default: today).")
@click.option("--currency", metavar="CODE", default="USD", show_default=True, help="The currency of the amounts.")
@common_options
def import_(
    *,
    common: Common,
    source: BinaryIO,
    out: Path | None,
    batch_discount: int | None,
    checked: date | None,
    currency: str,
) -> None:
    """Make a price list of published prices.

    FILE is data.json of pydantic/genai-prices, or a CSV file; `-` is standard input. Models without a price for batch
    jobs are left out and named.
    """
    if not _CURRENCY.fullmatch(currency):
        raise UsageError(
            f"--currency: {currency!r} is no currency", hint="a code of three capital letters, such as USD"
        )
    content = source.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise UsageError(f"{source.name} is larger than {_MOST_BYTES // 1024**2} MB", hint=_HINT)
    discount = None if batch_discount is None else Decimal(batch_discount) / 100
    try:
        found = _read(content, source.name, checked or datetime.now(UTC).date(), discount)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{source.name} has no prices: {error}", hint=_HINT) from error
    kind = {"apiVersion": "batchctl.dev/v1", "kind": "PriceList", "currency": currency}
    text = to_yaml({**kind, "prices": [dict(price) for price in found.prices]}).encode()
    # What a CSV file has was held to these rules cell by cell. The lines of other errors are those of the list.
    parse_prices(text, f"{source.name} (as a price list)")
    if not found.prices:
        _report(common, found)
        raise UsageError(f"{source.name} has no prices for batch jobs", hint=_HINT)
    if out is None:
        sys.stdout.write(text.decode())
    else:
        with open_out(out) as stream:
            stream.write(text)
    _report(common, found)


def _read(content: bytes, name: str, checked: date, discount: Decimal | None) -> Imported:
    text = content.decode("utf-8-sig")
    if text.lstrip().startswith(("{", "[")):
        return from_genai_prices(json.loads(text), checked, discount)
    if discount is not None:
        raise ValueError("--batch-discount is for data.json; the amounts of a CSV file are those of batch jobs")
    return Imported(from_csv(text, name, checked), ())


def _report(common: Common, found: Imported) -> None:
    """The number of prices, and the models without one, on standard error."""
    if common.quiet:
        return
    note(f"{count(len(found.prices), 'price')}; {count(len(found.left_out), 'model')} left out")
    for model, reason in found.left_out:
        note(f"  {model}: {reason}")
