"""Rows that a person orders: which are sent, and which answer counts afterwards."""

from __future__ import annotations

import pytest

from batchctl.model.row_work import RowChoice, RowOrder
from batchctl.rows.sent_list import read_sent
from tests.rows.test_ledger import GOOD, Shop, key, shop, token, work
from tests.support.values import replace

__all__ = ["shop"]
NAMED = RowChoice(order=RowOrder(keys=frozenset({"x"})))
ALL = RowChoice(order=RowOrder(is_all=True))


@pytest.fixture
def answered(shop: Shop) -> Shop:
    shop.send(work("x", "y", "z"), 1)
    shop.collect(work("x", "y", "z"), 1, [("x", "1"), ("y", "2"), ("z", 13)])
    return shop


@pytest.mark.parametrize(
    ("order", "sent"),
    [
        (RowOrder(), ["z"]),
        (RowOrder(is_all=True), ["x", "y", "z"]),
        (RowOrder(codes=frozenset({"INTERNAL"})), ["z"]),
        (RowOrder(codes=frozenset({"SAFETY"})), []),
        (RowOrder(keys=frozenset({"y", "z"})), ["y", "z"]),
    ],
)
def test_the_survey_counts_the_rows_that_are_sent(answered: Shop, order: RowOrder, sent: list[str]) -> None:
    wanted, choice = work("x", "y", "z"), RowChoice(order=order)
    found = answered.ledger.survey(wanted, choice)
    assert found is not None
    assert found.ordered is not None
    assert (found.ordered.rows, found.ordered.first) == (len(sent), tuple(sent))
    assert (found.total, found.answered, found.to_send, found.first) == (3, 2, 1, ("z",))
    assert answered.send(wanted, 2, choice) == sent


def test_a_new_good_answer_of_a_named_row_counts(answered: Shop) -> None:
    wanted = work("x", "y", "z")
    assert answered.send(wanted, 2, NAMED) == ["x"]
    merged = answered.collect(wanted, 2, [("x", "new")])
    assert answered.results(merged) == [("x", 0, "new"), ("y", 1, "2"), ("z", 2, "INTERNAL")]
    assert answered.send(wanted, 3) == ["z"]
    merged = answered.collect(wanted, 3, [("z", "3")])
    assert answered.results(merged) == [("x", 0, "new"), ("y", 1, "2"), ("z", 2, "3")]


def test_a_worse_answer_replaces_no_good_one(answered: Shop) -> None:
    wanted = work("x", "y", "z")
    answered.send(wanted, 2, ALL)
    merged = answered.collect(wanted, 2, [("x", 13), ("y", "newer"), ("z", 14)])
    assert answered.results(merged) == [("x", 0, "1"), ("y", 1, "newer"), ("z", 2, "UNAVAILABLE")]


def test_rows_of_one_request_are_named_by_either_key(answered: Shop) -> None:
    twin = replace(work("x", "y"), source=replace(work("x").source, rows=(*work("x", "y").source.rows,) * 2))
    rows = tuple(replace(row, key=f"{row.key}{number}") for number, row in enumerate(twin.source.rows))
    twin = replace(twin, source=replace(twin.source, rows=rows))
    choice = RowChoice(order=RowOrder(keys=frozenset({"x2"})))
    found = answered.ledger.survey(twin, choice)
    assert found is not None
    assert found.ordered is not None
    assert (found.ordered.rows, found.ordered.first) == (1, ("x2",))
    assert answered.ledger.choose(twin, key(2), token(2), choice, answered.new_token).sent.rows == 1


@pytest.mark.parametrize(("name", "near"), [("row-x", None), ("long-keys", "long-key")])
def test_a_key_that_no_row_has_is_reported_with_a_similar_one(shop: Shop, name: str, near: str | None) -> None:
    wanted = work("long-key", "y")
    shop.send(wanted, 1)
    shop.collect(wanted, 1, [("long-key", "1"), ("y", "2")])
    found = shop.ledger.survey(wanted, RowChoice(order=RowOrder(keys=frozenset({"y", name}))))
    assert found is not None
    assert found.ordered is not None
    assert (found.ordered.rows, found.ordered.unknown, found.ordered.near) == (1, (name,), near)


def test_the_list_of_sent_rows_has_the_order(answered: Shop) -> None:
    wanted = work("x", "y", "z")
    for attempt, choice in ((2, NAMED), (3, GOOD)):
        answered.send(wanted, attempt, choice)
        sent = read_sent(answered.root, key(attempt), wanted.digest, token(attempt))
        assert sent is not None
        assert sent.renews is (choice is NAMED)
