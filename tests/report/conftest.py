"""Golden files of the report room: `pytest tests/report --update-golden` writes them anew."""

from __future__ import annotations

from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def golden(golden_file):
    """Compares a text with the golden file of that name."""
    return lambda name, text: golden_file(GOLDEN / name, text)
