"""docs/emulator-clients.md shows the recorded outcomes of the clients."""

from __future__ import annotations

import json
import runpy
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = ROOT / "tests" / "clients"


def test_the_page_is_current() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "generate_clients.py"))["clients_page"]()
    assert (ROOT / "docs" / "emulator-clients.md").read_text(encoding="utf-8") == page, (
        "run python docs/generate_clients.py"
    )


def test_every_client_was_run() -> None:
    clients = tomllib.loads((CLIENTS / "clients.toml").read_text(encoding="utf-8"))["client"]
    record = json.loads((CLIENTS / "outcomes.json").read_text(encoding="utf-8"))
    assert [one["name"] for one in clients] == list(record), "run python tests/clients/record.py --long"
