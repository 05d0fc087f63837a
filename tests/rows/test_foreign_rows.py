"""Rows in the form of another API are named, with what to write instead."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batchctl.model.errors import RowsError
from batchctl.model.keys import Api
from batchctl.model.kinds import Kind
from batchctl.model.locations import RowProblem
from batchctl.model.ports.row_reader import RowRules
from batchctl.rows.reader import RowFiles

READER = RowFiles()
Writer = Callable[[dict[str, Any]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    def to_file(row: dict[str, Any]) -> Path:
        path = tmp_path / "rows.jsonl"
        path.write_text(json.dumps(row))
        return path

    return to_file


def problems(path: Path, rules: RowRules | None = None) -> list[RowProblem]:
    try:
        return list(READER.fingerprint(path, Kind.BATCH_JOB, rules=rules).warnings)
    except RowsError as error:
        return list(error.problems)


def found(path: Path, rules: RowRules) -> list[str]:
    return [f"{one.line} {one.code} {one.message} ({one.hint})" for one in problems(path, rules)]


ONE_TURN = "request: {contents: [{role: user, parts: [{text: …}]}]}"
ROLES = "; the role assistant is model here, and a system message is systemInstruction: {parts: [{text: …}]}"
MESSAGES = [{"role": "user", "content": "hello"}]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (
            {"model": "gpt-4o", "messages": MESSAGES},
            f"\"messages\" makes the row a request of OpenAI's or Anthropic's chat API: write {ONE_TURN}{ROLES}",
        ),
        ({"prompt": "x"}, f'"prompt" makes the row a request of a text completion API: write {ONE_TURN}'),
        ({"input": "x", "model": "m"}, f'"input" makes the row a request of OpenAI\'s API: write {ONE_TURN}'),
        (
            {"recordId": "a", "modelInput": {"messages": MESSAGES}},
            f'"modelInput" makes the row a record of Amazon Bedrock: write recordId as key, and modelInput as {ONE_TURN}{ROLES}',
        ),
        (
            {"custom_id": "a", "params": {"messages": MESSAGES}},
            f'"params" makes the row a request of Anthropic\'s Message Batches: write custom_id as key, and params as {ONE_TURN}{ROLES}',
        ),
    ],
)
def test_a_row_of_another_api_is_named_with_what_to_write(write: Writer, row: dict[str, Any], says: str) -> None:
    assert problems(write(row)) == [RowProblem(1, says)]


def test_a_row_of_another_api_for_embeddings() -> None:
    line = {"custom_id": "a", "method": "POST", "url": "/v1/embeddings", "body": {"input": "x"}}
    write = "write custom_id as key, and body as request: {content: {parts: [{text: …}]}}"
    with pytest.raises(ValueError, match=re.escape(f'"body" makes the row a line of OpenAI\'s batch API: {write}')):
        READER.parse(line, Kind.EMBEDDINGS_BATCH_JOB)


@pytest.mark.parametrize(
    ("api", "code"), [(Api.GEMINI, "UnknownValue"), (None, "UnknownValue"), (Api.VERTEX, "WrongProvider")]
)
def test_a_line_of_openais_batch_api_for_a_gemini_model(write: Writer, api: Api | None, code: str) -> None:
    line = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {"messages": MESSAGES}}
    way_out = f"write custom_id as key, and body as {ONE_TURN}{ROLES}"
    assert found(write(line), RowRules(api)) == [
        f"1 {code} request: the row is a line of OpenAI's batch API ({way_out})"
    ]
