"""The page of verdicts knows every code, and the codes cover what the SDK knows of."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
from google.genai import types

from batchctl.model.verdicts import ERRORS, FINISH_REASONS, RowVerdict, VerdictGroup

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "verdicts.md"


def test_the_page_is_current() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "generate_verdicts.py"))["verdicts_page"]()
    assert PAGE.read_text(encoding="utf-8") == page, "run python docs/generate_verdicts.py"


def test_the_schemas_are_current() -> None:
    files: dict[Path, str] = runpy.run_path(str(ROOT / "docs" / "generate_verdicts.py"))["schema_files"]()
    assert {path.name for path in files} == {"batchjob.schema.json", "results-row.schema.json"}
    for path, text in files.items():
        assert path.read_text(encoding="utf-8") == text, "run python docs/generate_verdicts.py"


@pytest.mark.parametrize("code", list(RowVerdict))
def test_every_code_is_a_name_and_has_a_meaning(code: RowVerdict) -> None:
    assert re.fullmatch(r"[A-Z]+(_[A-Z]+)*", code.value)
    assert code.meaning.endswith("."), code.meaning
    assert "|" not in code.meaning


def test_one_verdict_alone_is_good() -> None:
    assert [code for code in RowVerdict if code.group is VerdictGroup.GOOD] == [RowVerdict.OK]


def test_every_finish_reason_of_the_sdk_has_a_verdict() -> None:
    known = {one.value for one in types.FinishReason} - {"FINISH_REASON_UNSPECIFIED", "STOP"}
    assert known == set(FINISH_REASONS)


def test_the_errors_are_those_of_google_rpc() -> None:
    assert len(ERRORS) == 16
    assert [ERRORS[number] for number in (1, 3, 8, 13, 16)] == [
        RowVerdict.CANCELLED,
        RowVerdict.INVALID_ARGUMENT,
        RowVerdict.RESOURCE_EXHAUSTED,
        RowVerdict.INTERNAL,
        RowVerdict.UNAUTHENTICATED,
    ]
