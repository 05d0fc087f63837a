"""Rows that have a good answer are not bought again, on both APIs; the emulator's record is the witness."""

from __future__ import annotations

import json

from tests.support.row_shop import QUICK, Shop, keys, keys_of, numbered

PASSING = {"share": 0.03, "by": "content", "times": 1, "error": {"code": 14, "message": "try later"}}
BROKEN = {"share": 0.01, "by": "content", "error": {"code": 3, "message": "invalid"}}
CUT = {"share": 0.02, "by": "content", "finishReason": "MAX_TOKENS"}
PROMPT = {"response": {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}}


def test_ten_changed_rows_of_a_thousand_are_sent_and_nothing_else(shop: Shop) -> None:
    shop.write(numbered(1000))
    shop.cli.ok("apply", "--yes", "--wait")
    changed = numbered(1000, **{f"k{number}": f"new {number}" for number in range(0, 1000, 100)})
    shop.write(changed)
    work = shop.work()
    assert (work["total"], work["reused"], work["toSend"]) == (1000, 990, 10)
    assert "10 of 1,000 rows to send, 990 reused" in " ".join(shop.cli.ok("plan").out.split())
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [1000, 10]
    rows = shop.rows()
    assert keys(rows) == keys_of(changed)
    assert [row["index"] for row in rows] == list(range(1000))
    assert all(text in json.dumps(row["response"]) for row, (_, text) in zip(rows, changed, strict=True))
    # Another order, CRLF and other keys: no row is sent, and the results follow the input.
    other = [(f"other-{key}", text) for key, text in reversed(changed)]
    shop.write(other, end="\r\n")
    assert "nothing is bought" in " ".join(shop.cli.ok("plan").out.split())
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [1000, 10]
    rows = shop.rows()
    assert keys(rows) == keys_of(other)
    assert all(text in json.dumps(row["response"]) for row, (_, text) in zip(rows, other, strict=True))
    assert shop.cli.ok("status", "-o", "json").phases() == {"translate": "Succeeded"}
    assert shop.cli.ok("plan", "-o", "json").actions() == {"translate": "none"}


def test_rows_that_fail_for_a_while_are_sent_until_they_have_an_answer(shop: Shop) -> None:
    rule = {**QUICK, "order": "shuffled", "rowOutcomes": [PASSING, BROKEN, CUT]}
    expires = {**rule, "match": {"nth": 1}, "fate": "expire", "done": 0.6}
    shop.service.rules(expires, rule)
    equal = [("again", "text 7"), *numbered(400)]
    shop.write(equal, lifecycle={"retryOn": ["ROWS", "EXPIRED"], "backoffLimit": 2})
    shop.cli("apply", "--yes", "--wait")
    rows, record = shop.rows(), shop.record()
    assert keys(rows) == keys_of(equal)
    assert [row["index"] for row in rows] == list(range(401))
    assert {row["verdict"] for row in rows} == {"OK", "INVALID_ARGUMENT", "MAX_TOKENS"}
    assert rows[0]["response"] == rows[8]["response"]
    assert record["distinct"] == 400
    assert shop.sent()[0] == 400, "equal requests are sent once"
    assert shop.sent()[1] < 200
    permanent = sum(row["verdict"] != "OK" for row in rows)
    assert record["answered"] == 400 - permanent


def test_a_person_orders_rows_again(shop: Shop) -> None:
    shop.write(numbered(20))
    shop.service.rules({**QUICK, "rowOutcomes": [{"share": 0.1, "error": {"code": 3, "message": "invalid"}}]})
    shop.cli.ok("apply", "--yes", "--wait")
    shop.service.rules(QUICK)
    shop.write(numbered(20), lifecycle={"maxFailedRows": 1})
    assert shop.cli("apply", "--yes", "--wait").code == 4
    shop.cli.ok("retry", "translate", "--yes")
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [20, 2]
    assert {row["verdict"] for row in shop.rows()} == {"OK"}
    shop.cli.ok("apply", "--yes", "--wait", "--rerun", "translate")
    assert shop.sent() == [20, 2, 20]
    shop.write(numbered(20), runId="again")
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [20, 2, 20, 20]
    shop.write(numbered(20, k3="new"), runId="again", rows={"reuse": False})
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [20, 2, 20, 20, 20]


def test_a_broken_prompt_costs_a_canary(shop: Shop) -> None:
    shop.service.rules({**QUICK, "rowOutcomes": [PROMPT]})
    shop.write(numbered(1000), canary={"rows": 50})
    assert "canary: 50 rows first" in " ".join(shop.cli.ok("plan").out.split())
    ran = shop.cli("apply", "--yes", "--wait")
    assert ran.code == 4
    assert shop.sent() == [50]
    (job,) = shop.cli.ok("status", "-o", "json").json["jobs"]
    assert (job["phase"], job["reasonCode"]) == ("Failed", "CanaryFailed")
    words = "50 of 50 rows failed (50 PROMPT_BLOCKED)"
    assert words in " ".join(shop.cli.ok("explain", "translate").out.split())
    failed = shop.cli.ok("results", "translate", "--attempt", "1", "--failed").rows
    assert {row["verdict"] for row in failed} == {"PROMPT_BLOCKED"}
    assert len(failed) == 50
    assert len(shop.cli.ok("results", "translate", "--reason", "NOT_SENT").rows) == 950
    assert "0 ok, 50 PROMPT_BLOCKED, 950 not sent yet" in shop.cli.ok("status").out
    assert shop.cli("apply", "--yes", "--wait").code == 4
    assert shop.sent() == [50]
    shop.service.rules(QUICK)
    shop.cli.ok("retry", "translate", "--accept-canary", "--yes")
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [50, 1000], "the rows of the canary have no good answer yet"
    assert keys(shop.rows()) == keys_of(numbered(1000))


def test_after_a_good_canary_the_other_rows_follow(shop: Shop) -> None:
    shop.write(numbered(200), canary={"rows": 20})
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [20, 180]
    assert keys(shop.rows()) == keys_of(numbered(200))
    assert shop.cli.ok("status", "-o", "json").phases() == {"translate": "Succeeded"}
