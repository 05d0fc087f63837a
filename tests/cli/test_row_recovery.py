"""The ledger of rows after losses and damage, on both APIs; the emulator's record is the witness."""

from __future__ import annotations

import shutil

import pytest

from tests.support.row_shop import QUICK, Shop, keys, keys_of, numbered

HALF = {**QUICK, "rowOutcomes": [{"share": 0.5, "error": {"code": 14, "message": "later"}}]}
BLOCKED = {**QUICK, "rowOutcomes": [{"finishReason": "SAFETY"}]}
BUSY = [
    {"method": method, "kind": "status", "status": 503}
    for method in ("files.create", "batches.create", "storage.objects.insert", "batchPredictionJobs.create")
]


@pytest.fixture
def half(shop: Shop) -> Shop:
    """A job that has succeeded with 10 of its 20 rows."""
    shop.service.rules(HALF)
    shop.write(numbered(20))
    shop.cli.ok("apply", "--yes", "--wait")
    shop.service.rules(QUICK)
    return shop


def lose_state(shop: Shop) -> None:
    shutil.rmtree(shop.stack.path / ".batchctl")


def order_retry(shop: Shop) -> None:
    shop.cli.ok("retry", "translate", "--yes")
    assert "10 of 10 sent rows ok; in all 20 rows ok, 0 failed" in shop.cli.ok("apply", "--yes", "--wait").err


def check_complete(shop: Shop) -> None:
    rows = shop.rows()
    assert keys(rows) == keys_of(numbered(20))
    assert {row["verdict"] for row in rows} == {"OK"}


def test_a_retry_of_a_success_sends_only_rows_without_a_good_answer(half: Shop) -> None:
    """Case 32 of the shared cases."""
    assert half.cli.ok("status", "-o", "json").phases() == {"translate": "Succeeded"}
    order_retry(half)
    assert half.sent() == [20, 10]
    check_complete(half)
    assert half.cli("retry", "translate", "--yes").code == 6, "nothing is left to send"


def test_a_lost_state_sends_no_good_row_again(half: Shop) -> None:
    lose_state(half)
    half.cli.ok("apply", "--yes", "--wait")
    order_retry(half)
    lose_state(half)
    half.cli.ok("state", "rebuild")
    half.write(numbered(20, k3="new"))
    half.cli.ok("apply", "--yes", "--wait")
    assert half.sent() == [20, 10, 1]
    check_complete(half)


def test_an_attempt_that_is_found_without_its_list_is_merged(half: Shop) -> None:
    half.service.rules({"pending": "0s", "running": "10m"})
    half.cli.ok("retry", "translate", "--yes")
    lose_state(half)
    shutil.rmtree(half.results / "sent")
    half.service.advance("11m")
    half.cli.ok("apply", "--yes", "--wait")
    assert half.sent() == [20, 10]
    check_complete(half)


@pytest.mark.parametrize(("outcome", "sent", "code"), [(QUICK, [5, 95], 0), (BLOCKED, [5], 4)], ids=["good", "bad"])
def test_a_lost_state_remembers_a_canary(shop: Shop, outcome: dict[str, object], sent: list[int], code: int) -> None:
    shop.service.rules(outcome)
    shop.write(numbered(100), canary={"rows": 5})
    shop.cli.ok("apply", "--yes")
    shop.service.advance("1m")
    shop.service.faults(*BUSY)
    shop.cli("apply", "--yes")
    shop.service.faults()
    lose_state(shop)
    assert shop.cli("apply", "--yes", "--wait").code == code
    assert shop.sent() == sent


def test_a_damaged_ledger_costs_its_own_rows(half: Shop) -> None:
    order_retry(half)
    (first,) = half.results.glob("*-1")
    ledger = first / "rows.ledger"
    ledger.write_bytes(ledger.read_bytes()[:-1])
    half.write(numbered(20, k3="new"))
    ran = half.cli.ok("apply", "--yes", "--wait")
    assert "answers cannot be used, and their rows are bought again" in ran.err
    assert half.sent() == [20, 10, 10]


def test_what_a_replaced_job_answered_is_not_bought_again(shop: Shop) -> None:
    shop.service.rules({"pending": "0s", "running": "10m", "fate": "expire", "done": 0.5})
    shop.write(numbered(20))
    shop.cli.ok("apply", "--yes")
    shop.service.rules(QUICK)
    shop.service.advance("11m")
    shop.write(numbered(20, k3="new"))
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [20, 11]
    check_complete(shop)


def test_results_that_another_job_uses_again_keep_all_their_rows(half: Shop) -> None:
    order_retry(half)
    manifest, other = half.stack.job_path("translate"), half.stack.job_path("other")
    other.write_text(manifest.read_text().replace("name: translate", "name: other"))
    manifest.unlink()
    half.cli.ok("apply", "--yes", "--wait")
    assert half.sent() == [20, 10]
    rows = other.parent / "rows.jsonl"
    rows.write_text(rows.read_text().replace('"text 3"', '"new"'))
    half.cli.ok("apply", "--yes", "--wait")
    assert half.sent() == [20, 10, 1]
    assert keys(half.cli.ok("results", "other").rows) == keys_of(numbered(20))
