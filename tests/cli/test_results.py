"""`batchctl results`: several jobs, every format, selections, requests beside the answers, and files."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import json
import os
import stat
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from batchctl.model.result_columns import COLUMNS
from tests.support.command_line import Cli, Service, StackFolder, check_schema

QUICK = {"fate": "rows", "pending": "0s", "running": "1s"}
SAID = {"k1": "=1+1\tand\nmore, \u00fc \x1b[31m", "k2": "-3.5", "k3": "cut"}
NAMES = [column.name for column in COLUMNS]


def answer(text: str, reason: str = "STOP") -> dict[str, Any]:
    usage = {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7}
    candidate = {"content": {"parts": [{"text": "hm", "thought": True}, {"text": text}]}, "finishReason": reason}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-2.5-flash-002"}


@pytest.fixture
def done(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> StackFolder:
    """A collected job of four rows: two good ones, one that is cut off, one with an error."""
    reasons = {"k3": "MAX_TOKENS"}
    given = {key: {"response": answer(text, reasons.get(key, "STOP"))} for key, text in SAID.items()}
    given["k4"] = {"error": {"code": 3, "message": "no such thing"}}
    service.rules(*({**QUICK, "match": {"row": key}, "rowOutcomes": [outcome]} for key, outcome in given.items()))
    write(stack)
    cli.ok("apply", "--yes", "--wait")
    return stack


def write(stack: StackFolder, **spec: Any) -> None:
    rows = [{"key": key, "text": f"say {key}", "custom_id": f"id-{key}"} for key in (*SAID, "k4")]
    (stack.path / "jobs").mkdir(exist_ok=True)
    (stack.path / "jobs" / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    request = {"generationConfig": {"temperature": 0.5}}
    stack.write_job("translate", **{"src": {"file": "rows.jsonl"}, "request": request, **spec})


def keys(cli: Cli, *options: str) -> list[str]:
    return [row["key"] for row in cli.ok("results", "translate", *options).rows]


def test_json_and_jsonl_are_one_ascii_object_a_row(done: StackFolder, cli: Cli) -> None:
    ran = cli.ok("results", "translate")
    assert (
        ran.out == cli.ok("results", "translate", "-o", "jsonl").out == cli.ok("results", "translate", "-o", "json").out
    )
    assert ran.out.isascii()
    assert [list(row) for row in ran.rows[:1]] == [["key", "index", "verdict", "input", "attempt", "response"]]
    for row in ran.rows:
        check_schema("results-row", row)


def test_csv_has_a_column_for_each_fact_and_no_formulas(done: StackFolder, cli: Cli) -> None:
    found = list(csv.DictReader(io.StringIO(cli.ok("results", "translate", "-o", "csv").out, newline="")))
    assert list(found[0]) == NAMES
    assert [row["verdict"] for row in found] == ["OK", "OK", "MAX_TOKENS", "INVALID_ARGUMENT"]
    assert found[0]["text"] == "'=1+1\tand\nmore, \u00fc \\x1b[31m", "a formula gets an apostrophe, an escape is seen"
    assert found[1]["text"] == "-3.5", "a number is no formula"
    assert (found[0]["promptTokens"], found[0]["outputTokens"], found[0]["totalTokens"]) == ("5", "2", "7")
    assert (found[0]["job"], found[0]["modelVersion"]) == ("translate", "gemini-2.5-flash-002")
    assert json.loads(found[0]["input"]) == {"custom_id": "id-k1"}
    assert (found[3]["errorCode"], found[3]["errorMessage"], found[3]["text"]) == ("3", "no such thing", "")


def test_tsv_has_one_line_per_row(done: StackFolder, cli: Cli) -> None:
    lines = cli.ok("results", "translate", "-o", "tsv").out.splitlines()
    assert lines[0].split("\t") == NAMES
    assert len(lines) == 5
    assert dict(zip(NAMES, lines[1].split("\t"), strict=True))["text"] == "'=1+1\\tand\\nmore, \u00fc \\\\x1b[31m"


def test_parquet_has_typed_columns_and_texts_as_they_came(done: StackFolder, cli: Cli) -> None:
    cli.ok("results", "translate", "--out", "rows.parquet")
    table = parquet.read_table(done.path / "rows.parquet")
    assert table.schema.names == NAMES
    assert table.schema.field("index").type == pa.int64()
    assert table.schema.field("embedding").type == pa.list_(pa.float64())
    assert table.column("text").to_pylist() == [*SAID.values(), None]
    assert table.column("index").to_pylist() == [0, 1, 2, 3]


def test_text_is_a_block_for_each_answer(done: StackFolder, cli: Cli) -> None:
    assert cli.ok("results", "translate", "-o", "text").out == (
        "[k1] OK\n=1+1\tand\nmore, \u00fc \\x1b[31m\n\n[k2] OK\n-3.5\n\n[k3] MAX_TOKENS\ncut\n\n"
        "[k4] INVALID_ARGUMENT\nerror 3: no such thing\n\n"
    )


def test_embeddings_are_numbers(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
    service.rules(QUICK)
    path = stack.write_job("vectors", src=[{"key": "a", "text": "word"}], model="gemini-embedding-001")
    path.write_text(path.read_text().replace("kind: BatchJob", "kind: EmbeddingsBatchJob"))
    service.rules({"pending": "0s", "running": "1s"})
    cli.ok("apply", "--yes", "--wait")
    cli.ok("results", "vectors", "--out", "v.parquet")
    (vector,) = parquet.read_table(stack.path / "v.parquet").column("embedding").to_pylist()
    (row,) = csv.DictReader(io.StringIO(cli.ok("results", "vectors", "-o", "csv").out, newline=""))
    assert json.loads(row["embedding"]) == vector
    assert f"{len(vector)} numbers: " in cli.ok("results", "vectors", "-o", "text").out


def test_rows_are_picked_by_key_and_verdict(done: StackFolder, cli: Cli) -> None:
    assert keys(cli, "--failed") == ["k3", "k4"]
    assert keys(cli, "--reason", "max_tokens", "--reason", "INVALID_ARGUMENT") == ["k3", "k4"]
    assert keys(cli, "--key", "k2", "--key", "id-k4") == ["k2", "k4"]
    assert keys(cli, "--key", "k2", "--failed") == [], "the key is there, and its row is good"
    ran = cli("results", "translate", "--key", "k2", "--key", "k9")
    assert (ran.code, [row["key"] for row in ran.rows]) == (1, ["k2"])
    assert "no row has the key k9" in ran.err


def test_join_adds_the_request_of_the_same_input(done: StackFolder, cli: Cli) -> None:
    for row in cli.ok("results", "translate", "--join").rows:
        check_schema("results-row", row)
        assert row["request"]["contents"][0]["parts"] == [{"text": f"say {row['key']}"}]
        assert row["request"]["generationConfig"] == {"temperature": 0.5}
        assert list(row)[-2] == "request", "before the answer, which may be long"
    assert "> {" in cli.ok("results", "translate", "--join", "-o", "text", "--key", "k2").out
    write(done, request={"generationConfig": {"temperature": 0.7}})
    ran = cli.ok("results", "translate", "--join")
    assert {row["request"] for row in ran.rows} == {None}
    assert "translate: request is null" in ran.err


def test_failed_rows_include_those_without_a_result(done: StackFolder, cli: Cli) -> None:
    folder = next((done.path / "results" / "translate").glob("*-1"))
    lines = (folder / "results.jsonl").read_bytes().splitlines(keepends=True)
    content = b"".join([lines[0], lines[2]])
    (folder / "results.jsonl").write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    manifest["rows"] |= {"missing": 2}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert keys(cli) == ["k1", "k3"]
    ran = cli.ok("results", "translate", "--failed", "--join")
    assert [(row["key"], row["index"], row["verdict"]) for row in ran.rows] == [
        ("k2", 1, "NO_RESULT"),
        ("k3", 2, "MAX_TOKENS"),
        ("k4", 3, "NO_RESULT"),
    ]
    assert ran.rows[0]["request"]["contents"][0]["parts"] == [{"text": "say k2"}]
    assert ran.rows[0]["input"] == {"custom_id": "id-k2"}
    for row in ran.rows:
        check_schema("results-row", row)
    assert keys(cli, "--reason", "NO_RESULT", "--key", "id-k4") == ["k4"]
    write(done, request={"generationConfig": {"temperature": 0.7}})
    ran = cli.ok("results", "translate", "--failed")
    assert [row["key"] for row in ran.rows] == ["k3"], "the input is another one"
    assert "2 input rows have no result" in ran.err


def test_a_replaced_job_keeps_its_former_results(done: StackFolder, cli: Cli, service: Service) -> None:
    service.rules({"pending": "1h", "running": "1h"})
    write(done, request={"generationConfig": {"temperature": 0.7}})
    cli.ok("apply", "--yes")
    ran = cli("results", "translate")
    assert (ran.code, ran.out) == (7, "")
    assert "`batchctl results translate --attempt 1` prints the former results" in ran.err
    assert keys(cli, "--attempt", "1") == ["k1", "k2", "k3", "k4"]
    ran = cli("results", "translate", "--attempt", "9")
    assert ran.code == 1
    assert "it has: 1, 2" in ran.err


def test_a_removed_job_keeps_its_results(done: StackFolder, cli: Cli, service: Service) -> None:
    done.job_path("translate").unlink()
    done.write_job("other", src=[{"key": "k1", "text": "x"}])
    cli.ok("apply", "--yes", "--wait")
    assert "translate" not in cli.ok("status", "-o", "json").phases()
    assert keys(cli) == keys(cli, "--attempt", "1") == ["k1", "k2", "k3", "k4"]


def test_several_jobs_come_one_after_the_other(done: StackFolder, cli: Cli, service: Service) -> None:
    done.write_job("other", src=[{"key": "k1", "text": "x"}])
    cli.ok("apply", "--yes", "--wait")
    rows = cli.ok("results", "other", "translate", "other").rows
    assert [(row["job"], row["key"]) for row in rows] == [
        ("other", "k1"), *(("translate", key) for key in ("k1", "k2", "k3", "k4")),
    ]  # fmt: skip
    for row in rows:
        check_schema("results-row", row)
    assert "[translate/k2] OK" in cli.ok("results", "other", "translate", "-o", "text").out
    assert cli("results", "other", "translate", "--attempt", "1").code == 64
    ran = cli("results", "other", "nothing")
    assert (ran.code, ran.out) == (1, ""), "no rows unless each job has some"


def test_rows_of_an_earlier_release_are_judged_now(done: StackFolder, cli: Cli) -> None:
    before = [row["verdict"] for row in cli.ok("results", "translate").rows]
    path = next((done.path / "results" / "translate").glob("*-1")) / "results.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps({k: v for k, v in row.items() if k != "verdict"}) + "\n" for row in rows))
    ran = cli("results", "translate")
    assert [row["verdict"] for row in ran.rows] == before
    assert [row["key"] for row in cli("results", "translate", "--failed").rows] == ["k3", "k4"]


def test_a_file_is_private_complete_and_replaced_at_once(done: StackFolder, cli: Cli) -> None:
    path = done.path / "rows.csv"
    path.write_text("old")
    assert cli.ok("results", "translate", "--out", "rows.csv").out == ""
    assert path.read_text() == cli.ok("results", "translate", "-o", "csv").out
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    cli.ok("results", "translate", "--out", "rows.csv", "-o", "jsonl")
    assert [json.loads(line)["key"] for line in path.read_text().splitlines()] == ["k1", "k2", "k3", "k4"]
    assert not list(done.path.glob(".batchctl-*"))


def test_a_file_stays_as_it_was_if_results_are_damaged(done: StackFolder, cli: Cli) -> None:
    path = next((done.path / "results" / "translate").glob("*-1")) / "results.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    (done.path / "rows.jsonl").write_text("old")
    ran = cli("results", "translate", "--out", "rows.jsonl")
    assert ran.code == 1
    assert "are incomplete" in ran.err
    assert (done.path / "rows.jsonl").read_text() == "old"
    assert not list(done.path.glob(".batchctl-*"))
    assert len(cli("results", "translate").rows) == 2, "on standard output the rows are shown: they were paid for"


@pytest.mark.parametrize("place", ["link.csv", "linked/rows.csv", "missing/rows.csv", "pipe", "jobs"])
def test_a_file_is_never_written_through_a_link(done: StackFolder, cli: Cli, tmp_path: Path, place: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "rows.csv").write_text("theirs")
    (done.path / "link.csv").symlink_to(outside / "rows.csv")
    (done.path / "linked").symlink_to(outside)
    os.mkfifo(done.path / "pipe")
    ran = cli("results", "translate", "--out", place)
    assert ran.code == 1
    assert f"cannot write {place}" in ran.err
    assert (outside / "rows.csv").read_text() == "theirs"
    assert (done.path / "link.csv").is_symlink()


def test_without_pyarrow_the_error_has_the_way_out(
    done: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    ran = cli("results", "translate", "--out", "rows.parquet")
    assert ran.code == 1
    assert "pip install" in ran.err
    assert not (done.path / "rows.parquet").exists()


def test_the_folder_says_which_models_answered_and_what_they_used(done: StackFolder, cli: Cli) -> None:
    folder = next((done.path / "results" / "translate").glob("*-1"))
    found = json.loads((folder / "manifest.json").read_text())
    check_schema("results-manifest", found)
    assert found["modelVersions"] == {"gemini-2.5-flash-002": 3}
    assert found["usage"] == {"rows": 3, "promptTokens": 15, "outputTokens": 6, "totalTokens": 21}


def test_a_terminal_gets_no_binary_and_readable_json(
    done: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    ran = cli("results", "translate", "-o", "parquet")
    assert (ran.code, ran.out) == (64, "")
    assert "--out FILE" in ran.err
    ran = cli.ok("results", "translate")
    assert "\u00fc \\u001b[31m" in ran.out
    assert ran.rows[0]["response"]["candidates"][0]["content"]["parts"][1]["text"] == SAID["k1"]


def test_a_full_disk_leaves_the_file_as_it_was(done: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (done.path / "rows.csv").write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    ran = cli("results", "translate", "--out", "rows.csv")
    assert ran.code == 1
    assert "No space left on device" in ran.err
    assert "free space" in ran.err
    assert (done.path / "rows.csv").read_text() == "old"
    assert not list(done.path.glob(".batchctl-*"))


def test_a_blocked_row_says_why(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
    feedback = {"promptFeedback": {"blockReason": "OTHER", "blockReasonMessage": "Not here.\x1b[2J"}}
    stopped = {"candidates": [{"finishReason": "SAFETY", "finishMessage": "Unsafe."}]}
    rules = {"one": feedback, "two": stopped}
    service.rules(
        *({**QUICK, "match": {"row": key}, "rowOutcomes": [{"response": said}]} for key, said in rules.items())
    )
    stack.write_job("a")
    cli("apply", "--yes", "--wait")
    text = cli("results", "a", "-o", "text", "--failed").out
    assert "[one] PROMPT_BLOCKED\nthe API says: OTHER: Not here.\\x1b[2J\n" in text
    assert "[two] SAFETY\nthe API says: Unsafe.\n" in text
    rows = list(csv.DictReader(io.StringIO(cli("results", "a", "-o", "csv").out, newline="")))
    assert [row["blockReason"] for row in rows] == ["OTHER: Not here.\\x1b[2J", "Unsafe.", ""]


def test_a_row_without_a_key_has_the_name_that_plans_show(stack: StackFolder, cli: Cli, quick: list[float]) -> None:
    stack.write_job("a", src=[{"text": "x"}, {"key": "k", "text": "y"}, {"text": "z"}])
    cli.ok("apply", "--yes", "--wait")
    (row,) = cli.ok("results", "a", "--key", "batchctl-r2").rows
    assert (row["key"], row["index"]) == (None, 2)
    assert cli("results", "a", "--key", "batchctl-r1").code == 1, "this row has a key"


def test_an_unknown_verdict_has_a_way_out(done: StackFolder, cli: Cli) -> None:
    ran = cli("results", "translate", "--reason", "MAX_TOKEN")
    assert ran.code == 64
    assert "'MAX_TOKEN' is no verdict of a row (did you mean MAX_TOKENS?)" in ran.err
    assert "docs/verdicts.md" in cli("results", "translate", "--reason", "xyz").err
