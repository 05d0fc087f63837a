"""`batchctl prices list`: what the models of the stack's jobs cost."""

from __future__ import annotations

from datetime import UTC, date, datetime

import click

from batchctl.cli.common import Common, common_options, output_option
from batchctl.cli.output import emit
from batchctl.cli.prices.day import Day
from batchctl.cli.workspace import open_workspace
from batchctl.model.errors import UsageError
from batchctl.report.prices import PricesReport, prices_document, report_prices, write_prices


@click.command("list")
@click.option("--day", type=Day(), help="Show the prices of this day, in UTC (default: today).")
@output_option("json", "yaml")
@common_options
def list_(*, common: Common, day: date | None, output: str) -> None:
    """Show the prices of the stack's models on a day.

    Makes no call. The price list is the file that `spec.prices` of the stack file names.
    """
    workspace = open_workspace(common)
    prices = workspace.stack.prices
    if prices is None:
        hint = "`batchctl prices import` makes a price list; name it with `spec.prices`"
        raise UsageError(f"the stack {workspace.stack.name} has no price list", hint=hint)
    report: PricesReport = report_prices(workspace.desired, prices, day or datetime.now(UTC).date())
    emit(
        common,
        output,
        text=lambda console: write_prices(report, console),
        document=lambda: prices_document(report),
    )
