"""Counts the rows of an input that an order of `batchctl retry --rows` sends."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from batchctl.model.ports.inputs import InputRow
from batchctl.model.row_marks import key_of
from batchctl.model.row_work import OrderedRows, RowOrder
from batchctl.model.suggest import similar_in_case
from batchctl.rows.ledger_index import LedgerIndex

NAMED = 10
"""The most rows to send that a plan names."""
_COMPARED = 10_000
"""The most rows whose keys are compared with one that no row has: comparing takes longer than reading."""


def name_of(row: InputRow, position: int) -> str:
    """The key of a row, or the one that batchctl gives it."""
    return key_of(position) if row.key is None else row.key


def count_ordered(rows: Callable[[], Iterable[InputRow]], index: LedgerIndex, order: RowOrder) -> OrderedRows:
    """Count the ordered rows. `rows` reads the input; it is read again where a named key is missing."""
    seen, first, unknown = set[bytes](), list[str](), set(order.keys)
    for position, row in enumerate(rows()):
        name = name_of(row, position)
        unknown.discard(name)
        if row.fingerprint in seen or not order.sends(index.history(row.fingerprint), name):
            continue
        seen.add(row.fingerprint)
        if len(first) < NAMED:
            first.append(name)
    missing = tuple(sorted(unknown))
    near = None
    if missing:
        names = (name_of(row, position) for position, row in enumerate(islice(rows(), _COMPARED)))
        near = similar_in_case(missing[0], names)
    return OrderedRows(order, len(seen), tuple(first), missing, near)
