"""The commands and programs of docs/results.md read the results of a job that was sharded and retried."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import left_out
from tests.support.command_line import Cli, Service, StackFolder
from tests.support.tools import tool

PAGE = (Path(__file__).parents[2] / "docs" / "results.md").read_text(encoding="utf-8")
QUICK = {"pending": "0s", "running": "1s"}


def blocks(language: str) -> list[str]:
    """The blocks of the section about reading results, in one language."""
    section = PAGE.partition("## Read them")[2].partition("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


@pytest.fixture
def done(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> StackFolder:
    """The results of four rows in all formats: two shards, a row that was sent again, and one that is cut off."""
    thought = {"parts": [{"text": "hm", "thought": True}, {"text": "a\tb"}]}
    answer = {"response": {"candidates": [{"content": thought, "finishReason": "STOP"}]}}
    late = {"error": {"code": 13, "message": "late"}, "times": 1}
    outcomes = {"k0": answer, "k1": late, "k2": {"finishReason": "MAX_TOKENS"}}
    service.rules(*({**QUICK, "match": {"row": key}, "rowOutcomes": [one]} for key, one in outcomes.items()), QUICK)
    rows = [{"key": f"k{number}", "text": f"text {number}"} for number in range(4)]
    stack.write_job("translate", src=rows, sharding={"maxRows": 2}, lifecycle={"retryOn": ["ROWS"]})
    cli.ok("apply", "--yes", "--wait")
    for ending in ("jsonl", "csv", "tsv", "parquet"):
        cli.ok("results", "translate", "--out", f"results.{ending}")
    return stack


def test_jq(done: StackFolder) -> None:
    texts, counts = blocks("sh")[0].splitlines()
    lines = (done.path / "results.jsonl").read_bytes()

    def run(command: str) -> str:
        program = command.removeprefix("batchctl results translate | ")
        assert program.startswith("jq ")
        tool("jq")
        return subprocess.run(program, shell=True, input=lines, capture_output=True, check=True).stdout.decode()

    assert run(texts).splitlines()[0] == "k0\ta\\tb", "without the thought"
    assert len(run(texts).splitlines()) == 3
    assert json.loads(run(counts)) == {"OK": 3, "MAX_TOKENS": 1}


def test_duckdb(done: StackFolder) -> None:
    import duckdb

    by_verdict, reasons, texts = (query for query in blocks("sql")[0].split(";\n") if query.strip())
    assert [row[:2] for row in duckdb.sql(by_verdict).fetchall()] == [("OK", 3), ("MAX_TOKENS", 1)]
    assert duckdb.sql(reasons).fetchall()[2] == ("k2", "MAX_TOKENS", "MAX_TOKENS")
    assert duckdb.sql(texts).fetchall()[0] == ("k0", "a\tb")


def test_pandas(done: StackFolder) -> None:
    # In a process of its own: `left_out` keeps it out of this one, also after a Parquet file was written.
    assert left_out.NAME not in sys.modules
    check = "\nassert 'rows' not in globals() or [*rows['key']] == ['k0', 'k1', 'k2', 'k3'], rows\n"
    program = "".join(lines + check for lines in re.split(r"\n(?=\n|rows =)", blocks("python")[0]))
    ran = subprocess.run([sys.executable, "-c", program], cwd=done.path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
