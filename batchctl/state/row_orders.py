"""An order of `batchctl retry --rows` in the state."""

from __future__ import annotations

from batchctl.model.json_value import Json
from batchctl.model.row_work import RowOrder
from batchctl.model.sent_with import SentWith
from batchctl.state.cells import Cell, CellError, NewerError, json_cell, read_object, read_text

_ALL, _CODES, _KEYS, _SENT_WITH = "all", "codes", "keys", "sentWith"


def row_order_cell(order: RowOrder | None) -> Cell:
    """The ordered rows; NULL where no order names any."""
    if order is None:
        return None
    found: dict[str, Json] = {_ALL: order.is_all, _CODES: sorted(order.codes), _KEYS: sorted(order.keys)}
    found[_SENT_WITH] = None if order.sent_with is None else order.sent_with.plain
    return json_cell({name: value for name, value in found.items() if value})


def read_row_order(cell: Json) -> RowOrder | None:
    """The order from `row_order_cell`.

    Raises CellError, and NewerError for members that this batchctl does not know: it would buy other rows.
    """
    if cell is None:
        return None
    found = read_object(cell)
    unknown = found.keys() - {_ALL, _CODES, _KEYS, _SENT_WITH}
    if unknown:
        raise NewerError(f"its order of rows has {', '.join(sorted(unknown))}")
    sent_with = SentWith.read(found[_SENT_WITH]) if _SENT_WITH in found else None
    return RowOrder(found.get(_ALL) is True, _read_names(found.get(_CODES)), _read_names(found.get(_KEYS)), sent_with)


def _read_names(value: Json) -> frozenset[str]:
    if not isinstance(value, list | None):
        raise CellError(f"expected a list of names, found {value!r}")
    return frozenset(map(read_text, value or ()))
