"""The options that raise the limits of money and tokens for one run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
_TOKENS = re.compile(r"([0-9]{1,15}) ?tokens?")


def budget_options(command: F) -> F:
    """`--budget-increase` and `--allow-unknown-cost`."""
    for option in (
        click.option("--allow-unknown-cost", is_flag=True, help="Buy jobs although a budget cannot count their cost."),
        click.option(
            "--budget-increase",
            metavar="AMOUNT",
            multiple=True,
            help="Raise the limits of this run by '5 USD' or '1000000 tokens'. Repeatable.",
        ),
    ):
        command = option(command)
    return command


def read_increases(given: Iterable[str], currency: str | None) -> tuple[Decimal, int]:
    """The money and the tokens of `--budget-increase`. `currency`: of the stack's budget. Raises UsageError."""
    # Lists of commands need click alone.
    from batchctl.model.cost.spending import Money
    from batchctl.model.errors import UsageError

    money, tokens = Decimal(0), 0
    for text in given:
        found = _TOKENS.fullmatch(text)
        if found is not None:
            tokens += int(found[1])
            continue
        try:
            amount = Money.parse(text)
        except ValueError:
            message = f"--budget-increase {text!r}: not an amount"
            raise UsageError(message, hint="write '5 USD', or '1000000 tokens'") from None
        if currency is None:
            message = f"--budget-increase {text!r}: the stack has no limit of money"
            raise UsageError(message, hint="leave it out, or set limits.budget in the stack file")
        if amount.currency != currency:
            message = f"--budget-increase {text!r}: the budget of the stack is in {currency}"
            raise UsageError(message, hint=f"write the amount in {currency}")
        money += amount.amount
    return money, tokens


def check_increases(given: Iterable[str]) -> None:
    """Raise ValueError for a text that is no amount."""
    from batchctl.model.cost.spending import Money

    for text in given:
        if _TOKENS.fullmatch(text) is None:
            Money.parse(text)
