"""Amounts of money for people."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

_CENT = Decimal("0.01")


def money_words(amount: Decimal, rounding: str = ROUND_HALF_EVEN, *, grouped: bool = False) -> str:
    """An amount in cents, `1234.50`; of less than one, two digits: `0.0043`. Only nothing is `0.00`.

    `grouped`: with commas between thousands, for text that no option takes.
    """
    if not amount or abs(amount) >= _CENT:
        cents = amount.quantize(_CENT, rounding)
        return f"{cents:,f}" if grouped else f"{cents:f}"
    last = Decimal((0, (1,), amount.adjusted() - 1))
    return f"{amount.quantize(last, rounding):f}".rstrip("0")
