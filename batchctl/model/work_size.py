"""How large a job's work is, as far as anybody knows: what it is bought from, and how much."""

from __future__ import annotations

from dataclasses import dataclass

from batchctl.model.desired import DesiredJob, InlineRows, LocalFile

TOKEN_BYTES = 4
"""Bytes of a token's text, as long as the API has counted none: for most languages it has rather more than fewer."""


@dataclass(frozen=True)
class WorkSize:
    """The size of one job's work. None where nobody knows: batchctl does not read input that it does not send."""

    model: str | None = None
    provider: str | None = None
    rows: int | None = None
    bytes: int | None = None
    """About how much text is sent, defaults included."""
    tokens: int | None = None
    """Of the input: counted by the API, or estimated by the bytes."""
    is_counted: bool = False
    """Whether the API counted the tokens."""


def rows_sent(job: DesiredJob) -> int | None:
    """How many rows a manifest has; None where batchctl does not send them."""
    match job.source:
        case InlineRows(rows):
            return len(rows)
        case LocalFile():
            return job.source.rows
        case _:
            return None
