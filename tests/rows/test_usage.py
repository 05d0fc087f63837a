"""The tokens that results tell of, and what is no sound count."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchctl.model.json_value import Json
from batchctl.model.keys import Account, Api, AttemptKey
from batchctl.model.observed import RemoteJob
from batchctl.model.ports.providers import ResultItem
from batchctl.rows.results import ResultsFolder
from batchctl.rows.usage import input_tokens

REMOTE = RemoteJob("batches/1", Account(Api.GEMINI, "emulator"), "", None, "JOB_STATE_SUCCEEDED")


def counted(number: Json) -> dict[str, Json]:
    return {"usageMetadata": {"promptTokenCount": number}}


@pytest.mark.parametrize(
    ("response", "tokens"),
    [
        (counted(7), 7),
        (counted(0), 0),
        (counted(2**31 - 1), 2**31 - 1),
        (counted("7"), 7),
        ({"embedding": {}, "tokenCount": "12"}, 12),
        ({"usageMetadata": {}, "tokenCount": "12"}, None),
        ({}, None),
        ({"usageMetadata": None}, None),
        ({"usageMetadata": [7]}, None),
        (counted(None), None),
        (counted(True), None),
        (counted(7.0), None),
        (counted(-1), None),
        (counted(2**31), None),
        (counted("-1"), None),
        (counted("\N{SUPERSCRIPT TWO}"), None),
        (counted("\N{ARABIC-INDIC DIGIT SEVEN}"), None),
        (counted("9" * 5000), None),
        (counted(""), None),
    ],
)
def test_what_counts_as_a_count(response: dict[str, Json], tokens: int | None) -> None:
    assert input_tokens(response) == tokens


@pytest.mark.parametrize(
    ("items", "tokens"),
    [
        pytest.param([], None, id="no row at all"),
        pytest.param([counted(7), counted(5)], 12, id="all rows"),
        pytest.param([counted(7), None], 7, id="one failed"),
        pytest.param([None], None, id="all failed"),
        pytest.param([counted(7), {}], None, id="one says nothing"),
    ],
)
def test_a_collection_tells_the_tokens(tmp_path: Path, items: list[dict[str, Json] | None], tokens: int | None) -> None:
    rows = [
        ResultItem(f"k{number}", None, error={"code": 3}) if each is None else ResultItem(f"k{number}", None, each)
        for number, each in enumerate(items)
    ]

    found = ResultsFolder(tmp_path).collect(AttemptKey("a", 1), "d1:" + "0" * 64, REMOTE, rows, None, {})

    assert found.tokens == tokens
