"""The ledger over several attempts: what is sent, what is merged, and what a damaged part costs."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from batchctl.model.desired import DesiredJob
from batchctl.model.errors import ResultsError
from batchctl.model.keys import AttemptKey
from batchctl.model.observed import RemoteJob
from batchctl.model.ports.inputs import InputRow, SentRows
from batchctl.model.ports.providers import ResultItem
from batchctl.model.ports.results import Collected, CollectOptions
from batchctl.model.result_json import encoded
from batchctl.model.row_work import RowChoice, RowsSent, RowsToSend, ShardLimits
from batchctl.model.sent_with import SentWith
from batchctl.model.sources import InlineRows, RequestRow, UploadedFile
from batchctl.rows import new_list
from batchctl.rows.encode import RowEncoder
from batchctl.rows.ledger import ResultsLedger
from batchctl.rows.raw_files import with_raw_file
from batchctl.rows.results import ResultsFolder
from tests.support.decisions import job
from tests.support.values import replace

MARKS = {"stack": "shop", "uid": "abc123"}
INPUTS = RowEncoder()
GOOD = RowChoice()
RETRYABLE = RowChoice(RowsToSend.RETRYABLE)


def request(text: str) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}]}


def work(*texts: str, digest: str = "1", model: str = "gemini-2.5-flash", **keys: str) -> DesiredJob:
    """A job with a row for each text; its key is that text, unless `keys` has another one."""
    rows = tuple(RequestRow(keys.get(text, text), request(text)) for text in texts)
    return replace(job(work=digest, model=model), source=InlineRows(rows))


def answer(text: str) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": [{"text": text}]}, "finishReason": "STOP"}]}


class Shop:
    """A job and its attempts in one results folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ledger = ResultsLedger(root, "abc123", INPUTS)
        self.record: dict[AttemptKey, RowsSent] = {}
        """The rows of each attempt, as the state has them."""
        self._tokens = 0

    def new_token(self) -> str:
        self._tokens += 1
        return f"other{self._tokens:05}"

    def send(self, wanted: DesiredJob, attempt: int, choice: RowChoice = GOOD) -> list[str]:
        """Choose the rows of an attempt; gives their texts."""
        before = self.record.get(key(attempt))
        chosen = self.ledger.choose(wanted, key(attempt), token(attempt), choice, self.new_token, before)
        self.record[key(attempt)] = chosen.sent
        rows = wanted.source.rows
        places = range(len(rows)) if chosen.positions is None else chosen.positions
        return [str(rows[place].key) for place in places]

    def collect(
        self,
        wanted: DesiredJob,
        attempt: int,
        outcomes: Iterable[tuple[str, Any] | ResultItem],
        *,
        known: bool = True,
        **fields: Any,
    ) -> Collected:
        """Collect results: by key, an answer, an error code, or None for nothing."""
        items = [one if isinstance(one, ResultItem) else item_of(*one) for one in outcomes]
        rows = INPUTS.rows(wanted)
        assert rows is not None
        remote = RemoteJob(f"batches/{attempt}", wanted.account, "x", None, "JOB_STATE_SUCCEEDED")
        given = SentRows(rows) if known else None
        marks = {**MARKS, "token": token(attempt)}
        options = CollectOptions(**{"sent": self.record.get(key(attempt)), **fields})
        return ResultsFolder(self.root).collect(key(attempt), wanted.digest, remote, items, given, marks, options)

    def results(self, found: Collected) -> list[tuple[Any, Any, str]]:
        """The rows of a results file: key, position, and text or verdict."""
        lines = (self.root / found.path / "results.jsonl").read_text(encoding="utf-8").splitlines()
        return [shown(json.loads(line)) for line in lines]


def item_of(name: str, outcome: Any) -> ResultItem:
    if isinstance(outcome, int):
        return ResultItem(name, None, error={"code": outcome, "message": "no"})
    return ResultItem(name, None, response=answer(outcome))


def shown(row: dict[str, Any]) -> tuple[Any, Any, str]:
    text = row["response"]["candidates"][0]["content"]["parts"][0]["text"] if "response" in row else row["verdict"]
    return row["key"], row["index"], text


def key(attempt: int) -> AttemptKey:
    return AttemptKey("a", attempt)


def token(attempt: int) -> str:
    return f"token{attempt:05}"


@pytest.fixture(params=["record", "file"])
def shop(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Lists of all rows are where `params` says; all others are files."""
    if request.param == "file":
        monkeypatch.setattr(new_list, "MOST_LISTED", 0)
    return Shop(tmp_path / "results")


def test_a_first_attempt_sends_all(shop: Shop) -> None:
    assert shop.send(work("x", "y"), 1) == ["x", "y"]
    assert shop.ledger.survey(work("x", "y"), GOOD) is None


def test_changed_rows_are_sent_and_the_others_keep_their_answers(shop: Shop) -> None:
    before, after = work("x", "y", "z"), work("new", "z", "x", digest="2")
    shop.send(before, 1)
    shop.collect(before, 1, [("x", "1"), ("y", "2"), ("z", "3")])
    found = shop.ledger.survey(after, GOOD)
    assert found is not None
    assert (found.total, found.answered, found.to_send, found.retried, found.first) == (3, 2, 1, 0, ("new",))
    assert shop.send(after, 2) == ["new"]
    merged = shop.collect(after, 2, [("new", "4")])
    assert (merged.ok, merged.failed, merged.missing, merged.came) == (3, 0, 0, 1)
    assert shop.results(merged) == [("new", 0, "4"), ("z", 1, "3"), ("x", 2, "1")]


def test_other_keys_and_another_order_send_nothing(shop: Shop) -> None:
    before, after = work("x", "y"), work("y", "x", digest="2", x="first")
    shop.send(before, 1)
    shop.collect(before, 1, [("x", "1"), ("y", "2")])
    assert shop.send(after, 2) == []
    path, found = shop.ledger.assemble(after, key(2), {**MARKS, "token": ""}, GOOD)
    assert (path, found.ok) == (found.path, 2)
    assert shop.results(found) == [("y", 0, "2"), ("first", 1, "1")]


def test_another_model_sends_all(shop: Shop) -> None:
    shop.send(work("x"), 1)
    shop.collect(work("x"), 1, [("x", "1")])
    assert shop.send(work("x", digest="2", model="gemini-2.5-pro"), 2) == ["x"]


def test_equal_requests_are_sent_once_and_answered_twice(shop: Shop) -> None:
    wanted = work("x", "y")
    twice = replace(wanted, source=InlineRows((*wanted.source.rows, RequestRow("again", request("x")))))
    assert shop.send(twice, 1) == ["x", "y"]
    found = shop.collect(twice, 1, [("y", "2"), ("x", "1")])
    assert shop.results(found) == [("x", 0, "1"), ("y", 1, "2"), ("again", 2, "1")]


def test_a_good_answer_is_never_replaced(shop: Shop) -> None:
    wanted = work("x", "y")
    shop.send(wanted, 1)
    shop.collect(wanted, 1, [("x", "1"), ("y", 13)])
    assert shop.send(wanted, 2) == ["y"]
    # The API answers more than it was asked for.
    found = shop.collect(wanted, 2, [("y", 13), ("x", 3)])
    assert shop.results(found) == [("x", 0, "1"), ("y", 1, "INTERNAL")]


@pytest.mark.parametrize(
    ("code", "tries", "is_sent"),
    [(13, 1, True), (13, 2, True), (13, 3, False), (3, 1, False), (8, 2, True), (7, 1, False)],
)
def test_rows_are_retried_while_it_may_help(shop: Shop, code: int, tries: int, is_sent: bool) -> None:
    wanted = work("x", "y")
    for attempt in range(1, tries + 1):
        shop.send(wanted, attempt)
        shop.collect(wanted, attempt, [("x", "1"), ("y", code)])
    found = shop.ledger.survey(wanted, GOOD)
    assert found is not None
    assert (found.to_send, found.retryable, found.given_up) == (1, int(is_sent), int(not is_sent))
    assert shop.send(wanted, 9, RETRYABLE) == ["y"] * is_sent
    assert shop.send(wanted, 10) == ["y"], "an attempt that a person orders sends every row without a good answer"


def test_accepted_verdicts_are_good(shop: Shop) -> None:
    wanted = work("x")
    shop.send(wanted, 1)
    shop.collect(wanted, 1, [("x", 13)])
    assert shop.send(wanted, 2, replace(GOOD, accept=frozenset({"INTERNAL"}))) == []


@pytest.mark.parametrize(("counts_missing", "retryable"), [(True, 0), (False, 1)])
def test_rows_without_a_result_count_as_tried_if_the_api_had_the_time(
    shop: Shop, counts_missing: bool, retryable: int
) -> None:
    wanted = work("x", "y")
    once = replace(GOOD, most_tries=1)
    shop.send(wanted, 1)
    shop.collect(wanted, 1, [("x", "1")], counts_missing=counts_missing)
    found = shop.ledger.survey(wanted, once)
    assert found is not None
    assert (found.to_send, found.retryable, found.retried) == (1, retryable, 1 - retryable)


def test_answers_before_a_rerun_do_not_count(shop: Shop) -> None:
    wanted = work("x")
    shop.send(wanted, 1)
    shop.collect(wanted, 1, [("x", "1")])
    assert shop.send(wanted, 2, replace(GOOD, since=2)) == ["x"]


def test_a_changed_input_still_tells_whose_answer_it_is(shop: Shop) -> None:
    before, after = work("x", "y"), work("y", "z", digest="2")
    shop.send(before, 1)
    shop.collect(before, 1, [("x", "1"), ("y", "2")], known=False)
    assert shop.send(after, 2) == ["z"]


def test_a_list_that_a_lost_call_sent_is_used_again(shop: Shop) -> None:
    wanted = work("x", "y")
    shop.send(wanted, 1)
    shop.collect(wanted, 1, [("x", "1")])
    assert shop.send(wanted, 2) == ["y"]
    assert shop.send(wanted, 2, RowChoice(RowsToSend.ALL)) == ["y"]


@pytest.mark.parametrize("file", ["rows.ledger", "results.jsonl", "manifest.json"])
def test_a_damaged_attempt_costs_only_its_own_rows(shop: Shop, file: str) -> None:
    wanted = work("x", "y")
    shop.send(wanted, 1)
    first = shop.collect(wanted, 1, [("x", "1"), ("y", 13)])
    shop.send(wanted, 2)
    shop.collect(wanted, 2, [("y", "2")])
    damaged = shop.root / first.path / file
    damaged.write_bytes(damaged.read_bytes().replace(b"1", b"7"))
    chosen = shop.ledger.choose(wanted, key(3), token(3), GOOD, shop.new_token)
    assert [*(chosen.positions or ())] == [0]
    assert len(chosen.damaged) == 1
    assert chosen.damaged[0].startswith(first.path)


def test_another_stacks_answers_do_not_count(shop: Shop) -> None:
    wanted = work("x")
    shop.send(wanted, 1)
    shop.collect(wanted, 1, [("x", "1")])
    shop.ledger = ResultsLedger(shop.root, "zzz999", INPUTS)
    assert shop.send(wanted, 2) == ["x"]


def test_the_fingerprint_never_changes() -> None:
    (row,) = INPUTS.rows(work("hello")) or ()
    assert isinstance(row, InputRow)
    assert row.fingerprint.hex() == "29b9838b15db0e2d6b7a521b216d00b9"


def long_line(name: str, content: bytes) -> ResultItem:
    return ResultItem(name, None, error={"code": 15, "message": "too long"}, aside=io.BytesIO(content))


def test_a_line_that_was_too_long_keeps_its_file_in_merged_results(shop: Shop) -> None:
    wanted, changed = work("w", "x", "y"), work("w", "x", "z", digest="2")
    shop.send(wanted, 1)
    shop.collect(wanted, 1, [long_line("x", b"a long line"), ("w", "1"), ("y", "2")])
    shop.send(changed, 2)
    found = shop.collect(changed, 2, [("z", "3"), ("x", 13)])
    assert [code for _, _, code in shop.results(found)] == ["1", "INTERNAL", "3"]
    shop.send(changed, 3, RETRYABLE)
    last = shop.collect(changed, 3, [long_line("x", b"a longer line")])
    folder = shop.root / last.path
    row = json.loads((folder / "results.jsonl").read_text().splitlines()[1])
    assert row["error"] == {"code": 15, "message": "too long", "rawFile": "raw-row-1"}
    assert (folder / "raw-row-1").read_bytes() == b"a longer line"
    again = work("x", "w", "z", digest="3")
    path, _ = shop.ledger.assemble(again, key(4), MARKS | {"token": token(4)}, GOOD)
    assert (shop.root / path / "raw-row-0").read_bytes() == b"a longer line"


@pytest.mark.parametrize(
    "outcome",
    [
        {"error": {"rawFile": "../secret"}},
        {"error": {"rawFile": "raw-7"}},
        {"error": {"rawFile": 5}},
        {"response": {"rawFile": "raw-1"}},
        {"error": "rawFile"},
    ],
)
def test_an_outcome_that_names_no_file_beside_it_stays_as_it_is(tmp_path: Path, outcome: dict[str, Any]) -> None:
    (tmp_path.parent / "secret").write_text("x")
    (tmp_path / "raw-1").write_text("x")
    line = encoded(outcome)[1:]
    assert with_raw_file(line, tmp_path, tmp_path, 0) == line
    assert not (tmp_path / "raw-row-0").exists()


class CountedReads(RowEncoder):
    """An encoder that counts how often an input is read."""

    reads = 0

    def rows(self, job: DesiredJob, *, ahead: bool = False) -> Iterator[InputRow] | None:
        self.reads += 1
        return super().rows(job, ahead=ahead)


def test_a_canary_reads_its_input_once_and_sends_the_same_rows_each_time(tmp_path: Path) -> None:
    inputs, wanted = CountedReads(), work(*"abcdefgh")
    shuffled = work(*"hgfedcba", digest="2")
    canary = replace(GOOD, most=3)
    ledger = ResultsLedger(tmp_path, "abc123", inputs)
    first = ledger.choose(wanted, key(1), token(1), canary, str)
    again = ledger.choose(shuffled, key(2), token(2), canary, str)
    assert inputs.reads == 2, "once for each"
    assert first.positions is not None
    assert again.positions is not None
    assert (first.sent.rows, first.sent.total, first.sent.is_canary) == (3, 8, True)
    assert list(first.positions) == sorted(first.positions)
    assert sorted(7 - place for place in again.positions) == list(first.positions)


def test_a_canary_of_all_rows_is_none(shop: Shop) -> None:
    wanted = work("a", "b")
    chosen = shop.ledger.choose(wanted, key(1), token(1), replace(GOOD, most=2), shop.new_token)
    assert (chosen.sent.rows, chosen.sent.is_canary, chosen.positions) == (2, False, None)


def test_a_survey_follows_the_ledgers_of_the_job_whose_results_are_used(shop: Shop) -> None:
    wanted = work("x", "y")
    shop.send(wanted, 1)
    found = shop.collect(wanted, 1, [("x", "1"), ("y", "2")])
    other = replace(wanted, name="b")
    marks = MARKS | {"token": token(9)}
    ResultsFolder(shop.root).reuse(AttemptKey("b", 1), wanted.digest, found.path, marks)
    survey = shop.ledger.survey(other, GOOD)
    assert survey is not None
    assert survey.answered == 2
    for folder in (shop.root / "a").glob("*-1"), (shop.root / "b").glob("*-1"):
        for one in folder:
            (one / "rows.ledger").unlink()
    assert shop.ledger.survey(other, GOOD) is None
    (shop.root / "b" / "current").unlink(missing_ok=True)
    shop.collect(wanted, 1, [("x", "1"), ("y", 13)])
    survey = shop.ledger.survey(other, GOOD)
    assert survey is not None
    assert survey.answered == 1


def lose_lists(shop: Shop) -> None:
    shutil.rmtree(shop.root / "a" / "sent", ignore_errors=True)
    shop.record.clear()


@pytest.mark.parametrize(
    ("known", "sent", "verdicts"),
    [
        ({}, 2, {"NOT_SENT": 3, "OK": 2}),
        ({"reported": 3}, 3, {"NOT_SENT": 3, "OK": 2}),
        ({"reported": 5}, 5, {"NO_RESULT": 3, "OK": 2}),
        ({"reported": 9}, 5, {"NO_RESULT": 3, "OK": 2}),
        ({"sent": RowsSent(2, 5, ""), "reported": 5}, 2, {"NOT_SENT": 3, "OK": 2}),
        ({"reported": 4, "counts_missing": False}, 4, {"NOT_SENT": 3, "OK": 2}),
    ],
    ids=["by the results", "by the API", "all, by the API", "never more than all", "by the record", "stopped early"],
)
def test_without_a_list_rows_are_not_taken_for_sent_ones(
    shop: Shop, known: dict[str, Any], sent: int, verdicts: dict[str, int]
) -> None:
    """The results folder was lost while the job ran: the record or the API says how many rows it was given."""
    rows = work("v", "w", "x", "y", "z")
    found = shop.collect(rows, 1, [("x", "1"), ("z", "2")], **known)
    assert found.verdicts == verdicts
    assert found.sent is not None
    assert (found.sent.rows, found.sent.verdicts["OK"], found.sent.verdicts.get("NO_RESULT", 0)) == (sent, 2, sent - 2)
    assert shop.results(found) == [("x", 2, "1"), ("z", 4, "2")]
    left = shop.ledger.survey(rows, GOOD)
    assert left is not None
    assert (left.answered, left.never_sent) == (2, verdicts.get("NOT_SENT", 0))


def test_a_shard_without_its_list_has_its_own_rows_alone(shop: Shop) -> None:
    rows = work("v", "w", "x", "y", "z")
    found = shop.collect(rows, 1, [("x", "1")], shards=3, reported=2)
    assert (found.ok, found.missing, found.sent and found.sent.shards) == (1, 1, 3)


def test_what_the_record_knows_of_a_lost_list_is_kept(shop: Shop) -> None:
    sent = RowsSent(1, 2, "", is_canary=True, sent_with=SentWith(model="gemini-2.5-pro"), again=True)
    shop.send(work("x", "y"), 1)
    lose_lists(shop)
    found = shop.collect(work("x", "y"), 1, [("x", "1")], sent=sent)
    assert found.sent is not None
    assert (found.sent.is_canary, found.sent.sent_with, found.sent.again) == (True, sent.sent_with, True)
    assert not shop.ledger.has_list(key(1), work("x", "y").digest, token(1))


def test_an_attempt_can_be_merged_in_the_state_in_which_it_ended(shop: Shop) -> None:
    shop.send(work("x", "y"), 1)
    shop.collect(work("x", "y"), 1, [("x", "1")])
    shop.ledger.assemble(work("x", "y"), key(2), {**MARKS, "token": ""}, GOOD, "JOB_STATE_CANCELLED")
    (folder,) = (shop.root / "a").glob("*-2")
    assert json.loads((folder / "manifest.json").read_text())["state"] == "JOB_STATE_CANCELLED"


def test_too_many_shards_are_refused_before_anything_is_sent(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("batchctl.rows.cutting.MOST_SHARDS", 2)
    wanted = replace(work("a", "b", "c"), sharding=ShardLimits(bytes=1))
    with pytest.raises(ResultsError, match="more than 2 remote jobs"):
        shop.send(wanted, 1)
    assert len(shop.send(replace(wanted, sharding=ShardLimits(rows=2)), 1)) == 2


def test_results_that_match_no_row_are_in_merged_results_too(shop: Shop) -> None:
    wanted = work("x", "y")
    shop.send(wanted, 1)
    first = shop.collect(wanted, 1, [("x", "1"), ("y", 13), ("stranger", "paid")])
    assert first.unmatched == 1
    shop.send(wanted, 2, RETRYABLE)
    found = shop.collect(wanted, 2, [("y", "2"), ("other", 13)])
    assert shop.results(found) == [
        ("x", 0, "1"),
        ("y", 1, "2"),
        ("stranger", None, "paid"),
        ("other", None, "INTERNAL"),
    ]
    lines = (shop.root / found.path / "results.jsonl").read_text().splitlines()
    assert [json.loads(line).get("attempt") for line in lines] == [1, None, 1, None]
    assert (found.unmatched, found.ok, found.missing) == (2, 2, 0)
    path, again = shop.ledger.assemble(work("y", "x", digest="3"), key(3), MARKS | {"token": token(3)}, GOOD)
    assert (again.unmatched, len((shop.root / path / "results.jsonl").read_text().splitlines())) == (2, 4)


def test_a_short_list_of_a_job_without_results_is_chosen_at_once(tmp_path):
    ledger = ResultsLedger(tmp_path / "results", "abc123", INPUTS)
    small = replace(work("a"), input_bytes=16 * 1024)
    long, file = replace(small, input_bytes=16 * 1024 + 1), replace(small, source=UploadedFile("files/a"))
    assert [ledger.is_quick(one) for one in (small, work("a"), long, file)] == [True, True, False, False]


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: path.symlink_to("elsewhere")])
def test_what_has_the_name_of_its_folder_is_looked_at_first(tmp_path, make):
    make(tmp_path / "a")
    assert not ResultsLedger(tmp_path, "abc123", INPUTS).is_quick(work("a"))


def test_nothing_is_sent_whose_results_would_lead_elsewhere(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "results").symlink_to("elsewhere")
    shop = Shop(tmp_path / "results")
    assert shop.ledger.is_quick(work("a"))
    with pytest.raises(ResultsError, match="leads out of the results folder"):
        shop.send(work("a"), 1)
