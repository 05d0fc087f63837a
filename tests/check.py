"""The test command: format, lint, types, layers, tests, coverage. Runs all, then fails if any failed.

`--fast` leaves out coverage; other arguments go to pytest.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = Path(sys.executable).parent
HARNESSES = (
    "tests/engine/test_engine_crash.py",
    "tests/engine/test_engine_storm.py",
    "tests/manifests/test_manifests_hostile.py",
    "tests/packaging",
    "tests/providers/test_gemini_arbitrary.py",
    "tests/reconcile/test_reconcile_properties.py",
    "tests/sdk",
    "tests/traps",
)
"""Tests that run much code many times. They are not measured, which would double their time; `BATCHCTL_LONG=1` makes
them try much more."""
FULLY_COVERED = ("reconcile", "manifests")
"""Rooms that hold the decisions and the door to them: every statement and branch is tested."""


def steps(arguments: list[str]) -> dict[str, list[str]]:
    """The commands, by name, in the order in which they run."""
    measured = "--fast" not in arguments
    rest = [argument for argument in arguments if argument != "--fast"]
    pytest = [sys.executable, "-m", "pytest", "-q", "-n", "2"]
    coverage = ["--cov", "--cov-report="] if measured else []
    commands = {
        "format": [str(TOOLS / "ruff"), "format", "--check", "."],
        "lint": [str(TOOLS / "ruff"), "check", "."],
        "types": [str(TOOLS / "mypy")],
        "layers": [str(TOOLS / "lint-imports")],
        "harnesses": [*pytest, *HARNESSES, *rest],
        "tests": [*pytest, *(f"--ignore={path}" for path in HARNESSES), *coverage, *rest],
    }
    if measured:
        report = [sys.executable, "-m", "coverage", "report"]
        commands["coverage"] = report
        for room in FULLY_COVERED:
            commands[f"coverage of {room}"] = [*report, f"--include=batchctl/{room}/*", "--fail-under=100"]
    return commands


def main() -> int:
    """Run all steps; gives 1 if any failed."""
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    failed, counts = [], []
    for name, command in steps(sys.argv[1:]).items():
        start = time.monotonic()
        print(f"== {name}", flush=True)
        done = subprocess.run(command, cwd=ROOT, env=env, check=False, stdout=subprocess.PIPE, text=True)
        lines = done.stdout.rstrip().splitlines()
        if name in {"harnesses", "tests"}:
            counts += lines[-1:]
        is_shown = done.returncode != 0 or name == "coverage"
        print("\n".join(lines if is_shown else lines[-1:]))
        print(f"   {name}: {'failed' if done.returncode else 'ok'} in {time.monotonic() - start:.0f} s", flush=True)
        if done.returncode:
            failed.append(name)
    print(f"failed: {', '.join(failed)}" if failed else "all steps passed")
    print("\n".join(counts))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
