"""`explain` of a job with shards whose rows fail: one screen in each moment, on both APIs."""

from __future__ import annotations

from typing import Any

import pytest

from batchctl.engine.clock import SystemClock
from tests.support.command_line import check_schema
from tests.support.row_shop import Shop, numbered

RUNNING = {"pending": "0s", "running": "10m"}
QUOTA = "Quota exceeded for quota metric 'Generate Content API requests per minute' of service 'aiplatform'."
INTERNAL = "Internal error encountered."
INVALID = "Invalid value at 'contents[0].parts[0]' (oneof), oneof field 'data' is already set."
_SCREEN = (80, 24)


def failing(key: str, code: int, message: str, **more: Any) -> dict[str, Any]:
    return {**RUNNING, "match": {"row": key}, "rowOutcomes": [{"error": {"code": code, "message": message}, **more}]}


@pytest.fixture
def begun(shop: Shop) -> Shop:
    """25 rows in three shards: one fails as a whole, three rows fail each time, and four the first time."""
    failed = {"match": {"nth": 2}, "fate": "fail", "error": {"code": 13, "message": "The job cannot read its input."}}
    rules = [failing("k3", 8, QUOTA), failing("k22", 13, INTERNAL), failing("k24", 3, INVALID)]
    shop.service.rules({**RUNNING, **failed}, *rules, failing("k2?", 13, INTERNAL, times=1), RUNNING)
    shop.write(numbered(25), sharding={"maxRows": 10}, lifecycle={"retryOn": ["ROWS"]})
    shop.cli.ok("apply", "--yes")
    return shop


def advance(shop: Shop) -> None:
    """End the attempt, collect it, and send its failed rows again after the back-off."""
    end(shop)
    SystemClock().sleep(60)
    shop.cli("apply", "--yes")


def end(shop: Shop, seconds: int = 660) -> None:
    SystemClock().sleep(seconds)
    shop.cli("apply", "--yes")


def screen(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> str:
    """The output on a terminal of 80x24, with one line left for the prompt."""
    with monkeypatch.context() as patch:
        patch.setattr("batchctl.report.console.is_terminal", lambda _stream, _env: True)
        patch.setenv("NO_COLOR", "1")
        patch.setenv("COLUMNS", str(_SCREEN[0]))
        shown = shop.cli.ok("explain", "translate").out
    lines = sum(max(1, -(-len(line) // _SCREEN[0])) for line in shown.splitlines())
    assert lines < _SCREEN[1], shown
    return " ".join(shown.split())


def left(shop: Shop) -> dict[str, Any]:
    document = shop.cli.ok("explain", "translate", "-o", "json").json
    check_schema("explain", document)
    found: dict[str, Any] = document["rowsLeft"]
    return found


def test_a_failed_shard_is_named(begun: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "rowsLeft" not in begun.cli.ok("explain", "translate", "-o", "json").json
    assert "Attempt: 1, RUNNING, 3 shards" in screen(begun, monkeypatch)
    end(begun)
    shown = " ".join(begun.cli.ok("explain", "translate").out.split())
    assert "shard 1.1: The job cannot read its input." in shown
    assert "9 of 25 rows have a good answer; 15 are sent again, 1 is not sent again" in shown
    assert "k10 NO_RESULT no answer yet; the next attempt sends it again" in shown


def test_the_second_retry_is_one_screen(begun: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    advance(begun)
    advance(begun)
    shown = screen(begun, monkeypatch)
    assert "Job: translate, gemini-2.5-flash on main" in shown
    assert "Attempt: 3 (row retry 2), RUNNING" in shown
    assert "22 of 25 rows have a good answer; 2 are in attempt 3, 1 is not sent again" in shown
    assert "k3 RESOURCE_EXHAUSTED failed 2 times; attempt 3 sends it again Quota exceeded for quota metric" in shown
    assert f"k22 INTERNAL failed 2 times; attempt 3 sends it again {INTERNAL}" in shown
    assert "k24 INVALID_ARGUMENT failed 1 time; not sent again: it would fail again Invalid value at" in shown
    assert "batchctl results translate --attempt 2 --failed prints these rows in full" in shown
    assert "batchctl cancel translate" in shown
    assert "/2 of 25 " in begun.cli.ok("status").out
    assert "/2 of 25 " in begun.cli.ok("status", "-o", "markdown").out
    found = left(begun)
    assert (found["good"], found["underWay"], found["nothing"]) == (22, 2, 1)
    assert [(one["key"], one["message"]) for one in found["first"]] == [
        ("k3", QUOTA),
        ("k22", INTERNAL),
        ("k24", INVALID),
    ]


def test_a_back_off_has_its_time_and_the_rows_that_follow(begun: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    advance(begun)
    end(begun, 602)
    shown = screen(begun, monkeypatch)
    assert "a new attempt is created; it sends 2 rows again: k3, k22" in shown
    assert "Z, in " in shown
    assert "batchctl retry translate --rows failed sends all 3 now" in shown
    assert "results translate --failed prints" in shown
    begun.cli.ok("retry", "translate", "--rows", "failed", "--yes")
    assert begun.sent()[-1] == 3


def test_nothing_follows_when_the_attempts_are_used_up(begun: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        advance(begun)
    shown = screen(begun, monkeypatch)
    assert "k3 RESOURCE_EXHAUSTED failed 3 times; not sent again: rows.maxAttempts is 3" in shown
    assert "nothing: 3 rows without a good answer" in shown
    assert "batchctl retry translate --rows failed sends all 3 once more" in shown
    assert left(begun)["nothing"] == 3
