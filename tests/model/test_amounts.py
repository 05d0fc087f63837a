"""Amounts of money for people."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

import pytest

from batchctl.model.cost.amounts import money_words


@pytest.mark.parametrize(
    ("amount", "words", "up"),
    [
        ("0", "0.00", "0.00"),
        ("1.2", "1.20", "1.20"),
        ("1.201", "1.20", "1.21"),
        ("0.01", "0.01", "0.01"),
        ("0.00951", "0.0095", "0.0096"),
        ("0.00996", "0.01", "0.01"),
        ("0.00006", "0.00006", "0.00006"),
        ("0.00000012345", "0.00000012", "0.00000013"),
        ("-0.0051", "-0.0051", "-0.0051"),
    ],
)
def test_less_than_a_cent_has_two_digits(amount: str, words: str, up: str) -> None:
    assert money_words(Decimal(amount)) == words
    assert money_words(Decimal(amount), ROUND_CEILING) == up
