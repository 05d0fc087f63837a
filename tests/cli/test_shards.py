"""Rows that are split into shards, on both APIs; the emulator's record is the witness."""

from __future__ import annotations

from tests.support.row_shop import QUICK, Shop, keys, keys_of, numbered

PASSING = {"share": 0.03, "by": "content", "times": 1, "error": {"code": 14, "message": "try later"}}
BROKEN = {"share": 0.01, "by": "content", "error": {"code": 3, "message": "invalid"}}
CUT = {"share": 0.02, "by": "content", "finishReason": "MAX_TOKENS"}


def test_seven_shards_of_which_one_expires_end_with_each_row_once(shop: Shop) -> None:
    rule = {**QUICK, "order": "shuffled", "rowOutcomes": [PASSING, BROKEN, CUT]}
    expires = {**rule, "match": {"nth": 3}, "fate": "expire", "done": 0.6}
    shop.service.rules(expires, rule)
    shop.write(numbered(1000), sharding={"maxRows": 150}, lifecycle={"retryOn": ["ROWS"]})
    shop.cli("apply", "--yes", "--wait")
    rows, record = shop.rows(), shop.record()
    assert shop.sent()[:7] == [150, 150, 150, 150, 150, 150, 100]
    assert keys(rows) == keys_of(numbered(1000))
    assert [row["index"] for row in rows] == list(range(1000))
    assert {row["verdict"] for row in rows} == {"OK", "INVALID_ARGUMENT", "MAX_TOKENS"}
    assert (record["distinct"], record["sentAfterAnswer"]) == (1000, 0)
    assert shop.cli.ok("plan", "-o", "json").actions() == {"translate": "none"}


def test_results_are_those_of_all_shards(shop: Shop) -> None:
    shop.write(numbered(5), sharding={"maxRows": 2})
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [2, 2, 1]
    assert keys(shop.rows()) == keys_of(numbered(5))
    assert len(shop.cli.ok("results", "translate", "--attempt", "1").rows) == 5
    described = shop.cli.ok("describe", "translate", "-o", "json").json
    assert [one["shard"] for one in described["attempts"]] == [0, 1, 2]
    shop.cli.ok("destroy", "--yes")
    assert len(shop.cli.ok("results", "translate").rows) == 5
    assert len(shop.cli.ok("results", "translate", "--attempt", "1").rows) == 5


def test_one_apply_creates_all_shards(shop: Shop) -> None:
    shop.write(numbered(5), sharding={"maxRows": 2})
    shop.cli.ok("apply", "--yes")
    assert shop.sent() == [2, 2, 1]
