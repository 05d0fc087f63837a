"""`rows.fallback` of a manifest: how it is read, and the errors in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchctl.model.row_settings import Fallback
from batchctl.model.sent_with import SentWith
from tests.support.manifest_files import STACK, lines, the_job, with_spec, write

SPEC = """model: gemini-2.5-flash
src: [{{key: a, text: hello}}]
lifecycle: {{retryOn: [{retry}]}}
rows: {{fallback: [{entry}]}}
"""


def spec(entry: str, retry: str = "ROWS") -> str:
    return with_spec(SPEC.format(entry=entry, retry=retry))


@pytest.mark.parametrize(
    ("entry", "change"),
    [
        ("{when: [SCHEMA], model: models/gemini-2.5-pro}", SentWith("gemini-2.5-pro")),
        ("{when: [SCHEMA], request: {labels: null}}", SentWith(request={"labels": None})),
    ],
)
def test_entries_are_read(tmp_path: Path, entry: str, change: SentWith) -> None:
    found = the_job(tmp_path, spec(entry))
    assert found.row_settings.fallbacks == (Fallback(frozenset({"SCHEMA"}), change),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (spec("{when: [SCHEMA], model: gemini-2.5-pro}", "FAILED"), '"fallback" needs retryOn: [ROWS]'),
        (spec("{when: [SCHEMA]}"), 'a fallback needs "model" or "request"'),
        (spec("{when: [SCHEMA], model: ../x}"), '"model" is not the name of a model'),
        (spec("{when: [SCHEMA], model: gemini-embedding-001}"), "takes other rows than the job's model"),
        (spec("{when: [SCHEMA], request: {contents: []}}"), "contents"),
    ],
)
def test_errors_have_their_place(tmp_path: Path, text: str, words: str) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "jobs.yaml": text})
    (line,) = lines(tmp_path)
    assert words in line
    assert line.startswith("jobs.yaml:")


def test_entries_of_a_job_with_other_errors_are_checked(tmp_path: Path) -> None:
    text = spec("{when: [SCHEMA], model: gemini-2.5-pro, request: {labels: 7}}")
    text = text.replace("model: gemini-2.5-flash", "provider: nobody", 1)
    write(tmp_path, {"batchctl.yaml": STACK, "jobs.yaml": text})
    assert len(lines(tmp_path)) == 3
