"""Amounts of money for people."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

_CENT = Decimal("0.01")


def money_words(amount: Decimal, rounding: str = ROUND_HALF_EVEN) -> str:
    """An amount in cents, `1.20`; of less than one, two digits: `0.0043`. Only nothing is `0.00`."""
    if not amount or abs(amount) >= _CENT:
        return f"{amount.quantize(_CENT, rounding):f}"
    last = Decimal((0, (1,), amount.adjusted() - 1))
    return f"{amount.quantize(last, rounding):f}".rstrip("0")
