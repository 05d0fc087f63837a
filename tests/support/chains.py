"""Collected results of a job whose answers another job gets its rows from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from batchctl.model.keys import Account, Api, AttemptKey
from batchctl.model.observed import RemoteJob
from batchctl.model.ports.inputs import InputRow, SentRows
from batchctl.model.ports.providers import ResultItem
from batchctl.rows.results import ResultsFolder

DIGEST = "d1:" + "ab" * 32
_REMOTE = RemoteJob("batches/1", Account(Api.GEMINI, "emulator"), "x", None, "JOB_STATE_SUCCEEDED")
_MARKS = {"stack": "shop", "uid": "k3v9q2", "token": "token00001"}


def answer(text: str | None, finish: str = "STOP", *, thought: str = "") -> dict[str, Any]:
    """A response of a model; without a text it has an image in place of one."""
    parts: list[Any] = [{"text": thought, "thought": True}] if thought else []
    parts.append({"inlineData": {"mimeType": "image/png", "data": "aGk="}} if text is None else {"text": text})
    return {"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": finish}]}


def good(key: str | None, text: str | None, index: int | None = None, **more: Any) -> ResultItem:
    return ResultItem(key, index, response=answer(text, **more))


def failed(key: str | None, index: int | None = None, code: int = 3) -> ResultItem:
    return ResultItem(key, index, error={"code": code, "message": "no"})


def collect_answers(
    results: Path,
    items: Iterable[ResultItem],
    inputs: Sequence[str | None] | None = None,
    *,
    job: str = "up",
    digest: str = DIGEST,
    attempt: int = 1,
) -> Path:
    """Collect results as those that count. `inputs` are the keys of the input; None: it is not known."""
    known = None if inputs is None else SentRows([InputRow(key, None) for key in inputs])
    folder = ResultsFolder(results)
    collected = folder.collect(AttemptKey(job, attempt), digest, _REMOTE, items, known, _MARKS)
    folder.point_current(job, collected.path)
    return results / collected.path
