"""Rows that fail for a while, are blocked or cut off, in the words of both APIs: one order sends just these again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.row_shop import QUICK, Shop, keys, keys_of, numbered


def http(prefix: str, code: int, message: str, status: str) -> str:
    """A status of Vertex AI that holds the error of the service."""
    return f"{prefix}: {json.dumps({'error': {'code': code, 'message': message, 'status': status}})}"


SET_UP = "Service agents are being provisioned. Service agents are needed to read the Cloud Storage file provided."
PASSING = {
    "INTERNAL": {"code": 13, "message": "Internal error occurred."},
    "UNAVAILABLE": {
        "code": 14,
        "message": "m",
        "status": http("Error", 503, "The model is overloaded.", "UNAVAILABLE"),
    },
    "DEADLINE_EXCEEDED": {
        "code": 4,
        "message": "m",
        "status": http("Error", 504, "Deadline expired.", "DEADLINE_EXCEEDED"),
    },
    "RESOURCE_EXHAUSTED": {
        "code": 8,
        "message": "Quota exceeded.",
        "status": "A retryable error occurred: RESOURCE_EXHAUSTED error from online prediction: Quota exceeded.",
    },
    "ABORTED": {"code": 10, "message": "aborted", "status": {"code": 10, "message": "aborted"}},
}
LASTING = {
    "PROMPT_BLOCKED": {"response": {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}},
    "SAFETY": {"finishReason": "SAFETY"},
    "MAX_TOKENS": {"finishReason": "MAX_TOKENS"},
    "INVALID_ARGUMENT": {"error": {"code": 3, "message": "Please use a valid role: user, model."}},
}


@pytest.fixture
def rows(shop: Shop) -> Shop:
    """A job of ten rows: one good, five with errors that pass, and four that fail each time."""
    passing = [{"error": error, "times": 1} for error in PASSING.values()]
    set_up = {
        "error": {"code": 9, "message": SET_UP, "status": http("Bad Request", 400, SET_UP, "FAILED_PRECONDITION")}
    }
    outcomes = [*passing[:-1], {**set_up, "times": 1}, *LASTING.values()]
    shop.service.rules(
        *({**QUICK, "match": {"row": f"k{n}"}, "rowOutcomes": [one]} for n, one in enumerate(outcomes)), QUICK
    )
    return shop


def verdicts(shop: Shop) -> dict[str, str]:
    return {row["key"]: row["verdict"] for row in shop.rows()}


@pytest.mark.parametrize("error", PASSING.values(), ids=PASSING)
def test_each_error_that_passes_is_known_by_its_words(shop: Shop, error: dict[str, Any]) -> None:
    (name,) = [name for name, one in PASSING.items() if one is error]
    shop.service.rules({**QUICK, "rowOutcomes": [{"share": 0.5, "error": error, "times": 1}]})
    shop.write(numbered(4))
    shop.cli.ok("apply", "--yes", "--wait")
    assert sorted(verdicts(shop).values()) == sorted(["OK", "OK", name, name])
    shop.cli.ok("retry", "translate", "--yes")
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [4, 2]
    assert keys(shop.rows()) == keys_of(numbered(4))
    assert set(verdicts(shop).values()) == {"OK"}


def test_only_rows_that_may_pass_are_sent_again_by_themselves(rows: Shop) -> None:
    rows.write(numbered(10), lifecycle={"retryOn": ["ROWS"]})
    rows.cli.ok("apply", "--yes", "--wait")
    assert rows.sent() == [10, 5]
    assert [code for code in verdicts(rows).values() if code != "OK"] == [*LASTING]


def test_one_order_sends_all_rows_without_a_good_answer(rows: Shop) -> None:
    rows.write(numbered(10))
    rows.cli.ok("apply", "--yes", "--wait")
    before = verdicts(rows)
    assert [before[f"k{n}"] for n in range(4)] == [*PASSING][:4]
    assert before["k4"] == "UNAVAILABLE", "service agents are being created"
    shown = rows.cli.ok("status").out
    assert "1 ok, 2 UNAVAILABLE, 1 DEADLINE_EXCEEDED" in shown
    rows.service.rules(QUICK)
    rows.cli.ok("retry", "translate", "--yes")
    rows.cli.ok("apply", "--yes", "--wait")
    assert rows.sent() == [10, 9]
    assert set(verdicts(rows).values()) == {"OK"}


def test_a_policy_fails_a_job_with_blocked_and_cut_rows(rows: Shop) -> None:
    rows.write(numbered(10), lifecycle={"retryOn": ["ROWS"], "maxFailedRows": "30%"})
    assert rows.cli("apply", "--yes", "--wait").code == 4
    assert rows.sent() == [10, 5]
    assert "4 of 10 rows failed" in rows.cli.ok("explain", "translate").out
    rows.write(numbered(10), lifecycle={"retryOn": ["ROWS"], "maxFailedRows": "40%"})
    assert rows.cli("apply", "--yes", "--wait").code == 0
