"""Shards in the middle of changes, removals and losses, on both APIs; the emulator's record is the witness."""

from __future__ import annotations

import shutil

import pytest

from tests.support.long_mode import effort
from tests.support.row_shop import QUICK, Shop, keys, keys_of, numbered

LONG = {"pending": "0s", "running": "10m"}
ROWS = numbered(20)
CREATES = ("batches.create", "batchPredictionJobs.create")


def admit(shop: Shop, active: int) -> None:
    """Let the account have so many active jobs."""
    shop.stack.write_stack(providers={"main": {**shop.api.provider, "limits": {"active": active}}})


def begin(shop: Shop, **spec: object) -> None:
    """Four shards, of which the third takes longer than the others."""
    shop.service.rules({**LONG, "match": {"nth": 3}, "running": "20m"}, LONG)
    shop.write(ROWS, **{"sharding": {"maxRows": 6}, **spec})
    shop.cli.ok("apply", "--yes")


def lose(shop: Shop, *folders: str) -> None:
    """Lose the state (`.batchctl`), the results folder, or both."""
    for folder in folders:
        shutil.rmtree(shop.stack.path / folder)


def finish(shop: Shop) -> str:
    """Run to the end, with jobs that end soon; gives what the command reports."""
    shop.service.rules(QUICK)
    shop.service.advance("21m")
    return shop.cli.ok("apply", "--yes", "--wait").err


def check_all(shop: Shop) -> None:
    """Every row has its answer, and none was bought twice."""
    rows = shop.rows()
    assert keys(rows) == keys_of(ROWS)
    assert {row["verdict"] for row in rows} == {"OK"}
    assert shop.cli.ok("status", "-o", "json").phases() == {"translate": "Succeeded"}


def test_shards_that_wait_for_their_turn_are_sent(shop: Shop) -> None:
    """The results of the shards before them are a part of the work, and not used in their place."""
    admit(shop, 1)
    shop.service.rules(QUICK)
    shop.write(ROWS, sharding={"maxRows": 6})
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [6, 6, 6, 2]
    check_all(shop)


def test_a_job_that_was_removed_while_shards_ran_is_bought_to_its_end(shop: Shop) -> None:
    begin(shop)
    shop.service.advance("11m")
    shop.cli.ok("apply", "--yes")
    shop.cli.ok("destroy", "--yes")
    shop.cli.ok("destroy", "--yes")
    finish(shop)
    answered = 20 - sum(shop.sent()[4:])
    assert answered >= 14, "the shards that had ended are not bought again"
    check_all(shop)


LOSSES = pytest.mark.parametrize(
    "lost", [(".batchctl",), ("results",), (".batchctl", "results")], ids=["state", "results", "both"]
)


@LOSSES
def test_a_canary_that_was_lost_while_it_ran_is_a_canary(shop: Shop, lost: tuple[str, ...]) -> None:
    begin(shop, canary={"rows": 5}, sharding={})
    lose(shop, *lost)
    finish(shop)
    assert shop.sent() == [5, 15]
    check_all(shop)


@LOSSES
def test_a_broken_canary_that_was_lost_buys_nothing_else(shop: Shop, lost: tuple[str, ...]) -> None:
    shop.service.rules({**LONG, "rowOutcomes": [{"finishReason": "SAFETY"}]})
    shop.write(ROWS, canary={"rows": 5})
    shop.cli.ok("apply", "--yes")
    lose(shop, *lost)
    shop.service.advance("11m")
    ran = shop.cli("apply", "--yes", "--wait")
    assert (ran.code, shop.sent()) == (4, [5])
    assert "the canary failed: 5 of 5 rows failed (5 SAFETY)" in ran.out


@LOSSES
def test_shards_that_were_not_created_before_a_loss_are_sent(shop: Shop, lost: tuple[str, ...]) -> None:
    admit(shop, 2)
    begin(shop)
    assert shop.sent() == [6, 6]
    lose(shop, *lost)
    finish(shop)
    assert shop.sent() == [6, 6, 6, 2]
    check_all(shop)


def test_all_shards_are_sent_if_their_lists_are_lost_before_the_first(shop: Shop) -> None:
    busy = [{"method": name, "kind": "status", "status": 429} for name in CREATES]
    shop.service.faults(*busy)
    shop.write(ROWS, sharding={"maxRows": 6})
    assert shop.cli("apply", "--yes").code == 7
    assert shop.sent() == []
    lose(shop, "results")
    shop.service.faults()
    finish(shop)
    assert sorted(shop.sent()) == [2, 6, 6, 6]
    check_all(shop)


@LOSSES
def test_answers_of_earlier_attempts_are_collected_before_rows_are_sent_again(
    shop: Shop, lost: tuple[str, ...]
) -> None:
    failing = {"share": 0.3, "by": "content", "times": 1, "error": {"code": 14, "message": "later"}}
    shop.service.rules({**LONG, "rowOutcomes": [failing]})
    shop.write(ROWS, sharding={"maxRows": 6}, lifecycle={"retryOn": ["ROWS"]})
    shop.cli.ok("apply", "--yes")
    for _ in range(2):
        shop.service.advance("11m")
        shop.cli.ok("apply", "--yes")
    assert shop.sent() == [6, 6, 6, 2, 3]
    lose(shop, *lost)
    finish(shop)
    assert shop.sent() == [6, 6, 6, 2, 3]
    check_all(shop)


def end_three_shards(shop: Shop) -> None:
    begin(shop)
    shop.service.advance("11m")
    shop.cli.ok("apply", "--yes")


def delete_job(shop: Shop, number: int) -> None:
    """Someone deletes a remote job."""
    shop.service.delete(shop.service.jobs()[number]["name"])


def test_lost_answers_of_a_shard_are_shown_and_bought_by_order_alone(shop: Shop) -> None:
    end_three_shards(shop)
    (folder,) = shop.results.glob("*-1.1")
    shutil.rmtree(folder)
    delete_job(shop, 1)
    finish(shop)
    (status,) = shop.cli.ok("status", "-o", "json").json["jobs"]
    assert (status["phase"], status["rows"]["ok"]) == ("PartiallySucceeded", 14)
    assert status["reason"] == "succeeded; 6 of 20 rows have no result"
    assert shop.sent() == [6, 6, 6, 2]
    shop.cli.ok("retry", "translate", "--yes")
    finish(shop)
    assert shop.sent() == [6, 6, 6, 2, 6]
    assert keys(shop.cli.ok("results", "translate").rows) == keys_of(ROWS)


def test_merged_results_are_not_replaced_by_worse_ones(shop: Shop) -> None:
    begin(shop, lifecycle={"ttlAfterFinished": "1m"})
    finish(shop)
    shop.service.advance("5m")
    shop.cli.ok("apply", "--yes")
    assert not shop.service.live()
    lose(shop, "results")
    ran = shop.cli.ok("apply", "--yes", "--wait")
    assert "merged" not in ran.err
    assert shop.sent() == [6, 6, 6, 2]
    assert shop.cli.ok("status", "-o", "json").phases() == {"translate": "Succeeded"}


def test_a_damaged_ledger_of_a_shard_costs_its_own_rows(shop: Shop) -> None:
    end_three_shards(shop)
    (ledger,) = shop.results.glob("*-1.1/rows.ledger")
    ledger.write_bytes(ledger.read_bytes()[:-1])
    assert "answers cannot be used, and their rows are bought again" in finish(shop)
    assert shop.sent() == [6, 6, 6, 2, 6]
    assert keys(shop.cli.ok("results", "translate").rows) == keys_of(ROWS)


def test_a_cancel_while_shards_run_leaves_what_they_answered(shop: Shop) -> None:
    end_three_shards(shop)
    shop.cli.ok("cancel", "translate", "--yes")
    shop.service.rules(QUICK)
    shop.service.advance("5m")
    ran = shop.cli("apply", "--yes", "--wait")
    assert (ran.code, shop.cli("status", "-o", "json").phases()) == (4, {"translate": "Cancelled"})
    answered = len([row for row in shop.rows() if row["verdict"] == "OK"])
    assert answered >= 14
    shop.cli.ok("retry", "translate", "--yes")
    finish(shop)
    assert sum(shop.sent()[4:]) == 20 - answered
    check_all(shop)


def test_another_job_uses_the_results_of_all_shards(shop: Shop) -> None:
    begin(shop, runId="same")
    finish(shop)
    manifest, other = shop.stack.job_path("translate"), shop.stack.job_path("other")
    other.write_text(manifest.read_text().replace("name: translate", "name: other"))
    finish(shop)
    assert shop.sent() == [6, 6, 6, 2]
    manifest.unlink()
    rows = other.parent / "rows.jsonl"
    rows.write_text(rows.read_text().replace('"text 3"', '"new"'))
    finish(shop)
    assert shop.sent() == [6, 6, 6, 2, 1]
    assert keys(shop.cli.ok("results", "other").rows) == keys_of(ROWS)


def test_a_change_while_shards_run_buys_no_answer_twice(shop: Shop) -> None:
    """They are stopped, and what they have answered until then is kept."""
    end_three_shards(shop)
    rows = numbered(20, k0="new")
    shop.write(rows, sharding={"maxRows": 6})
    shop.service.rules(QUICK)
    shop.cli.ok("apply", "--yes", "--wait")
    found = shop.rows()
    assert {row["verdict"] for row in found} == {"OK"}
    assert keys(found) == keys_of(rows)
    assert sum(shop.sent()[4:]) <= 1 + 6


MOMENTS = {"canary": 0, "shards": 2, "merged": 3, "row retry": 4}
"""By the number of times that all jobs have ended and the command was run again."""


@pytest.mark.parametrize("moment", effort(["shards", "row retry"], sorted(MOMENTS)))
def test_a_state_that_is_rebuilt_goes_on_where_it_was(shop: Shop, moment: str) -> None:
    failing = {"share": 0.3, "by": "content", "times": 1, "error": {"code": 14, "message": "later"}}
    shop.service.rules({**LONG, "rowOutcomes": [failing]})
    canary = {"rows": 3, "maxFailedRows": "100%"}
    shop.write(ROWS, canary=canary, sharding={"maxRows": 6}, lifecycle={"retryOn": ["ROWS"]})
    shop.cli.ok("apply", "--yes")
    for _ in range(MOMENTS[moment]):
        shop.service.advance("11m")
        shop.cli.ok("apply", "--yes")
    before = shop.sent()
    lose(shop, ".batchctl")
    shop.cli.ok("state", "rebuild")
    finish(shop)
    assert shop.sent()[: len(before)] == before
    check_all(shop)
