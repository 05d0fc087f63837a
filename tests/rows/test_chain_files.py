"""Rows that are made from the answers of another job, and the files that they are in."""

from __future__ import annotations

import errno
import gc
import json
import os
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from batchctl.model.chain import ChainCount, LeftOut, Obstacle
from batchctl.model.keys import Api
from batchctl.model.kinds import Kind
from batchctl.model.ports.providers import ResultItem
from batchctl.model.ports.row_reader import MadeRows, RowRules, RowsOrder
from batchctl.model.row_template import Field, Mixed, Placeholder, RowTemplate
from batchctl.rows import chain_files
from batchctl.rows.chain_files import ChainFiles
from batchctl.rows.chain_rows import RowFactory
from batchctl.rows.local_place import LocalPlace
from batchctl.rows.made_rows import find_made, find_ordered
from batchctl.rows.reader import RowFiles
from tests.support.chains import DIGEST, answer, collect_answers, failed, good
from tests.support.values import replace

KEY, TEXT = Placeholder(Field.KEY), Placeholder(Field.TEXT)
ECHO = RowTemplate({"text": Mixed(("Say ", TEXT))})
SCORE = RowTemplate({"text": Placeholder(Field.JSON, ("score",))})
ORDER = RowsOrder("down", "up", DIGEST, frozenset(), ECHO, Kind.BATCH_JOB, RowRules(Api.GEMINI))


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results"


def make(results: Path, order: RowsOrder = ORDER, **more: Any) -> MadeRows:
    made = RowFiles().make(results, order, **more)
    assert isinstance(made, MadeRows), made
    return made


def obstacle(results: Path, order: RowsOrder = ORDER) -> Obstacle:
    made = ChainFiles().make(LocalPlace(results), order)
    assert isinstance(made, Obstacle), made
    return made


def lines(made: MadeRows) -> list[Any]:
    return [json.loads(line) for line in made.path.read_bytes().splitlines()]


def files(results: Path) -> list[str]:
    return sorted(path.name for path in (results / "down" / ".rows").iterdir())


def test_each_good_answer_gives_a_row_in_input_order(results: Path) -> None:
    collect_answers(results, [good("b", "two"), good("a", "öne\u2028")], ["a", "b"])

    made = make(results)

    assert lines(made) == [{"key": "a", "text": "Say öne\u2028"}, {"key": "b", "text": "Say two"}]
    assert made.count == ChainCount(2)
    summary = RowFiles().fingerprint(made.path, Kind.BATCH_JOB)
    assert (summary.sha256, summary.rows) == (made.sha256, 2)
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.path.parent.stat().st_mode) == 0o700


LONE = '{"x": "\\ud800"}'


@pytest.mark.parametrize(
    ("item", "order", "reason"),
    [
        (failed("x"), ORDER, "INVALID_ARGUMENT"),
        (failed("x", code=14), ORDER, "UNAVAILABLE"),
        (good("x", "cut", finish="MAX_TOKENS"), ORDER, "MAX_TOKENS"),
        (good("x", "cut", finish="MAX_TOKENS"), replace(ORDER, accepted=frozenset({"SAFETY"})), "MAX_TOKENS"),
        (good("x", "plain"), replace(ORDER, template=SCORE), "the answer is not JSON"),
        (good("x", "{}"), replace(ORDER, template=SCORE), "the answer has no ${row.json.score}"),
        (good("x", '{"score": 1}'), replace(ORDER, template=SCORE), "text has to be a string that is not empty"),
        (good("x", '{"score": ""}'), replace(ORDER, template=SCORE), "text has to be a string that is not empty"),
        (good("x", "{" * 101 + "}" * 101), replace(ORDER, template=SCORE), "the answer is not JSON"),
        (
            good("x", LONE),
            replace(ORDER, template=RowTemplate({"text": Placeholder(Field.JSON, ("x",))})),
            "half of a surrogate pair: not a character",
        ),
        (good("x", "long " * 30), replace(ORDER, line_bytes=100), "longer than 100 bytes, which is the stack's limits.lineBytes"),
        (good("k" * 300, "fine"), ORDER, "key has 300 characters, but has to have 1 to 256"),
        (
            good("x", '{"score": "[9]"}'),
            replace(
                ORDER,
                template=RowTemplate(
                    {"request": {"contents": [{"parts": [{"text": "hi"}]}], "generationConfig": {"temperature": TEXT}}}
                ),
            ),
            "request.generationConfig.temperature: ",
        ),
    ],
)  # fmt: skip
def test_an_answer_that_does_not_fit_is_left_out_with_its_reason(
    results: Path, item: ResultItem, order: RowsOrder, reason: str
) -> None:
    fit = good("fit", '{"score": "nine", "x": "y"}')
    collect_answers(results, [item, fit], [item.key, "fit"])

    made = ChainFiles().make(LocalPlace(results), order)

    count = made.count if made is not None else None
    assert count is not None
    assert count.left_out >= 1
    assert count.examples[0].key in {"x", "k" * 256 + "…"}
    assert count.examples[0].reason.startswith(reason)


def test_verdicts_that_the_other_job_accepts_are_good(results: Path) -> None:
    collect_answers(results, [good("x", "cut", finish="MAX_TOKENS"), failed("y")], ["x", "y"])

    made = make(results, replace(ORDER, accepted=frozenset({"MAX_TOKENS"})))

    assert lines(made) == [{"key": "x", "text": "Say cut"}]
    assert made.count == ChainCount(1, 1, 0, (LeftOut("y", "INVALID_ARGUMENT"),))


def test_thoughts_are_not_part_of_the_text(results: Path) -> None:
    collect_answers(results, [good("x", "the answer", thought="let me see")], ["x"])

    assert lines(make(results)) == [{"key": "x", "text": "Say the answer"}]


def test_an_image_has_a_key_and_no_text(results: Path) -> None:
    collect_answers(results, [good("x", None)])

    accepted = frozenset({"NO_TEXT"})
    assert obstacle(results, replace(ORDER, accepted=accepted)).count is not None
    made = make(results, replace(ORDER, accepted=accepted, template=RowTemplate({"text": KEY})))
    assert lines(made) == [{"key": "x", "text": "x"}]


def test_rows_without_a_result_are_counted(results: Path) -> None:
    collect_answers(results, [good("a", "one")], ["a", "b", "c"])

    made = make(results)

    assert made.count == ChainCount(1, 2, 2)
    assert made.count.words == "2 of 3 rows left out: 2 without a result"


def test_only_the_first_that_are_left_out_are_named(results: Path) -> None:
    keys = [f"k{number}" for number in range(8)]
    collect_answers(results, [good("k0", "one"), *(failed(key) for key in keys[1:7])], keys)

    count = make(results).count

    assert [one.key for one in count.examples] == keys[1:6]
    named = ", ".join(f"{key} (INVALID_ARGUMENT)" for key in keys[1:6])
    assert count.words == f"7 of 8 rows left out: {named}, 1 more, 1 without a result"


@pytest.mark.parametrize(
    ("items", "inputs", "keys"),
    [
        ([good(None, "one"), good(None, "two")], None, []),
        ([good(None, "one", 4), good("k", "two", 7)], None, ["row-4", "k"]),
        ([good(None, "one", 0), good(None, "two", 1)], [None, None], ["row-0", "row-1"]),
        ([ResultItem("r", None, response=good("r", "x").response, members={"custom_id": "c"})], None, ["r"]),
        ([good("a", "one"), good("stranger", "two")], ["a"], ["a"]),
        ([good("row-1", "one", 0), good(None, "two", 1)], None, ["row-1"]),
    ],
)
def test_a_row_has_the_key_of_its_answer_else_a_name_from_its_position(
    results: Path, items: Sequence[ResultItem], inputs: list[str | None] | None, keys: list[str]
) -> None:
    collect_answers(results, items, inputs)

    found = ChainFiles().make(LocalPlace(results), ORDER)

    assert found is not None
    if keys:
        assert isinstance(found, MadeRows)
        assert [line["key"] for line in lines(found)] == keys
    assert found.count is not None
    assert found.count.left_out == len(items) - len(keys)
    wanted = {"(no key)": "it has neither a key nor a position", "row-1": "another row has the same key"}
    wanted["stranger"] = "its result matches no row of the input"
    assert all(one.reason == wanted[one.key] for one in found.count.examples)


def test_a_custom_id_is_a_key() -> None:
    result = {"key": None, "index": 3, "input": {"custom_id": "c-3"}, "verdict": "OK", "response": answer("x")}

    made = RowFactory(ORDER, is_input_known=True).make(result)

    assert made is not None
    assert made.row.key == "c-3"


def test_results_of_earlier_work_are_not_used(results: Path) -> None:
    assert ChainFiles().make(LocalPlace(results), ORDER) is None
    collect_answers(results, [good("a", "one")], ["a"])

    assert ChainFiles().make(LocalPlace(results), replace(ORDER, digest="d1:" + "cd" * 32)) is None
    assert lines(make(results, replace(ORDER, digest=None))) == [{"key": "a", "text": "Say one"}]


def test_without_a_usable_answer_no_file_stays(results: Path) -> None:
    collect_answers(results, [failed("a")], ["a"])

    found = obstacle(results)

    assert found.sentence == "no answer of up can be used; 1 of 1 rows left out: a (INVALID_ARGUMENT)"
    assert found.is_lasting
    assert files(results) == []


def test_a_file_is_made_once(results: Path) -> None:
    collect_answers(results, [good("a", "one"), failed("b")], ["a", "b"])
    first = make(results)
    before = first.path.stat()

    assert make(results) == first
    assert first.path.stat() == before
    assert make(results, afresh=True) == first
    assert first.path.stat().st_ino != before.st_ino


@pytest.mark.parametrize(
    "change",
    [
        {"accepted": frozenset({"SAFETY"})},
        {"template": RowTemplate({"text": TEXT})},
        {"rules": RowRules(Api.VERTEX)},
        {"rules": RowRules(Api.GEMINI, {"systemInstruction": {"parts": [{"text": "x"}]}})},
        {"rules": RowRules(None)},
        {"line_bytes": 1000},
        {"kind": Kind.EMBEDDINGS_BATCH_JOB},
    ],
)
def test_all_that_rows_follow_from_names_the_file(results: Path, change: dict[str, Any]) -> None:
    collect_answers(results, [good("a", "one")], ["a"])

    assert make(results).path != make(results, replace(ORDER, **change)).path


def test_other_answers_give_another_file_and_the_same_answers_the_same_rows(results: Path) -> None:
    collect_answers(results, [good("a", "one")], ["a"])
    first = make(results)

    collect_answers(results, [good("a", "one"), failed("z")], ["a", "z"], attempt=2)
    second = make(results)
    collect_answers(results, [good("a", "two")], ["a"], attempt=3)
    third = make(results)

    assert first.path != second.path
    assert first.sha256 == second.sha256 != third.sha256


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(path.read_bytes() + b"\n"),
        lambda path: path.with_suffix(".json").unlink(),
        lambda path: path.with_suffix(".json").write_text("[]"),
        lambda path: path.with_suffix(".json").write_text("{"),
        lambda path: path.with_suffix(".json").write_text('{"examples": 1}'),
    ],
)
def test_a_damaged_file_is_made_again(results: Path, damage: Any) -> None:
    collect_answers(results, [good("a", "one")], ["a"])
    first = make(results)
    content = first.path.read_bytes()
    damage(first.path)

    assert make(results) == first
    assert first.path.read_bytes() == content


def damaged_rows(folder: Path) -> None:
    path = folder / "results.jsonl"
    path.write_bytes(path.read_bytes().replace(b"one", b"two"))


def no_json(folder: Path) -> None:
    path = folder / "results.jsonl"
    path.write_bytes(b"x" * path.stat().st_size)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (damaged_rows, "the results of up are not those that were collected"),
        (no_json, "results.jsonl, line 1 is not a result row"),
        (lambda folder: (folder / "results.jsonl").write_bytes(b""), "are incomplete: its results are not those"),
        (lambda folder: (folder / "manifest.json").write_bytes(b"{}"), "are incomplete: its manifest lacks 'format'"),
        (lambda folder: (folder / "manifest.json").unlink(), "are incomplete: manifest.json is missing"),
    ],
)
def test_damaged_results_are_waited_for(results: Path, damage: Any, words: str) -> None:
    damage(collect_answers(results, [good("a", "one")], ["a"]))

    found = obstacle(results)

    assert words in found.words
    assert not found.is_lasting
    assert found.sentence == found.words


def test_a_folder_that_cannot_be_written_is_an_obstacle(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    collect_answers(results, [good("a", "one")], ["a"])

    def full(_path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "rows")

    monkeypatch.setattr(chain_files, "make_folder", full)

    assert obstacle(results) == Obstacle("the rows cannot be written: rows: No space left on device", is_lasting=False)


def test_no_link_is_followed(results: Path, tmp_path: Path) -> None:
    collect_answers(results, [good("a", "one")], ["a"])
    (results / "down").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (results / "down" / ".rows").symlink_to(tmp_path / "elsewhere")

    assert "it is a symbolic link" in obstacle(results).words
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_rows_are_found_by_their_hash(results: Path) -> None:
    assert find_made(results, "down", "0" * 64) is None
    collect_answers(results, [good("a", "one")], ["a"])
    first, second = make(results), make(results, replace(ORDER, template=RowTemplate({"text": TEXT})))

    assert find_made(results, "down", first.sha256) == first.path
    assert find_made(results, "down", second.sha256) == second.path
    assert find_made(results, "down", "0" * 64) is None
    assert find_made(results, "other", first.sha256) is None
    assert find_made(results, "../down", first.sha256) is None
    first.path.unlink()
    assert find_made(results, "down", first.sha256) is None


def test_files_that_no_process_uses_are_removed(results: Path) -> None:
    collect_answers(results, [good("a", "one")], ["a"])
    old, recent = make(results), make(results, replace(ORDER, template=RowTemplate({"text": TEXT})))
    for path in (old.path, old.path.with_suffix(".json")):
        os.utime(path, (0, 0))

    newest = make(results, replace(ORDER, template=RowTemplate({"text": KEY})))

    kept = {path.with_suffix(suffix).name for path in (recent.path, newest.path) for suffix in (".json", ".jsonl")}
    assert set(files(results)) == kept


def test_commands_that_only_read_write_no_results(results: Path) -> None:
    collect_answers(results, [good("a", "one")], ["a"])
    reading = ChainFiles(is_kept=False)

    first = reading.make(LocalPlace(results), ORDER)

    assert isinstance(first, MadeRows)
    assert not (results / "down").exists()
    assert lines(first) == [{"key": "a", "text": "Say one"}]
    assert stat.S_IMODE(first.path.parent.stat().st_mode) == 0o700
    assert reading.make(LocalPlace(results), ORDER) == first
    reading.is_kept = True
    kept = reading.make(LocalPlace(results), ORDER)
    assert isinstance(kept, MadeRows)
    assert kept == replace(first, path=kept.path) != first
    assert kept.path.read_bytes() == first.path.read_bytes()
    assert kept == make(results)
    first.path.unlink()
    assert reading.make(LocalPlace(results), ORDER) == kept
    folder = first.path.parent
    del reading
    gc.collect()
    assert not folder.exists()


def lose(results: Path) -> None:
    shutil.rmtree(results / "up")


def empty(results: Path) -> None:
    (results / "up" / "current" / "results.jsonl").write_bytes(b"")


def swap(results: Path) -> None:
    damaged_rows(results / "up" / "current")


@pytest.mark.parametrize("damage", [lose, empty, swap])
@pytest.mark.parametrize("afresh", [False, True])
def test_rows_outlive_the_answers_that_they_were_made_from(results: Path, damage: Any, afresh: bool) -> None:
    collect_answers(results, [good("a", "one")], ["a"])
    first = make(results)
    damage(results)

    if damage is not swap or afresh:
        assert make(results, afresh=afresh) == first
    other = replace(ORDER, template=RowTemplate({"text": TEXT}))
    assert not isinstance(ChainFiles().make(LocalPlace(results), other), MadeRows)
    assert not isinstance(ChainFiles().make(LocalPlace(results), replace(ORDER, digest="d1:" + "cd" * 32)), MadeRows)


def test_of_several_files_for_lost_answers_the_last_counts(results: Path) -> None:
    collect_answers(results, [good("a", "one")], ["a"])
    one = make(results)
    os.utime(one.path, (1, 1))
    collect_answers(results, [good("a", "two")], ["a"], attempt=2)
    two = make(results)
    os.utime(two.path, (2, 2))
    assert find_ordered(results, ORDER) == two

    collect_answers(results, [good("a", "one")], ["a"], attempt=3)

    assert make(results) == one
    lose(results)
    assert make(results) == one
