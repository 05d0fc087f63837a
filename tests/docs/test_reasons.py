"""The page of reason codes knows every code, and each code is a name that programs can match on."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from batchctl.model.reasons import Reason

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reasons.md"


def test_the_page_is_current() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "generate_reasons.py"))["reasons_page"]()
    assert PAGE.read_text(encoding="utf-8") == page, "run python docs/generate_reasons.py"


@pytest.mark.parametrize("code", list(Reason))
def test_every_code_is_a_name_and_says_what_it_means(code: Reason) -> None:
    assert re.fullmatch(r"([A-Z][a-z]+)+", code.value)
    assert code.meaning.endswith("."), code.meaning
    assert "|" not in code.meaning
