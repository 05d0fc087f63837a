"""A run that waits has loaded all of its modules before: the package may be upgraded meanwhile."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import batchctl
from batchctl.cli import loaded_parts
from batchctl.engine.clock import SystemClock
from tests.support.command_line import SOON, Cli, Service, StackFolder

PARTS = ("model", "manifests", "reconcile", "state", "rows", "providers", "report", "engine")
PROGRAM = "import sys; from batchctl.cli.loaded_parts import load_parts; load_parts(); print(*sys.modules)"


def modules_of(part: str) -> set[str]:
    root = Path(batchctl.__file__).parent
    files = {path.relative_to(root.parent).with_suffix("") for path in (root / part).rglob("*.py")}
    return {".".join(path.parts).removesuffix(".__init__") for path in files}


def test_every_module_of_passes_is_loaded() -> None:
    shown = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    loaded = set(shown.split())
    missing = {name for part in PARTS for name in modules_of(part)} - loaded
    assert all(name.startswith("batchctl.state.postgres") for name in missing)
    assert not {"batchctl.emulator", "batchctl.server", "psycopg"} & loaded


def test_a_run_loads_them_before_its_first_pause(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    sleep = SystemClock.sleep
    monkeypatch.setattr(loaded_parts, "load_parts", lambda: order.append("load"))
    monkeypatch.setattr(SystemClock, "sleep", lambda clock, seconds: order.append("sleep") or sleep(clock, seconds))
    service.rules(SOON)
    stack.write_job("a")
    cli.ok("apply", "--yes")
    assert "sleep" not in order
    assert "load" not in order, "a run that does not wait loads what it needs"
    cli.ok("watch")
    assert order[:2] == ["load", "sleep"]
