"""The page of requests is made from the model of requests."""

from __future__ import annotations

import runpy
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_page_is_current() -> None:
    page = runpy.run_path(str(DOCS / "generate_requests.py"))["requests_page"]()
    assert (DOCS / "requests.md").read_text(encoding="utf-8") == page, "run python docs/generate_requests.py"
