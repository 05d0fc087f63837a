"""An order of rows in the state: what cannot be read is refused."""

from __future__ import annotations

import pytest

from batchctl.model.row_work import RowOrder
from batchctl.model.sent_with import SentWith
from batchctl.state.cells import CellError, NewerError
from batchctl.state.row_orders import read_row_order, row_order_cell


@pytest.mark.parametrize(
    ("order", "cell"),
    [
        (None, None),
        (RowOrder(), "{}"),
        (RowOrder(is_all=True), '{"all": true}'),
        (RowOrder(codes=frozenset({"SAFETY", "MAX_TOKENS"})), '{"codes": ["MAX_TOKENS", "SAFETY"]}'),
        (
            RowOrder(sent_with=SentWith("gemini-2.5-pro", {"generationConfig": {"seed": 7}})),
            '{"sentWith": {"model": "gemini-2.5-pro", "request": {"generationConfig": {"seed": 7}}}}',
        ),
        (RowOrder(sent_with=SentWith(request={"x": None})), '{"sentWith": {"request": {"x": null}}}'),
        (RowOrder(keys=frozenset({"k1"})), '{"keys": ["k1"]}'),
    ],
)
def test_an_order_is_read_as_it_was_written(order: RowOrder | None, cell: str | None) -> None:
    assert row_order_cell(order) == cell
    assert read_row_order(cell) == order


@pytest.mark.parametrize(
    ("cell", "error"),
    [
        ('{"keys":"k1"}', CellError),
        ('{"codes":[1]}', CellError),
        ('{"later":1}', NewerError),
        ('{"sentWith":{"later":1}}', ValueError),
        ('{"sentWith":{"model":1}}', ValueError),
        ('{"sentWith":7}', ValueError),
    ],
)
def test_an_order_that_is_not_understood_is_refused(cell: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_row_order(cell)
