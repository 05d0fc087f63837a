"""Warnings about results that may be too large for the API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from batchctl.rows.reader import RowFiles
from tests.support.manifest_files import load_in, with_spec, with_stack, write

VERTEX = with_stack("providers: {v: {type: vertex, project: demo, location: us-central1, stagingBucket: gs://s/}}")
GEMINI = with_stack("")


def warnings(folder: Path, job: str, stack: str = GEMINI, **rows: Any) -> list[str]:
    """The warnings of a job with these request configurations as rows of a file."""
    lines = [
        json.dumps({"key": key, "request": {"contents": [{"role": "user", "parts": [{"text": "x"}]}], **request}})
        for key, request in rows.items()
    ]
    write(folder, {"batchctl.yaml": stack, "job.yaml": job, "rows.jsonl": "\n".join(lines)})
    return [str(found).partition("job.yaml:")[2] for found in load_in(folder, rows=RowFiles()).warnings]


def config(**members: Any) -> dict[str, Any]:
    return {"generationConfig": members}


FILE = with_spec("src: {file: rows.jsonl}")
OVER = 2**29 + 1
"""Tokens of more than 2 GB."""


def test_a_result_file_that_the_api_cannot_keep(tmp_path: Path) -> None:
    found = warnings(tmp_path, FILE, a=config(maxOutputTokens=2**28, candidateCount=2), b=config(maxOutputTokens=1))
    [warning] = found
    assert warning == (
        "5:15: LargeResults maxOutputTokens of all rows allows results of about 2,147,483,652 bytes, and the API keeps"
        " no file larger than 2,147,483,648 (set sharding: {maxResultBytes: 2147483648}, or lower maxOutputTokens or candidateCount)"
    )


@pytest.mark.parametrize(
    "rows",
    [
        {"a": config(maxOutputTokens=2**29)},
        {"a": config(candidateCount=8)},
        {"a": {}},
        {"a": config(maxOutputTokens=None), "b": {"generation_config": {"max_output_tokens": "512"}}},
    ],
)
def test_no_warning_without_a_limit_or_within_it(tmp_path: Path, rows: dict[str, Any]) -> None:
    assert warnings(tmp_path, FILE, **rows) == []


def test_defaults_count_for_rows_that_have_none(tmp_path: Path) -> None:
    job = with_spec(f"src: {{file: rows.jsonl}}\nrequest: {{generationConfig: {{maxOutputTokens: {OVER}}}}}")
    assert len(warnings(tmp_path, job, a={})) == 1
    assert warnings(tmp_path, job, a=config(maxOutputTokens="5"), b={"generation_config": {"maxOutputTokens": 5}}) == []


@pytest.mark.parametrize(("most", "count"), [(2**31, 0), (1000, 0), (2**31 + 1, 1)])
def test_shards_keep_result_files_small(tmp_path: Path, most: int, count: int) -> None:
    job = with_spec(f"src: {{file: rows.jsonl}}\nsharding: {{maxResultBytes: {most}}}")
    assert len(warnings(tmp_path, job, a=config(maxOutputTokens=OVER))) == count


def test_results_in_a_bucket_of_the_users_are_of_any_size(tmp_path: Path) -> None:
    job = with_spec("src: {file: rows.jsonl}\ndest: gs://out/x")
    assert warnings(tmp_path, job, VERTEX, a=config(maxOutputTokens=OVER)) == []


@pytest.mark.parametrize(("tokens", "count"), [(150_000_000, 0), (150_000_001, 1)])
def test_results_in_one_reply_come_twice(tmp_path: Path, tokens: int, count: int) -> None:
    job = with_spec(f"src: [{{key: a, text: x}}]\nrequest: {{generationConfig: {{maxOutputTokens: {tokens}}}}}")
    found = warnings(tmp_path, job)
    assert len(found) == count
    assert all(
        "about 1,200,000,008 bytes, and replies with inline results have failed at 1,200,000,000" in one
        for one in found
    )
    assert all("put the rows into a JSONL file: src: {file: PATH}, or lower maxOutputTokens" in one for one in found)
