"""Rows at Cloud Storage: a part of them is sent through the staging bucket; the emulator's record is the witness."""

from __future__ import annotations

import shutil

import pytest

from tests.support.apis import VERTEX
from tests.support.bucket_shop import SOURCE, STAGING, BucketShop
from tests.support.command_line import Cli, Service, StackFolder
from tests.support.row_shop import QUICK, keys, keys_of, numbered

LATER = {"code": 14, "message": "try later"}


@pytest.fixture
def shop(stack: StackFolder, service: Service, cli: Cli, quick: list[float]) -> BucketShop:
    return BucketShop(stack, service, cli, VERTEX)


def failing(*texts: str, **outcome: object) -> list[dict[str, object]]:
    """Rules under which the rows with these texts get another outcome, once by default."""
    outcomes = [outcome or {"times": 1, "error": LATER}]
    return [*({**QUICK, "match": {"row": text}, "rowOutcomes": outcomes} for text in texts), QUICK]


def test_two_rows_that_failed_are_sent_again(shop: BucketShop) -> None:
    shop.service.rules(*failing("text 3", "text 7"))
    shop.write(numbered(10), lifecycle={"retryOn": ["ROWS"]})
    shop.cli.ok("plan")
    assert shop.reads() == 0, "a plan reads nothing"
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [10, 2]
    first, second = shop.inputs()
    assert first == [SOURCE], "the source is sent as it is"
    assert second[0].startswith(f"gs://demo-in/{STAGING}")
    check_complete(shop, 10)
    assert shop.staged() == []
    reads = shop.reads()
    assert shop.cli.ok("plan", "-o", "json").actions() == {"translate": "none"}
    shop.cli.ok("status")
    assert shop.reads() == reads


def test_rows_without_keys_are_placed_by_their_requests(shop: BucketShop) -> None:
    rows = [(None, f"text {number % 8}") for number in range(10)]
    shop.service.rules(*failing("text 3"))
    shop.put(rows)
    shop.manifest(lifecycle={"retryOn": ["ROWS"]})
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [10, 1]
    found = shop.cli.ok("results", "translate").rows
    assert [(row["key"], row["index"], row["verdict"]) for row in found] == [(None, n, "OK") for n in range(10)]


def test_several_files_are_one_input(shop: BucketShop) -> None:
    shop.service.rules(*failing("text 1", "text 5"))
    shop.put(numbered(6)[3:], "in/b.jsonl")
    shop.put(numbered(6)[:3], "in/a.jsonl")
    shop.manifest(src="gs://demo-in/in/*.jsonl", lifecycle={"retryOn": ["ROWS"]})
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [6, 2]
    check_complete(shop, 6)


def test_a_source_is_split_into_shards(shop: BucketShop) -> None:
    shop.service.rules(*failing("text 4"))
    shop.write(numbered(7), sharding={"maxRows": 3}, lifecycle={"retryOn": ["ROWS"]})
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [3, 3, 1, 1]
    check_complete(shop, 7)
    assert shop.staged() == []


def test_a_file_that_the_api_does_not_take_is_split(shop: BucketShop) -> None:
    provider = {**shop.api.provider, "limits": {"fileBytes": 1200}}
    shop.stack.write_stack(providers={"main": provider})
    shop.write(numbered(20))
    shop.cli.ok("apply", "--yes", "--wait")
    assert sum(shop.sent()) == 20
    assert len(shop.sent()) > 1
    check_complete(shop, 20)


def test_a_canary_of_a_source(shop: BucketShop) -> None:
    shop.write(numbered(20), canary={"rows": 4})
    ran = shop.cli.ok("plan")
    assert "canary: 4 rows first" in ran.out
    assert shop.reads() == 0
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [4, 16]
    check_complete(shop, 20)


def test_a_canary_that_fails_buys_nothing_else(shop: BucketShop) -> None:
    shop.service.rules({**QUICK, "rowOutcomes": [{"finishReason": "SAFETY"}]})
    shop.write(numbered(20), canary={"rows": 4})
    ran = shop.cli("apply", "--yes", "--wait")
    assert (ran.code, shop.sent()) == (4, [4])
    assert "The other 16 rows are not bought" in ran.out
    left = shop.cli.ok("results", "translate", "--attempt", "1", "--reason", "NOT_SENT").rows
    assert len(left) == 16
    assert "others follow" not in shop.cli("explain", "translate").out


def test_a_source_with_other_rows_is_not_sent_by_itself(shop: BucketShop) -> None:
    shop.service.rules(*failing("text 3", times=5, error=LATER))
    shop.write(numbered(10))
    shop.cli.ok("apply", "--yes", "--wait")
    shop.put(numbered(10, k1="new"))
    shop.manifest(lifecycle={"retryOn": ["ROWS"]})
    shop.service.advance("10m")
    ran = shop.cli("apply", "--yes", "-o", "json")
    (action,) = ran.json["actions"]
    assert (ran.code, action["error"]["code"], shop.sent()) == (1, "SourceChanged", [10])
    assert "1 of 10 rows is new" in action["error"]["message"]
    shop.service.rules(QUICK)
    shop.put(numbered(10))
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [10, 1]
    check_complete(shop, 10)


def test_new_rows_under_another_name_are_bought_alone(shop: BucketShop) -> None:
    shop.write(numbered(10))
    shop.cli.ok("apply", "--yes", "--wait")
    shop.put(numbered(12, k1="new"), "fr-2.jsonl")
    shop.manifest(src="gs://demo-in/fr-2.jsonl")
    ran = shop.cli.ok("apply", "--yes", "--wait")
    assert "its rows are read when they are sent" in ran.out
    assert shop.sent() == [10, 3]
    check_complete(shop, 12)


def test_other_rows_under_another_name_are_not_copied(shop: BucketShop) -> None:
    shop.write(numbered(4))
    shop.cli.ok("apply", "--yes", "--wait")
    shop.put([(None, f"new {number}") for number in range(5)], "fr-2.jsonl")
    shop.manifest(src="gs://demo-in/fr-2.jsonl")
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [4, 5]
    assert shop.service.calls("storage.objects.insert") == 2, "nothing is copied: the two are those of the test"
    rows = shop.cli.ok("results", "translate").rows
    assert [(row["key"], row["index"], row["verdict"]) for row in rows] == [(None, n, "OK") for n in range(5)]


def test_a_source_that_fits_into_one_shard_is_not_copied(shop: BucketShop) -> None:
    shop.write(numbered(3), sharding={"maxRows": 3}, canary={"rows": 5})
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.inputs() == [[SOURCE]]
    check_complete(shop, 3)


def test_another_model_takes_the_source_as_it_is(shop: BucketShop) -> None:
    shop.write(numbered(10))
    shop.cli.ok("apply", "--yes", "--wait")
    shop.manifest(model="gemini-2.5-pro")
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [10, 10]
    assert shop.service.calls("storage.objects.insert") == 1, "nothing is copied: the one is that of the test"


def test_a_source_overwritten_during_the_job_is_not_sent_in_parts(shop: BucketShop) -> None:
    shop.service.rules(*failing("text 3"))
    shop.write(numbered(10), lifecycle={"retryOn": ["ROWS"]})
    shop.cli.ok("apply", "--yes")
    shop.service.advance("5s")
    shop.put([*numbered(10), ("k10", "new")])
    ran = shop.cli("apply", "--yes", "--wait")
    assert shop.sent() == [10]
    assert "its source was overwritten after the job was created" in ran.err


def test_rows_that_a_person_names(shop: BucketShop) -> None:
    shop.write(numbered(5))
    shop.cli.ok("apply", "--yes", "--wait")
    shop.cli.ok("retry", "translate", "--rows", "key=k2,k4", "--set", "request.generationConfig.temperature=1", "--yes")
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [5, 2]
    rows = shop.cli.ok("results", "translate").rows
    assert [row["key"] for row in rows if "sentWith" in row] == ["k2", "k4"]
    assert keys(rows) == keys_of(numbered(5))


def test_an_expired_job_sends_what_is_left(shop: BucketShop) -> None:
    expires = {**QUICK, "match": {"nth": 1}, "fate": "expire", "done": 0.6}
    shop.service.rules(expires, QUICK)
    shop.write(numbered(10), lifecycle={"retryOn": ["EXPIRED"], "backoffLimit": 1})
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [10, 4]
    check_complete(shop, 10)


def test_a_lost_state_finds_the_rows_again(shop: BucketShop) -> None:
    shop.service.rules(*failing("text 3", times=9, error=LATER))
    shop.write(numbered(10))
    shop.cli.ok("apply", "--yes", "--wait")
    shutil.rmtree(shop.stack.path / ".batchctl")
    shop.cli.ok("state", "rebuild")
    shop.service.rules(QUICK)
    shop.manifest(lifecycle={"retryOn": ["ROWS"]})
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [10, 1]
    check_complete(shop, 10)


def test_a_staging_bucket_that_is_not_there(shop: BucketShop) -> None:
    shop.stack.write_stack(providers={"main": {**shop.api.provider, "stagingBucket": "gs://nowhere/staging/"}})
    shop.write(numbered(5), sharding={"maxRows": 2})
    ran = shop.cli("apply", "--yes")
    assert (ran.code, shop.sent()) == (1, [])
    assert "gs://nowhere" in ran.out + ran.err or "bucket nowhere" in ran.out + ran.err


def test_a_source_that_batchctl_may_not_read_is_sent_as_it_is(shop: BucketShop) -> None:
    shop.write(numbered(5))
    shop.service.faults({"method": "storage.objects.get", "kind": "status", "status": 403})
    shop.cli.ok("apply", "--yes")
    assert shop.sent() == [5]


def check_complete(shop: BucketShop, count: int) -> None:
    rows = shop.rows()
    assert keys(rows) == keys_of(numbered(count))
    assert [row["index"] for row in rows] == list(range(count))
    assert {row["verdict"] for row in rows} == {"OK"}


@pytest.mark.parametrize(("rows", "sent"), [(30, [30]), (60, [50, 10])])
def test_more_rows_than_one_job_may_have_are_split(shop: BucketShop, rows: int, sent: list[int]) -> None:
    shop.stack.write_stack(providers={"main": {**shop.api.provider, "limits": {"rows": 50}}})
    shop.write(numbered(rows))
    shop.cli.ok("apply", "--yes")
    assert shop.sent() == sent


def test_a_row_that_cannot_be_sent_is_named(shop: BucketShop) -> None:
    shop.service.put_object("demo-in", "fr.jsonl", '{"request": {"contents": []}}\nbroken\n')
    shop.manifest(sharding={"maxRows": 1})
    ran = shop.cli("apply", "--yes")
    assert (ran.code, shop.sent()) == (1, [])
    assert "row 2 of gs://demo-in/fr.jsonl cannot be sent" in ran.err


@pytest.mark.parametrize(
    "fault",
    [
        {"method": "batchPredictionJobs.create", "kind": "cut", "when": "after"},
        {"method": "batchPredictionJobs.create", "kind": "status", "status": 503, "when": "after"},
        {"method": "storage.objects.insert", "kind": "cut", "when": "after"},
        {"method": "storage.objects.get", "kind": "cut", "count": 2},
    ],
    ids=["lost reply", "refused after it was made", "upload", "read"],
)
def test_calls_that_fail_send_no_row_twice(shop: BucketShop, fault: dict[str, object]) -> None:
    shop.write(numbered(7), sharding={"maxRows": 3})
    shop.service.faults({"count": 1, **fault})
    for _ in range(4):
        shop.cli("apply", "--yes", "--wait")
    assert sorted(shop.sent()) == [1, 3, 3]
    check_complete(shop, 7)
    assert shop.staged() == []


def test_a_source_that_is_gone_is_read_again_when_it_is_back(shop: BucketShop) -> None:
    shop.service.rules(
        *failing("text 3"), {**QUICK, "match": {"row": "text 5"}, "rowOutcomes": [{"finishReason": "SAFETY"}]}
    )
    shop.write(numbered(6))
    shop.cli.ok("apply", "--yes", "--wait")
    shop.service.remove_object("demo-in", "fr.jsonl")
    shop.manifest(lifecycle={"retryOn": ["ROWS"]})
    shop.service.advance("10m")
    for _ in range(2):
        ran = shop.cli("apply", "--yes")
        assert (ran.code, shop.sent()) == (1, [6])
        assert "No such object: demo-in/fr.jsonl" in ran.err
    shop.put(numbered(6))
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [6, 1]


def test_a_shard_whose_source_is_gone_goes_on_when_it_is_back(shop: BucketShop) -> None:
    shop.service.faults({"method": "batchPredictionJobs.create", "kind": "status", "status": 429, "count": 9})
    shop.write(numbered(4), sharding={"maxRows": 2})
    shop.cli("apply", "--yes")
    shop.service.remove_object("demo-in", "fr.jsonl")
    shop.service.faults()
    shop.service.advance("10m")
    shop.cli("apply", "--yes")
    assert shop.sent() == []
    shop.put(numbered(4))
    shop.service.advance("10m")
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [2, 2]
    check_complete(shop, 4)


def test_a_retry_without_a_staging_bucket_does_not_buy_all_rows(shop: BucketShop) -> None:
    without = {name: value for name, value in shop.api.provider.items() if name != "stagingBucket"}
    shop.stack.write_stack(providers={"main": without})
    shop.service.rules(*failing("text 3"))
    shop.write(numbered(6))
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.cli("retry", "translate", "--yes").code == 6
    shop.stack.write_stack(providers={"main": shop.api.provider})
    shop.cli.ok("retry", "translate", "--yes")
    assert shop.sent() == [6, 1]


def test_a_chosen_part_is_never_replaced_by_the_whole_source(shop: BucketShop) -> None:
    provider = {**shop.api.provider, "limits": {"rows": 2}}
    shop.stack.write_stack(providers={"main": provider})
    shop.service.faults({"method": "batchPredictionJobs.create", "kind": "status", "status": 429, "count": 9})
    shop.write(numbered(4))
    shop.cli("apply", "--yes")
    shop.service.faults()
    shop.service.advance("10m")
    shop.stack.write_stack(providers={"main": {n: v for n, v in provider.items() if n != "stagingBucket"}})
    ran = shop.cli("apply", "--yes")
    assert (ran.code, shop.sent()) == (1, [])
    assert "the provider has no stagingBucket any more" in ran.err
    shop.stack.write_stack(providers={"main": provider})
    shop.cli.ok("apply", "--yes", "--wait")
    check_complete(shop, 4)
