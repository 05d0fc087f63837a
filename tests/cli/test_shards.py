"""Rows that are split into shards, on both APIs; the emulator's record is the witness."""

from __future__ import annotations

from collections import Counter

from tests.support.apis import GEMINI
from tests.support.command_line import Cli, Service, StackFolder, check_schema
from tests.support.long_mode import LONG
from tests.support.row_shop import QUICK, Shop, keys, keys_of, numbered

PASSING = {"share": 0.03, "by": "content", "times": 1, "error": {"code": 14, "message": "try later"}}
BROKEN = {"share": 0.01, "by": "content", "error": {"code": 3, "message": "invalid"}}
CUT = {"share": 0.02, "by": "content", "finishReason": "MAX_TOKENS"}


def test_seven_shards_of_which_one_expires_end_with_each_row_once(shop: Shop) -> None:
    """10,000 rows; in the gate, so many on one API alone."""
    count = 10_000 if LONG or shop.api is GEMINI else 1000
    whole, rest = count * 15 // 100, count // 10
    rule = {**QUICK, "order": "shuffled", "rowOutcomes": [PASSING, BROKEN, CUT]}
    expires = {**rule, "match": {"nth": 3}, "fate": "expire", "done": 0.6}
    shop.service.rules(expires, rule)
    shop.write(numbered(count), sharding={"maxRows": whole}, lifecycle={"retryOn": ["ROWS"]})
    shop.cli("apply", "--yes", "--wait")
    rows, record, sent = shop.rows(), shop.record(), shop.sent()
    assert sorted(sent[:7]) == [rest, *[whole] * 6]
    assert keys(rows) == keys_of(numbered(count))
    assert [row["index"] for row in rows] == list(range(count))
    verdicts = Counter(row["verdict"] for row in rows)
    assert verdicts.keys() == {"OK", "INVALID_ARGUMENT", "MAX_TOKENS"}, "every row that failed transiently is answered"
    assert 0.95 * count < verdicts["OK"] < 0.98 * count
    expired = whole - whole * 6 // 10
    assert expired < sum(sent) - count < 1.2 * (expired + 0.03 * count), "the rest of one shard, and 3 % of all"
    assert (record["distinct"], record["answered"], record["sentAfterAnswer"]) == (count, verdicts["OK"], 0)
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


def test_what_is_said_of_a_shard_is_not_said_of_the_job(shop: Shop) -> None:
    """Three shards: one fails as a whole, and one has a row that fails."""
    shop.service.rules(
        {**QUICK, "match": {"nth": 2}, "fate": "fail", "error": {"code": 13, "message": "cannot read"}},
        {**QUICK, "match": {"row": "k0"}, "rowOutcomes": [{"finishReason": "SAFETY"}]},
        QUICK,
    )
    shop.write(numbered(7), sharding={"maxRows": 3})
    lines = shop.cli("apply", "--yes", "--wait").err
    assert all(f"(attempt 1.{shard})" in lines for shard in range(3))
    assert "JOB_STATE_FAILED (attempt 1.1)" in lines
    assert "results collected (attempt 1.0): 2 of 3 rows ok, 1 SAFETY;" in lines
    assert "results collected (attempt 1.1): 0 of 3 rows ok, 0 failed, 3 without a result;" in lines
    assert "results of all shards merged: 3 rows ok, 1 SAFETY, 3 without a result;" in lines
    assert "in all" not in lines
    described = shop.cli.ok("describe", "translate")
    assert "shard 1.1: JOB_STATE_RUNNING → JOB_STATE_FAILED" in described.out
    assert "shard 1.0: 2 of 3 rows ok, 1 SAFETY" in described.out
    assert "\n  1.0 *" in described.out
    failed = shop.cli.ok("results", "translate", "--failed").rows
    assert [(row["key"], row["verdict"]) for row in failed[:2]] == [("k0", "SAFETY"), ("k3", "NO_RESULT")]


def test_describe_shows_the_settings_of_rows(shop: Shop) -> None:
    fallback = [{"when": ["MAX_TOKENS"], "model": "gemini-2.5-pro"}]
    rows = {"accept": ["SAFETY"], "maxAttempts": 5, "fallback": fallback}
    shop.write(numbered(8), sharding={"maxRows": 3}, canary={"rows": 2}, rows=rows, lifecycle={"retryOn": ["ROWS"]})
    shop.cli.ok("apply", "--yes")
    described = shop.cli.ok("describe", "translate", "-o", "json").json
    check_schema("describe", described)
    assert described["desired"]["rows"] == {"reuse": True, **rows}
    assert described["desired"]["sharding"]["maxRows"] == 3
    assert described["desired"]["canary"] == {"rows": 2, "maxFailedRows": "5%", "maxTokensPerRow": None}
    (one,) = described["attempts"]
    assert one["sent"] == {"rows": 2, "total": 8, "canary": True, "shards": 1, "sentWith": None}
    shown = shop.cli.ok("describe", "translate").out
    assert "Canary:" in shown
    assert "maxFailedRows=5%" in shown


def test_inline_rows_are_split_at_the_limit_of_the_provider(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    stack.write_stack(providers={"gemini": {"type": "gemini", "endpoint": "emulator", "limits": {"rows": 2}}})
    stack.write_job("a")
    cli.ok("apply", "--yes", "--wait")
    assert [job["rows"] for job in service.jobs()] == [2, 1]
    assert [row["key"] for row in cli.ok("results", "a").rows] == ["one", "two", "three"]


def test_results_of_shards_that_another_job_uses_keep_their_rows(shop: Shop) -> None:
    shop.write(numbered(7), sharding={"maxRows": 3})
    shop.cli.ok("apply", "--yes", "--wait")
    manifest, other = shop.stack.job_path("translate"), shop.stack.job_path("other")
    other.write_text(manifest.read_text().replace("name: translate", "name: other"))
    manifest.unlink()
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [3, 3, 1]
    rows = other.parent / "rows.jsonl"
    rows.write_text(rows.read_text().replace('"text 3"', '"new"'))
    assert "1 of 7 rows to send, 6 reused" in " ".join(shop.cli.ok("plan").out.split())
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [3, 3, 1, 1]
    assert keys(shop.cli.ok("results", "other").rows) == keys_of(numbered(7))


def test_each_row_says_which_attempt_answered_it(shop: Shop) -> None:
    late = {"error": {"code": 13, "message": "late"}, "times": 1}
    shop.service.rules({**QUICK, "match": {"row": "k4"}, "rowOutcomes": [late]}, QUICK)
    shop.write(numbered(6), sharding={"maxRows": 2}, lifecycle={"retryOn": ["ROWS"]})
    shop.cli.ok("apply", "--yes", "--wait")
    assert [row["attempt"] for row in shop.rows()] == [1, 1, 1, 1, 2, 1]
    joined = shop.cli.ok("results", "translate", "--join").rows
    assert [row["attempt"] for row in joined] == [1, 1, 1, 1, 2, 1]
    assert {row["attempt"] for row in shop.cli.ok("results", "translate", "--attempt", "1").rows} == {1}
    shop.write(reversed(numbered(6)), sharding={"maxRows": 2}, lifecycle={"retryOn": ["ROWS"]})
    shop.cli.ok("apply", "--yes", "--wait")
    assert [row["attempt"] for row in shop.rows()] == [1, 2, 1, 1, 1, 1]
