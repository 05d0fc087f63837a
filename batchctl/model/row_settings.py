"""A manifest's settings for judging rows: which verdicts count as good, and how many rows may fail.

None of it is part of the digest. It applies to rows that are collected already, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Self

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from batchctl.model.observed import RowCounts
from batchctl.model.pattern import Pattern
from batchctl.model.sent_with import SentWith
from batchctl.model.verdicts import RowVerdict

_COUNT = Pattern(r"[0-9]{1,12}")
_SHARE = Pattern(r"([0-9]{1,2}|100)(\.[0-9]{1,6})?%")
_WHOLE = 100
_NO_FAILURES = frozenset({RowVerdict.NO_RESULT, RowVerdict.NOT_SENT})
"""Rows with these verdicts have no answer, so they did not fail, unless the manifest names them as good."""


class MaxFailedRows(Struct, frozen=True):
    """`lifecycle.maxFailedRows`: a count, or a share of all rows such as `5%`."""

    text: str

    @classmethod
    def parse(cls, value: int | str) -> Self:
        """Read what a manifest or the state has. Raises ValueError."""
        text = str(value)
        is_share = _SHARE.fullmatch(text) is not None and Decimal(text[:-1]) <= _WHOLE
        if isinstance(value, bool) or not (is_share or _COUNT.fullmatch(text)):
            raise ValueError("must be a count, or a share such as 5%")
        return cls(text)

    @property
    def plain(self) -> int | str:
        """As a manifest writes it."""
        return self.text if self.text.endswith("%") else int(self.text)

    def allows(self, bad: int, total: int) -> bool:
        """Whether so many rows of a job may fail."""
        if self.text.endswith("%"):
            return bad * _WHOLE <= Decimal(self.text[:-1]) * total
        return bad <= int(self.text)


class Fallback(Struct, frozen=True):
    """An entry of `spec.rows.fallback`: rows with these verdicts are sent once with another model."""

    when: frozenset[str]
    change: SentWith


class RowSettings(Struct, frozen=True):
    """`spec.rows`, with its defaults."""

    accept: frozenset[str] = frozenset()
    """Verdict codes that count as good."""
    reuse: bool = True
    """Whether rows with a good answer are left out of a new attempt."""
    max_attempts: int = 3
    """How often a row is sent, with `retryOn: [ROWS]`."""
    fallbacks: tuple[Fallback, ...] = ()
    """In their order, after these attempts."""


class Canary(Struct, frozen=True):
    """`spec.canary`: a few rows are bought first, and their results decide about the others."""

    rows: int = 50
    max_failed_rows: MaxFailedRows = msgspec.field(default_factory=lambda: MaxFailedRows("5%"))
    max_tokens_per_row: int | None = None
    """The most tokens, of input and output, that a row may take on average; None: no limit."""


def judge_rows(rows: RowCounts, settings: RowSettings, limit: MaxFailedRows | None) -> RowCounts:
    """The counts of collected rows, as the manifest judges them. Rows without a verdict keep their counts."""
    if rows.verdicts:
        good = _good(rows.verdicts, settings)
        missing = sum(rows.verdicts.get(code, 0) for code in _NO_FAILURES - settings.accept)
        failed = sum(rows.verdicts.values()) - good - missing
        accepted = settings.accept.intersection(rows.verdicts)
        if (rows.ok, rows.failed, rows.accepted) != (good, failed, accepted):
            rows = replace(rows, ok=good, failed=failed, accepted=accepted)
    exceeds = None
    if limit is not None and rows.ok is not None:
        exceeds = not limit.allows(rows.bad, max(rows.total or 0, rows.ok + (rows.failed or 0)))
    # Thousands of collected attempts are judged as they were before: they are not copied.
    return rows if rows.too_many_failed is exceeds else replace(rows, too_many_failed=exceeds)


def _good(verdicts: Mapping[str, int], settings: RowSettings) -> int:
    good = {RowVerdict.OK.value, *settings.accept}
    return sum(number for code, number in verdicts.items() if code in good)
