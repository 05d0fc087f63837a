"""The size of a job's work, as far as it is known: model, provider, rows, bytes and tokens."""

from __future__ import annotations

from msgspec import Struct

from batchctl.model.desired import DesiredJob
from batchctl.model.sources import InlineRows, LocalFile, RemoteSource

TOKEN_BYTES = 4
"""The bytes of one token, for estimates before the API has counted: most languages need at least this many."""


def ceiling(number: int, divisor: int) -> int:
    """The least whole number that is not below a quotient. Exact, however large the numbers are."""
    return -(-number // divisor)


class WorkSize(Struct, frozen=True, gc=False):
    """The size of one job's work. None: not known, because batchctl does not read input that it does not send."""

    model: str | None = None
    provider: str | None = None
    rows: int | None = None
    bytes: int | None = None
    """The approximate bytes that are sent, defaults included."""
    tokens: int | None = None
    """Of the input: counted by the API, or estimated from the bytes."""
    is_counted: bool = False
    """Whether the API counted the tokens."""
    sampled_rows: int = 0
    """The rows that the API counted beforehand, by which the tokens are estimated; 0: none."""


def can_send_rows(job: DesiredJob) -> bool:
    """Whether batchctl can send the rows of a job one by one."""
    return rows_sent(job) is not None or is_divisible(job)


def is_divisible(job: DesiredJob) -> bool:
    """Whether the rows are in files at Cloud Storage of which batchctl can send a part."""
    return isinstance(job.source, RemoteSource) and job.source.is_divisible


def rows_sent(job: DesiredJob) -> int | None:
    """The number of rows of a manifest; None if they are at Cloud Storage, or batchctl does not send them."""
    source = job.source
    if isinstance(source, InlineRows):
        return len(source.rows)
    return source.rows if isinstance(source, LocalFile) else None
